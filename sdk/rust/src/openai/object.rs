//! Reading objects of which some fields are known, borrowed from their frame.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// Fields that have no name here, untouched.
pub(in crate::openai) type Unknown<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// Declares objects whose known fields are read and whose other fields are kept; `flatten` would copy them all. A null is
/// the same as no field. Those listed after `without` say nothing that anybody needs.
macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident without [$($skip:literal),*] { $($field:ident: $type:ty = $key:literal $(| $alias:literal)*,)* })*) => {$(
        $(#[$doc])*
        #[derive(Default)]
        pub(in crate::openai) struct $name<'a> {
            $(pub(in crate::openai) $field: Option<$type>,)*
            pub(in crate::openai) unknown: $crate::openai::object::Unknown<'a>,
        }

        impl<'de: 'a, 'a> serde::Deserialize<'de> for $name<'a> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Reader;

                impl<'de> serde::de::Visitor<'de> for Reader {
                    type Value = $name<'de>;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        formatter.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut object = $name::default();
                        while let Some($crate::json::Text(key)) = map.next_key()? {
                            match key.as_ref() {
                                $($key $(| $alias)* => if let Some(value) = map.next_value()? { object.$field = Some(value) },)*
                                $($skip => drop(map.next_value::<serde::de::IgnoredAny>()?),)*
                                _ => {
                                    let value: &'de serde_json::value::RawValue = map.next_value()?;
                                    if value.get() != "null" {
                                        object.unknown.push((key, value));
                                    }
                                }
                            }
                        }
                        Ok(object)
                    }
                }

                deserializer.deserialize_map(Reader)
            }
        }
    )*};
}

pub(in crate::openai) use objects;
