//! The JSON that OpenAI's clients read.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::model::chat::{Field, StopReason, Usage};

/// Fields of the vendor's answer, by where OpenAI has them.
#[derive(Debug, Default)]
pub(super) struct Extra {
    /// At the top.
    pub(super) top: Vec<Field>,
    /// In the choice.
    pub(super) choice: Vec<Field>,
    /// In the message.
    pub(super) message: Vec<Field>,
}

#[derive(Serialize)]
pub(super) struct Completion<'a> {
    pub(super) id: &'a str,
    pub(super) object: &'static str,
    pub(super) created: i64,
    pub(super) model: &'a str,
    pub(super) choices: [Choice<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<UsageView>,
    #[serde(flatten)]
    pub(super) extra: Members<'a>,
}

#[derive(Serialize)]
pub(super) struct Choice<'a> {
    pub(super) index: u32,
    pub(super) message: MessageView<'a>,
    pub(super) finish_reason: &'static str,
    #[serde(flatten)]
    pub(super) extra: Members<'a>,
}

#[derive(Serialize)]
pub(super) struct MessageView<'a> {
    pub(super) role: &'static str,
    pub(super) content: Option<&'a str>,
    pub(super) refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tool_calls: Vec<CallView<'a>>,
    #[serde(flatten)]
    pub(super) extra: Members<'a>,
}

#[derive(Serialize)]
pub(super) struct CallView<'a> {
    pub(super) id: &'a str,
    pub(super) r#type: &'static str,
    pub(super) function: FunctionView<'a>,
}

#[derive(Serialize)]
pub(super) struct FunctionView<'a> {
    pub(super) name: &'a str,
    pub(super) arguments: &'a str,
}

/// One piece of a stream.
#[derive(Serialize)]
pub(super) struct Chunk<'a> {
    pub(super) id: &'a str,
    pub(super) object: &'static str,
    pub(super) created: i64,
    pub(super) model: &'a str,
    pub(super) choices: &'a [ChunkChoice<'a>],
    /// Null in every chunk but the last one of who asked for it, absent for who didn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<Option<UsageView>>,
    #[serde(flatten)]
    pub(super) extra: Members<'a>,
}

#[derive(Serialize)]
pub(super) struct ChunkChoice<'a> {
    pub(super) index: u32,
    pub(super) delta: Delta<'a>,
    pub(super) finish_reason: Option<&'static str>,
    #[serde(flatten)]
    pub(super) extra: Members<'a>,
}

#[derive(Default, Serialize)]
pub(super) struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_calls: Option<[CallDelta<'a>; 1]>,
    #[serde(flatten)]
    pub(super) extra: Members<'a>,
}

#[derive(Serialize)]
pub(super) struct CallDelta<'a> {
    /// Counts the calls, not the blocks.
    pub(super) index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) r#type: Option<&'static str>,
    pub(super) function: FunctionDelta<'a>,
}

#[derive(Serialize)]
pub(super) struct FunctionDelta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    pub(super) arguments: &'a str,
}

#[derive(Clone, Copy, Serialize)]
pub(super) struct UsageView {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Clone, Copy, Serialize)]
struct PromptDetails {
    cached_tokens: u64,
}

#[derive(Clone, Copy, Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
}

/// Fields that stand among others, as they came.
#[derive(Clone, Copy, Default)]
pub(super) struct Members<'a>(pub(super) &'a [Field]);

// === impl Extra ===

impl Extra {
    pub(super) fn add(&mut self, field: Field) {
        let place = match field.name.as_str() {
            "logprobs" => &mut self.choice,
            "annotations" | "audio" | "reasoning_details" => &mut self.message,
            _ => &mut self.top,
        };
        place.push(field);
    }
}

// === impl Members ===

impl Serialize for Members<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for field in self.0 {
            // A plugin that says something that is no JSON is not repeated.
            if let Ok(value) = serde_json::from_str::<&RawValue>(&field.value) {
                map.serialize_entry(&field.name, value)?;
            }
        }
        map.end()
    }
}

// === impl UsageView ===

impl From<Usage> for UsageView {
    fn from(usage: Usage) -> Self {
        Self {
            prompt_tokens: usage.input,
            completion_tokens: usage.output,
            total_tokens: usage.total(),
            prompt_tokens_details: PromptDetails { cached_tokens: usage.cache_read },
            completion_tokens_details: CompletionDetails { reasoning_tokens: usage.reasoning },
        }
    }
}

/// OpenAI's word for why an answer ended. Who was given a call must be told so, whatever the vendor said.
pub(super) fn finish_reason(reason: StopReason, called: bool) -> &'static str {
    match reason {
        StopReason::Length => "length",
        StopReason::Refusal => "content_filter",
        _ if called => "tool_calls",
        StopReason::ToolCalls => "tool_calls",
        StopReason::Complete | StopReason::StopSequence | StopReason::Pause => "stop",
    }
}
