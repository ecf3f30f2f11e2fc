//! The vendor's JSON, borrowed from its frame: a stream's chunk and a whole answer alike.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

pub(super) use super::object::Unknown;
use super::object::objects;
use crate::json::Text;

objects! {
    /// A chunk or a whole answer.
    Chunk without ["object", "created", "obfuscation"] {
        id: Text<'a> = "id",
        model: Text<'a> = "model",
        choices: Choices<'a> = "choices",
        usage: Counts<'a> = "usage",
        error: &'a RawValue = "error",
        groq: &'a RawValue = "x_groq",
    }

    /// One answer of those that were asked for.
    Choice without [] {
        index: u32 = "index",
        delta: Delta<'a> = "delta" | "message",
        finish_reason: Text<'a> = "finish_reason",
    }

    /// What is new in a chunk, or all of a whole answer.
    Delta without ["role"] {
        content: Content<'a> = "content",
        reasoning_content: Text<'a> = "reasoning_content",
        reasoning: &'a RawValue = "reasoning",
        refusal: Text<'a> = "refusal",
        annotations: Vec<&'a RawValue> = "annotations",
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
    Counts without ["prompt_cache_miss_tokens"] {
        prompt_tokens: u64 = "prompt_tokens" | "input_tokens",
        completion_tokens: u64 = "completion_tokens" | "output_tokens",
        total_tokens: u64 = "total_tokens",
        cost: &'a RawValue = "cost",
        cache_hits: u64 = "prompt_cache_hit_tokens" | "cached_tokens",
        prompt_details: PromptDetails<'a> = "prompt_tokens_details" | "input_tokens_details",
        completion_details: CompletionDetails<'a> = "completion_tokens_details" | "output_tokens_details",
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

objects! {
    /// A part of content that comes in parts.
    Part without [] {
        kind: Text<'a> = "type",
        text: Text<'a> = "text",
        thinking: Vec<Part<'a>> = "thinking",
    }

    /// What one vendor says in a place of its own.
    Aside without [] {
        usage: Counts<'a> = "usage",
        error: Text<'a> = "error",
    }
}

/// What was said: a text or, of few vendors, a list of parts.
pub(super) enum Content<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<&'a RawValue>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Content<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or a list")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Content::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Content::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = list.next_element()? {
                    parts.push(part);
                }
                Ok(Content::Parts(parts))
            }
        }

        deserializer.deserialize_any(Reader)
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
