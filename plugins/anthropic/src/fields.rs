//! The vendor's JSON, borrowed from its frame.

use std::borrow::Cow;
use std::fmt;

use mortise_sdk::json::Text;
use mortise_sdk::provider::Error;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// An event of a stream. A field that is null is the same as none.
#[derive(Deserialize)]
pub(crate) struct Event<'a> {
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Text<'a>,
    #[serde(borrow)]
    index: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) delta: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) message: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) content_block: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) usage: Option<&'a RawValue>,
}

/// What is new in a block.
#[derive(Deserialize)]
pub(crate) struct Delta<'a> {
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Text<'a>,
    #[serde(borrow)]
    pub(crate) text: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) thinking: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) signature: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) partial_json: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) citation: Option<&'a RawValue>,
}

/// The fields of an object, in their order, without those that are null. Whoever knows a field takes it.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

// === impl Event ===

impl Event<'_> {
    /// Only events about blocks need one.
    pub(crate) fn index(&self) -> Result<u32, Error> {
        self.index.and_then(|index| index.get().parse().ok()).ok_or_else(Error::unreadable)
    }
}

// === impl Fields ===

impl<'a> Fields<'a> {
    pub(crate) fn read(value: &'a RawValue) -> Result<Self, Error> {
        serde_json::from_str(value.get()).map_err(|_| Error::unreadable())
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    pub(crate) fn skip(&mut self, names: &[&str]) {
        self.0.retain(|(name, _)| !names.contains(&name.as_ref()));
    }

    /// A field of a known type.
    pub(crate) fn value<T: Deserialize<'a>>(&mut self, name: &str) -> Result<Option<T>, Error> {
        let value = self.take(name).map(|value| serde_json::from_str(value.get()));
        value.transpose().map_err(|_| Error::unreadable())
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<Option<Cow<'a, str>>, Error> {
        Ok(self.value::<Text<'a>>(name)?.map(|text| text.0))
    }

    /// What nobody has taken.
    pub(crate) fn rest(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), *value))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Fields<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((Text(name), value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    if value.get() != "null" {
                        fields.push((name, value));
                    }
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}
