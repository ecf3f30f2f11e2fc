//! The JSON that Anthropic's clients read.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::api::openai::Members;
use crate::http::Fields;
use crate::model::chat::{Field, Usage};

/// A whole answer, or how one begins.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AnthropicMessage")]
pub(super) struct MessageView<'a> {
    /// Names the answer.
    pub(super) id: &'a str,
    /// `message`.
    pub(super) r#type: &'static str,
    /// `assistant`.
    pub(super) role: &'static str,
    /// Which model answered.
    pub(super) model: &'a str,
    /// What it said, block by block.
    pub(super) content: Vec<BlockView<'a>>,
    /// Why it ended: `end_turn`, `max_tokens`, `stop_sequence`, `tool_use`, `pause_turn` or `refusal`; null while it hasn't.
    pub(super) stop_reason: Option<&'static str>,
    /// The stop sequence that it ended at, where the vendor tells.
    pub(super) stop_sequence: Option<&'a str>,
    /// What it took.
    pub(super) usage: UsageView<'a>,
    #[serde(flatten)]
    pub(super) extra: Members<'a>,
}

/// A block of an answer.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "AnthropicBlock")]
pub(super) enum BlockView<'a> {
    /// One that every vendor has.
    Known(KnownBlock<'a>),
    /// One of the vendor's own, as it came.
    Other(OtherBlock<'a>),
}

/// A block that every vendor has.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schemars(rename = "AnthropicKnownBlock")]
pub(super) enum KnownBlock<'a> {
    /// Words.
    Text {
        /// The words.
        text: &'a str,
        /// What they rest on, in the vendor's words.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        citations: Vec<&'a RawValue>,
    },
    /// What the model thought.
    Thinking {
        /// Its words.
        thinking: &'a str,
        /// The vendor's proof of them; empty where it gives none.
        signature: &'a str,
    },
    /// What the model thought and only it can read.
    RedactedThinking {
        /// The thought.
        data: &'a str,
    },
    /// A call that the model asks for, with what the vendor says of it beside.
    ToolUse {
        /// Names the call, for its answer.
        id: &'a str,
        /// The tool's name.
        name: &'a str,
        /// What it is given; nothing where a stream begins it.
        input: Input<'a>,
        #[serde(flatten)]
        extra: Members<'a>,
    },
}

/// What a call is given: the text of an object.
#[derive(Clone, Copy)]
pub(super) struct Input<'a>(&'a str);

/// The members of a block of the vendor's own.
pub(super) struct OtherBlock<'a>(pub(super) &'a [Field]);

/// What an answer took; in a stream, all of it so far.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AnthropicUsage")]
pub(super) struct UsageView<'a> {
    /// Tokens that the model read and the vendor didn't remember.
    pub(super) input_tokens: u64,
    /// Tokens that the vendor remembers from now on.
    pub(super) cache_creation_input_tokens: u64,
    /// Tokens that it remembered.
    pub(super) cache_read_input_tokens: u64,
    /// Tokens that the model wrote.
    pub(super) output_tokens: u64,
    /// What of them was special, if anything was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output_tokens_details: Option<OutputDetails>,
    /// US dollars; absent where the price isn't known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cost: Option<f64>,
    #[serde(flatten)]
    pub(super) extra: Members<'a>,
}

/// What of the written tokens was special.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AnthropicOutputTokensDetails")]
pub(super) struct OutputDetails {
    /// Tokens that the model only thought.
    thinking_tokens: u64,
}

// === impl Input ===

impl<'a> Input<'a> {
    pub(super) const NONE: Self = Self("{}");

    /// `object`, which is the text of one.
    pub(super) fn new(object: &'a str) -> Self {
        Self(object)
    }
}

impl JsonSchema for Input<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Input".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": true})
    }
}

impl Serialize for Input<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(self.0).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

// === impl OtherBlock ===

/// A block of a type of the vendor's own.
impl JsonSchema for OtherBlock<'_> {
    fn schema_name() -> Cow<'static, str> {
        "AnthropicOtherBlock".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A block of a type of the vendor's own.",
            "type": "object",
            "properties": {"type": {
                "type": "string",
                "not": {"enum": ["text", "thinking", "redacted_thinking", "tool_use"]},
            }},
            "required": ["type"],
            "additionalProperties": true,
        })
    }
}

impl Serialize for OtherBlock<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Members(self.0).serialize(serializer)
    }
}

// === impl UsageView ===

impl<'a> UsageView<'a> {
    pub(super) fn new(usage: Usage, extra: &'a [Field]) -> Self {
        Self {
            input_tokens: usage.input.saturating_sub(usage.cache_read).saturating_sub(usage.cache_write),
            cache_creation_input_tokens: usage.cache_write,
            cache_read_input_tokens: usage.cache_read,
            output_tokens: usage.output,
            output_tokens_details: (usage.reasoning > 0).then_some(OutputDetails { thinking_tokens: usage.reasoning }),
            cost: usage.cost,
            extra: Members(extra),
        }
    }
}

/// Text as the JSON that it holds; a plugin that says something that is no JSON is not repeated.
pub(super) fn raw(text: &str) -> Option<&RawValue> {
    serde_json::from_str(text).ok()
}

/// The members of the object that `json` holds.
pub(super) fn members(json: &str) -> Option<Vec<Field>> {
    Fields::parse_at(raw(json)?, "a block").ok().map(Fields::into_extra)
}
