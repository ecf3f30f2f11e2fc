//! Values: a version byte and the record as JSON, so that one may grow fields without a migration, and can be read by people.

use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use super::engine::StoreError;

/// What can be stored.
pub trait Record: Serialize + DeserializeOwned {
    /// The version that is written. A new field with a default needs no new one.
    const VERSION: u8 = 1;

    /// An older record in the words of the next version.
    ///
    /// # Errors
    /// If there never was such a version.
    fn upgrade(version: u8, _old: Value) -> Result<Value, StoreError> {
        Err(StoreError::Corrupt(format!("a record of version {version}, which there never was")))
    }
}

/// As it is stored.
///
/// # Errors
/// If it can't be written as JSON, which is a mistake in the program.
pub fn encode<R: Record>(record: &R) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![R::VERSION];
    serde_json::to_writer(&mut bytes, record).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    Ok(bytes)
}

/// What was stored.
///
/// # Errors
/// If it isn't what [`encode`] writes, now or in an older version.
pub fn decode<R: Record>(bytes: &[u8]) -> Result<R, StoreError> {
    let damaged = |error: serde_json::Error| StoreError::Corrupt(format!("a record can't be read: {error}"));
    let Some((&version, json)) = bytes.split_first() else {
        return Err(StoreError::Corrupt("a record is empty".into()));
    };
    if version == R::VERSION {
        return serde_json::from_slice(json).map_err(damaged);
    }
    if version > R::VERSION {
        let what = "a record was written by a newer program than this one; start that one again";
        return Err(StoreError::Unavailable(format!("{what} (version {version}, {} is known here)", R::VERSION)));
    }
    let mut value = serde_json::from_slice(json).map_err(damaged)?;
    for version in version..R::VERSION {
        value = R::upgrade(version, value)?;
    }
    serde_json::from_value(value).map_err(damaged)
}

/// Whether `value` can be a record or a counter.
pub(super) fn is_sound(value: &[u8]) -> bool {
    let record = |json| serde_json::from_slice::<IgnoredAny>(json).is_ok();
    value.len() == size_of::<i64>() || value.split_first().is_some_and(|(version, json)| *version > 0 && record(json))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    /// The second version of a record that was once a bare text.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Note {
        text: String,
    }

    impl Record for Note {
        const VERSION: u8 = 2;

        fn upgrade(_version: u8, old: Value) -> Result<Value, StoreError> {
            Ok(json!({ "text": old }))
        }
    }

    #[test]
    fn older_records_are_read_and_newer_ones_are_told_apart_from_damaged_ones() {
        let note = Note { text: "a".into() };
        assert_eq!(decode::<Note>(&encode(&note).unwrap()).unwrap(), note);
        assert_eq!(decode::<Note>(b"\x01\"a\"").unwrap(), note);
        let newer = decode::<Note>(b"\x03{}").unwrap_err();
        assert!(matches!(&newer, StoreError::Unavailable(what) if what.contains("newer program")), "{newer}");
        for damaged in [&b""[..], b"\x02", b"\x02{}", b"\x02{\"text\": 1}", b"\x01{"] {
            assert!(matches!(decode::<Note>(damaged).unwrap_err(), StoreError::Corrupt(_)), "{damaged:?}");
        }
    }
}
