//! The vendor's JSON, borrowed from its frame: a stream's chunk and a whole answer alike.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::Text;

/// Fields that have no name here, untouched.
pub(super) type Unknown<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// Declares objects whose known fields are read and whose other fields are kept; `flatten` would copy them all. A null is
/// the same as no field. Those listed after `without` say nothing that anybody needs.
macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident without [$($skip:literal),*] { $($field:ident: $type:ty = $key:literal $(| $alias:literal)*,)* })*) => {$(
        $(#[$doc])*
        #[derive(Default)]
        pub(super) struct $name<'a> {
            $(pub(super) $field: Option<$type>,)*
            pub(super) unknown: Unknown<'a>,
        }

        impl<'de: 'a, 'a> Deserialize<'de> for $name<'a> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Reader;

                impl<'de> Visitor<'de> for Reader {
                    type Value = $name<'de>;

                    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                        formatter.write_str("an object")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut object = $name::default();
                        while let Some(Text(key)) = map.next_key()? {
                            match key.as_ref() {
                                $($key $(| $alias)* => if let Some(value) = map.next_value()? { object.$field = Some(value) },)*
                                $($skip => drop(map.next_value::<IgnoredAny>()?),)*
                                _ => {
                                    let value: &'de RawValue = map.next_value()?;
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

objects! {
    /// A chunk or a whole answer.
    Chunk without ["object", "created", "obfuscation"] {
        id: Text<'a> = "id",
        model: Text<'a> = "model",
        choices: Choices<'a> = "choices",
        usage: Counts<'a> = "usage",
        error: &'a RawValue = "error",
    }

    /// One answer of those that were asked for.
    Choice without [] {
        index: u32 = "index",
        delta: Delta<'a> = "delta" | "message",
        finish_reason: Text<'a> = "finish_reason",
    }

    /// What is new in a chunk, or all of a whole answer.
    Delta without ["role"] {
        content: Text<'a> = "content",
        reasoning_content: Text<'a> = "reasoning_content",
        reasoning: &'a RawValue = "reasoning",
        refusal: Text<'a> = "refusal",
        tool_calls: Vec<Call<'a>> = "tool_calls",
    }

    /// A tool call or a piece of one.
    Call without ["type"] {
        index: u32 = "index",
        id: Text<'a> = "id",
        function: Function<'a> = "function",
    }

    /// The tool of a call. Its arguments are a string; some vendors send the object itself.
    Function without [] {
        name: Text<'a> = "name",
        arguments: &'a RawValue = "arguments",
    }

    /// Tokens.
    Counts without ["total_tokens", "prompt_cache_miss_tokens"] {
        prompt_tokens: u64 = "prompt_tokens",
        completion_tokens: u64 = "completion_tokens",
        cache_hits: u64 = "prompt_cache_hit_tokens" | "cached_tokens",
        prompt_details: PromptDetails<'a> = "prompt_tokens_details",
        completion_details: CompletionDetails<'a> = "completion_tokens_details",
    }

    /// More about what was read.
    PromptDetails without [] {
        cached_tokens: u64 = "cached_tokens",
        cache_write_tokens: u64 = "cache_write_tokens" | "cache_creation_tokens",
    }

    /// More about what was written.
    CompletionDetails without [] {
        reasoning_tokens: u64 = "reasoning_tokens",
    }
}

/// The choices of a chunk. More than one is asked for by nobody.
#[derive(Default)]
pub(super) struct Choices<'a> {
    pub(super) first: Option<Choice<'a>>,
    pub(super) more: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for Choices<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Choices<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let first = list.next_element()?;
                let more = list.next_element::<IgnoredAny>()?.is_some();
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Choices { first, more })
            }
        }

        deserializer.deserialize_seq(Reader)
    }
}

/// The text of a value that should be a string; other values are taken as they stand.
pub(super) fn text_of(value: &RawValue) -> Option<Cow<'_, str>> {
    match value.get().as_bytes().first() {
        Some(b'"') => serde_json::from_str::<Text<'_>>(value.get()).ok().map(|Text(text)| text),
        _ => Some(Cow::Borrowed(value.get())),
    }
}
