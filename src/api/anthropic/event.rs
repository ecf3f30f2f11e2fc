//! The events of a stream, as Anthropic's clients read them.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::shape::AnthropicError;
use super::wire::{BlockView, MessageView, UsageView};
use crate::api::openai::Members;
use crate::http::sse;

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
#[serde(tag = "type")]
#[schemars(rename = "AnthropicDelta")]
pub(super) enum Delta<'a> {
    /// More words.
    #[serde(rename = "text_delta")]
    Text {
        /// The words.
        text: &'a str,
    },
    /// More of the JSON that a call is given.
    #[serde(rename = "input_json_delta")]
    InputJson {
        /// The piece.
        partial_json: &'a str,
    },
    /// More of a thought.
    #[serde(rename = "thinking_delta")]
    Thinking {
        /// The piece.
        thinking: &'a str,
    },
    /// The vendor's proof of a thought, whole.
    #[serde(rename = "signature_delta")]
    Signature {
        /// The proof.
        signature: &'a str,
    },
    /// What the words rest on.
    #[serde(rename = "citations_delta")]
    Citations {
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
