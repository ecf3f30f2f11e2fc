//! The JSON that OpenAI's clients read.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::custom;
use super::tools::Style;
use super::usage::{Counts, UsageView};
use crate::model::chat::{Field, StopReason, ToolCall};

/// Fields of the vendor's answer, by where OpenAI has them.
#[derive(Debug, Default)]
pub(super) struct Extra {
    /// At the top.
    pub(super) top: Vec<Field>,
    /// In the choice.
    pub(super) choice: Vec<Field>,
    /// In the message.
    pub(super) message: Vec<Field>,
    /// In the usage.
    pub(super) counts: Counts,
}

/// A whole answer.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ChatCompletion")]
pub(super) struct Completion<'a> {
    /// Names the answer.
    pub(super) id: &'a str,
    /// `chat.completion`.
    pub(super) object: &'static str,
    /// When it was made, in Unix seconds.
    pub(super) created: i64,
    /// Which model answered.
    pub(super) model: &'a str,
    /// The one answer.
    pub(super) choices: [Choice<'a>; 1],
    /// What it took, if the vendor tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<UsageView<'a>>,
    #[serde(flatten)]
    pub(super) extra: Members<'a>,
}

/// One answer; there is one.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ChatCompletionChoice")]
pub(super) struct Choice<'a> {
    /// 0.
    pub(super) index: u32,
    /// What the model said.
    pub(super) message: MessageView<'a>,
    /// Why it ended: `stop`, `length`, `tool_calls` (`function_call` for who offered `functions`) or `content_filter`.
    pub(super) finish_reason: &'static str,
    #[serde(flatten)]
    pub(super) extra: Members<'a>,
}

/// What the model said.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ChatCompletionMessage")]
pub(super) struct MessageView<'a> {
    /// `assistant`.
    pub(super) role: &'static str,
    /// Words; null beside calls or a refusal.
    pub(super) content: Option<&'a str>,
    /// Words in place of an answer.
    pub(super) refusal: Option<&'a str>,
    /// What the model thought, where it shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_content: Option<&'a str>,
    /// The same, for a model that has to be shown that it was its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) reasoning_details: Vec<Detail<'a>>,
    /// Sources of the words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) annotations: Vec<Value>,
    /// What the model asks for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tool_calls: Vec<CallView<'a>>,
    /// The same, for who offered `functions`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_call: Option<FunctionView<'a>>,
    #[serde(flatten)]
    pub(super) extra: Members<'a>,
}

/// A call that the model asks for.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ToolCall")]
pub(super) struct CallView<'a> {
    /// Names the call, for its answer.
    pub(super) id: &'a str,
    /// `function` or `custom`.
    pub(super) r#type: &'static str,
    /// Which function, and what it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function: Option<FunctionView<'a>>,
    /// Which tool of free text, and what it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) custom: Option<CustomView<'a>>,
    #[serde(flatten)]
    pub(super) extra: Members<'a>,
}

/// Which function, and what it is given.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ToolCallFunction")]
pub(super) struct FunctionView<'a> {
    /// The function's name.
    pub(super) name: &'a str,
    /// What it is given: JSON, in a string.
    pub(super) arguments: &'a str,
}

/// Which tool of free text, and what it is given.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ToolCallCustom")]
pub(super) struct CustomView<'a> {
    /// The tool's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    /// What it is given.
    pub(super) input: Cow<'a, str>,
}

/// A thought, with what its model wants to see again.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type")]
#[schemars(rename = "ReasoningDetail")]
pub(super) enum Detail<'a> {
    /// One that can be read.
    #[serde(rename = "reasoning.text")]
    Text {
        /// Counts the details.
        index: usize,
        /// The thought.
        text: &'a str,
        /// The proof that it is the model's own.
        signature: &'a str,
    },
    /// One that only the model can read.
    #[serde(rename = "reasoning.encrypted")]
    Encrypted {
        /// Counts the details.
        index: usize,
        /// The thought.
        data: &'a str,
    },
}

/// One piece of a stream.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ChatCompletionChunk")]
pub(super) struct Chunk<'a> {
    /// Names the answer, the same in every chunk.
    pub(super) id: &'a str,
    /// `chat.completion.chunk`.
    pub(super) object: &'static str,
    /// When it was made, in Unix seconds.
    pub(super) created: i64,
    /// Which model answers.
    pub(super) model: &'a str,
    /// What is new; nothing in the chunk that tells the usage.
    pub(super) choices: &'a [ChunkChoice<'a>],
    /// Null in every chunk but the last one of who asked for it, absent for who didn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<Option<UsageView<'a>>>,
    #[serde(flatten)]
    pub(super) extra: Members<'a>,
}

