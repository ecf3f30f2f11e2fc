//! How values are written: durations `5s`, sizes `64MiB`, and sections that are left empty.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// A key without a value (`server:`) means its defaults.
pub(super) fn or_default<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// The same for a map and for each of its entries (`echo:`).
pub(super) fn entries<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, T>, D::Error> {
    let map: Option<BTreeMap<String, Option<T>>> = Option::deserialize(from)?;
    Ok(map.unwrap_or_default().into_iter().map(|(name, entry)| (name, entry.unwrap_or_default())).collect())
}

/// `5s`, `200ms`, `10m`.
pub(super) mod duration {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in crate::config) fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&write(*value))
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        read(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }

    fn write(value: Duration) -> String {
        match (value.as_secs(), value.subsec_millis()) {
            (0, millis) => format!("{millis}ms"),
            (secs, 0) if secs % 86_400 == 0 => format!("{}d", secs / 86_400),
            (secs, 0) if secs % 3600 == 0 => format!("{}h", secs / 3600),
            (secs, 0) if secs % 60 == 0 => format!("{}m", secs / 60),
            (secs, 0) => format!("{secs}s"),
            _ => format!("{}ms", value.as_millis()),
        }
    }

    fn read(text: &str) -> Result<Duration, String> {
        let wrong = || format!("`{text}` is no duration; write 200ms, 5s, 10m or 30d");
        if let Some(days) = text.strip_suffix('d').and_then(|days| days.trim().parse::<u32>().ok()) {
            return Some(Duration::from_secs(u64::from(days) * 86_400))
                .filter(|time| !time.is_zero())
                .ok_or_else(wrong);
        }
        let parsed: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
        Duration::try_from(parsed).ok().filter(|value| !value.is_zero()).ok_or_else(wrong)
    }

    pub(in crate::config) mod option {
        use std::time::Duration;

        use serde::{Deserialize, Deserializer, Serializer, de::Error};

        pub(in crate::config) fn serialize<S: Serializer>(
            value: &Option<Duration>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => super::serialize(value, serializer),
                None => serializer.serialize_none(),
            }
        }

        pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Duration>, D::Error> {
            let text = Option::<String>::deserialize(deserializer)?;
            text.map(|text| super::read(&text).map_err(D::Error::custom)).transpose()
        }
    }
}

/// `64MiB`, `64KiB`, or a number of bytes.
pub(super) mod byte_size {
    use bytesize::ByteSize;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in crate::config) fn serialize<S: Serializer>(value: &usize, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = *value as u64;
        match bytes {
            0 => serializer.serialize_u64(0),
            bytes if bytes % (1 << 20) == 0 => serializer.serialize_str(&format!("{}MiB", bytes >> 20)),
            bytes if bytes % (1 << 10) == 0 => serializer.serialize_str(&format!("{}KiB", bytes >> 10)),
            bytes => serializer.serialize_u64(bytes),
        }
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Bytes(u64),
        Text(String),
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
        read(Written::deserialize(deserializer)?).map_err(D::Error::custom)
    }

    fn read(written: Written) -> Result<usize, String> {
        let bytes = match written {
            Written::Bytes(bytes) => bytes,
            Written::Text(text) => text
                .parse::<ByteSize>()
                .map_err(|_| format!("`{text}` is no size; write 64MiB, 16KiB or a number of bytes"))?
                .as_u64(),
        };
        usize::try_from(bytes).map_err(|error| error.to_string())
    }

    pub(in crate::config) mod option {
        use serde::{Deserialize, Deserializer, Serializer, de::Error};

        pub(in crate::config) fn serialize<S: Serializer>(
            value: &Option<usize>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => super::serialize(value, serializer),
                None => serializer.serialize_none(),
            }
        }

        pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<usize>, D::Error> {
            let written = Option::deserialize(deserializer)?;
            written.map(|written| super::read(written).map_err(D::Error::custom)).transpose()
        }
    }
}
