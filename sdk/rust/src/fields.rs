//! An object of an answer whose fields are taken out by name; what nobody took is still there.
//!
//! ```
//! use mortise_sdk::fields::Fields;
//!
//! let mut answer: Fields<'_> = serde_json::from_str(r#"{"done": true, "reason": null, "speed": [1, 2]}"#).unwrap();
//! assert_eq!(answer.take::<bool>("done")?, Some(true));
//! assert_eq!(answer.take::<u64>("reason")?, None);
//! assert_eq!(answer.rest().collect::<Vec<_>>(), [("speed", "[1, 2]")]);
//! # Ok::<(), mortise_sdk::provider::Error>(())
//! ```

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::Text;
use crate::provider::Error;

/// The fields of one object, borrowed from its frame, their values unread. A null is the same as no field.
#[derive(Debug, Default)]
pub struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

// === impl Fields ===

impl<'a> Fields<'a> {
    /// Takes a field out and reads it. The error repeats nothing of the content.
    pub fn take<T: Deserialize<'a>>(&mut self, name: &str) -> Result<Option<T>, Error> {
        self.take_raw(name).map(serde_json::from_str).transpose().map_err(|_| Error::unreadable())
    }

    /// Takes a string out.
    pub fn take_text(&mut self, name: &str) -> Result<Option<Cow<'a, str>>, Error> {
        Ok(self.take::<Text<'a>>(name)?.map(|text| text.0))
    }

    /// Takes a field out as the JSON that it is.
    pub fn take_raw(&mut self, name: &str) -> Option<&'a str> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1.get())
    }

    /// Drops fields that say nothing that anybody needs.
    pub fn skip(&mut self, names: &[&str]) {
        self.0.retain(|(name, _)| !names.contains(&name.as_ref()));
    }

    /// The fields that nobody took, as JSON.
    pub fn rest(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.get()))
    }

    /// Whether everything was taken.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
