//! The JSON that Anthropic's clients read.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::shape::AnthropicError;
use crate::api::openai::Members;
use crate::http::{Fields, sse};
use crate::model::chat::{Field, StopReason, Usage};

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

/// The data of one event of a stream.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "AnthropicStreamEvent")]
pub(super) enum StreamData<'a> {
    /// A step of the answer.
    Step(Step<'a>),
    /// Why it broke off; nothing follows.
    Error(AnthropicError<'a>),
}

/// A step of an answer.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schemars(rename = "AnthropicStreamStep")]
pub(super) enum Step<'a> {
    /// The answer begins.
    MessageStart {
        /// All that is known of it.
        message: MessageView<'a>,
    },
    /// A block begins; the one before it is over.
    ContentBlockStart {
        /// Counts the blocks.
        index: u32,
        /// The block, still empty unless it comes whole.
        content_block: BlockView<'a>,
    },
    /// A block goes on.
    ContentBlockDelta {
        /// Which block.
        index: u32,
        /// What is new in it.
        delta: Delta<'a>,
    },
    /// A block is over.
    ContentBlockStop {
        /// Which block.
        index: u32,
    },
    /// The answer is over.
    MessageDelta {
        /// Why.
        delta: MessageDelta<'a>,
        /// What all of it took.
        usage: UsageView<'a>,
        #[serde(flatten)]
        extra: Members<'a>,
    },
    /// Nothing follows.
    MessageStop {},
    /// Nothing is new.
    #[expect(dead_code, reason = "it is always the same and kept written out; it stands here for the document")]
    Ping {},
}

/// What is new in a block.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schemars(rename = "AnthropicDelta")]
pub(super) enum Delta<'a> {
    /// More words.
    TextDelta {
        /// The words.
        text: &'a str,
    },
    /// More of the JSON that a call is given.
    InputJsonDelta {
        /// The piece.
        partial_json: &'a str,
    },
    /// More of a thought.
    ThinkingDelta {
        /// The piece.
        thinking: &'a str,
    },
    /// The vendor's proof of a thought, whole.
    SignatureDelta {
        /// The proof.
        signature: &'a str,
    },
    /// What the words rest on.
    CitationsDelta {
        /// One source, in the vendor's words.
        citation: &'a RawValue,
    },
}

/// How an answer ended.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AnthropicMessageDelta")]
pub(super) struct MessageDelta<'a> {
    /// Why, as in a whole answer.
    pub(super) stop_reason: &'static str,
    /// The stop sequence that it ended at, where the vendor tells.
    pub(super) stop_sequence: Option<&'a str>,
    #[serde(flatten)]
    pub(super) extra: Members<'a>,
}

/// Fields of the vendor's answer, by where this dialect has them.
#[derive(Debug, Default)]
pub(super) struct Extra {
    /// In the message.
    pub(super) message: Vec<Field>,
    /// In its usage.
    pub(super) usage: Vec<Field>,
}

// === impl Step ===

impl Step<'_> {
    /// The event's name, which is its type.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::MessageStart { .. } => "message_start",
            Self::ContentBlockStart { .. } => "content_block_start",
            Self::ContentBlockDelta { .. } => "content_block_delta",
            Self::ContentBlockStop { .. } => "content_block_stop",
            Self::MessageDelta { .. } => "message_delta",
            Self::MessageStop {} => "message_stop",
            Self::Ping {} => "ping",
        }
    }
}

// === impl StreamData ===

impl StreamData<'_> {
    /// Writes the event at the end of `out`.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let name = match self {
            Self::Step(step) => step.name(),
            Self::Error(_) => "error",
        };
        if let Err(error) = sse::write(out, Some(name), self) {
            tracing::error!(error = error.to_string(), "an event could not be written");
        }
    }
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

// === impl Extra ===

impl Extra {
    /// Takes `field` in; of one name, the last counts. What the answer says anyhow isn't said twice.
    pub(super) fn add(&mut self, mut field: Field) {
        const MESSAGE: [&str; 8] = ["id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage"];
        const USAGE: [&str; 5] = [
            "input_tokens",
            "cache_creation_input_tokens",
            "cache_read_input_tokens",
            "output_tokens",
            "output_tokens_details",
        ];
        let (list, taken) = match field.name.strip_prefix("usage.") {
            Some(name) => {
                field.name = name.to_owned();
                (&mut self.usage, &USAGE[..])
            }
            None => (&mut self.message, &MESSAGE[..]),
        };
        if !taken.contains(&field.name.as_str()) {
            list.retain(|known| known.name != field.name);
            list.push(field);
        }
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
            extra: Members(extra),
        }
    }
}

/// What else of an answer tells why it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The caller was given a call.
    pub(super) called: bool,
    /// The caller was given a block of the vendor's own.
    pub(super) other: bool,
    /// The model refused in words.
    pub(super) refused: bool,
}

/// The dialect's word for why an answer ended. Who was given a call must be told so, whatever the vendor said; but what is cut
/// is cut, also where a call is what was cut.
pub(super) fn stop_reason(reason: StopReason, told: Told) -> &'static str {
    match reason {
        StopReason::Length => "max_tokens",
        StopReason::Refusal => "refusal",
        StopReason::Pause => "pause_turn",
        _ if told.called => "tool_use",
        _ if told.refused => "refusal",
        StopReason::StopSequence => "stop_sequence",
        StopReason::ToolCalls if told.other => "tool_use",
        // Without a call there is nothing that the caller could do for one.
        StopReason::ToolCalls | StopReason::Complete => "end_turn",
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