/// What is new in the one answer.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ChatCompletionChunkChoice")]
pub(super) struct ChunkChoice<'a> {
    /// 0.
    pub(super) index: u32,
    /// What is new in the message.
    pub(super) delta: Delta<'a>,
    /// Why it ended, once it has.
    pub(super) finish_reason: Option<&'static str>,
    #[serde(flatten)]
    pub(super) extra: Members<'a>,
}

/// What is new in the message; texts go behind each other.
#[derive(Default, Serialize, JsonSchema)]
#[schemars(rename = "ChatCompletionDelta")]
pub(super) struct Delta<'a> {
    /// Who speaks; in the first chunk only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
    /// Words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<&'a str>,
    /// Words in place of an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<&'a str>,
    /// What the model thinks, where it shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_content: Option<&'a str>,
    /// The same, for a model that has to be shown that it was its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_details: Option<[Detail<'a>; 1]>,
    /// Sources of the words, all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) annotations: Vec<Value>,
    /// What the model asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_calls: Option<[CallDelta<'a>; 1]>,
    /// The same, for who offered `functions`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_call: Option<FunctionDelta<'a>>,
    #[serde(flatten)]
    pub(super) extra: Members<'a>,
}

/// What is new in a call.
#[derive(Default, Serialize, JsonSchema)]
#[schemars(rename = "ToolCallDelta")]
pub(super) struct CallDelta<'a> {
    /// Counts the calls, not the blocks.
    pub(super) index: u32,
    /// Names the call; where it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
    /// `function` or `custom`; where the call begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) r#type: Option<&'static str>,
    /// Which function, and what it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function: Option<FunctionDelta<'a>>,
    /// Which tool of free text, and what it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) custom: Option<CustomView<'a>>,
    #[serde(flatten)]
    pub(super) extra: Members<'a>,
}

/// What is new in a call's function.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ToolCallFunctionDelta")]
pub(super) struct FunctionDelta<'a> {
    /// The function's name; where the call begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    /// More of the JSON that it is given.
    pub(super) arguments: &'a str,
}

/// Fields that stand among others, as they came.
#[derive(Clone, Copy, Default)]
pub(in crate::api) struct Members<'a>(pub(in crate::api) &'a [Field]);

// === impl Extra ===

impl Extra {
    pub(super) fn add(&mut self, field: Field) {
        if let Some(name) = field.name.strip_prefix("usage.") {
            return self.counts.add(name, field.value);
        }
        let place = match field.name.as_str() {
            "logprobs" => &mut self.choice,
            "annotations" | "audio" | "reasoning_details" => &mut self.message,
            _ => &mut self.top,
        };
        place.push(field);
    }
}

// === impl Members ===

/// Whatever the vendor says beside what is known.
impl JsonSchema for Members<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Members".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": true})
    }
}

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

// === impl CallView ===

impl<'a> CallView<'a> {
    /// `call`, as the caller's tool is called.
    pub(super) fn of(call: &'a ToolCall, style: &Style) -> Self {
        let extra = Members(&call.extra);
        if style.is_custom(&call.name) {
            let input = custom::unwrap(&call.arguments).into();
            let custom = Some(CustomView { name: Some(&call.name), input });
            return Self { id: &call.id, r#type: "custom", function: None, custom, extra };
        }
        let arguments = if call.arguments.is_empty() { "{}" } else { &call.arguments };
        let function = Some(FunctionView { name: &call.name, arguments });
        Self { id: &call.id, r#type: "function", function, custom: None, extra }
    }
}

/// OpenAI's word for why an answer ended. Who was given a call must be told so, whatever the vendor said.
pub(super) fn finish_reason(reason: StopReason, called: bool, legacy: bool) -> &'static str {
    match reason {
        StopReason::Length => "length",
        StopReason::Refusal => "content_filter",
        _ if called && legacy => "function_call",
        _ if called => "tool_calls",
        StopReason::ToolCalls => "tool_calls",
        StopReason::Complete | StopReason::StopSequence | StopReason::Pause => "stop",
    }
}
