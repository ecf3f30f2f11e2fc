//! The JSON of what was said and done in sessions.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::api::v1::page::Links;
use crate::model::chat::{Part, ResultPart, Role};
use crate::model::session::{self, CallStatus};

/// A page of messages, the oldest first.
#[derive(Serialize, JsonSchema)]
pub(super) struct MessageList {
    /// Always true.
    pub(super) success: bool,
    /// The messages.
    pub(super) items: Vec<MessageView>,
    /// How many there are.
    pub(super) total: u64,
    /// How many come before.
    pub(super) skip: u64,
    /// How many were wanted.
    pub(super) limit: usize,
    /// The neighbours.
    pub(super) links: Links,
}

/// Something that was said.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SessionMessage")]
pub(super) struct MessageView {
    /// Names it.
    id: String,
    /// `user`, `assistant`, `system` or `result`.
    message_type: &'static str,
    /// What was said: all text of it as `content`, and what else it holds as `blocks`.
    content: Map<String, Value>,
    /// Its number, from 1 on.
    sequence_number: u64,
    /// The model that said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// The provider that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    backend: Option<String>,
    /// Tokens of it, where the vendor told.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_count: Option<u64>,
    /// What the answer cost, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_usd: Option<f64>,
    /// False where an answer broke off; left out where all of it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    complete: Option<bool>,
    /// When it was said.
    created_at: String,
}

/// A page of calls of tools, the oldest first.
#[derive(Serialize, JsonSchema)]
pub(super) struct ToolCallList {
    /// Always true.
    pub(super) success: bool,
    /// The calls.
    pub(super) items: Vec<ToolCallView>,
    /// How many there are.
    pub(super) total: u64,
    /// How many come before.
    pub(super) skip: u64,
    /// How many were wanted.
    pub(super) limit: usize,
    /// The neighbours.
    pub(super) links: Links,
}

/// A call of a tool.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SessionToolCall")]
pub(super) struct ToolCallView {
    /// Names it.
    id: String,
    /// The tool.
    tool_name: String,
    /// What it was given.
    tool_input: Value,
    /// What it gave back.
    tool_output: Value,
    /// `pending`, `running`, `success`, `error` or `denied`.
    status: &'static str,
    /// How long it took; null while it runs.
    duration_ms: Option<u64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    /// When it began.
    created_at: String,
}

// === impl MessageView ===

impl From<session::Message> for MessageView {
    fn from(message: session::Message) -> Self {
        let text = message.text();
        let mut content = Map::from_iter([("content".to_owned(), Value::String(text))]);
        let more: Vec<Value> = message.message.parts.iter().filter_map(block).collect();
        if !more.is_empty() {
            content.insert("blocks".into(), more.into());
        }
        let message_type = match message.message.role {
            Role::System | Role::Developer => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "result",
        };
        Self {
            id: message.id,
            message_type,
            content,
            sequence_number: message.sequence,
            model: message.model,
            backend: message.provider,
            token_count: message.usage.map(|usage| usage.output),
            cost_usd: message.usage.and_then(|usage| usage.cost),
            complete: (!message.complete).then_some(false),
            created_at: format!("{:.3}", message.created),
        }
    }
}

/// What isn't text.
fn block(part: &Part) -> Option<Value> {
    match part {
        Part::Text(_) | Part::Refusal(_) | Part::CachePoint(_) => None,
        Part::Thinking(thinking) if thinking.redacted => Some(json!({"type": "thinking", "redacted": true})),
        Part::Thinking(thinking) => Some(json!({"type": "thinking", "thinking": thinking.text})),
        Part::Call(call) => {
            Some(json!({"type": "tool_use", "id": call.id, "name": call.name, "input": value(&call.arguments)}))
        }
        Part::Outcome(outcome) => {
            let text = |part: &ResultPart| match part {
                ResultPart::Text(text) => Some(text.clone()),
                ResultPart::Media(_) => None,
            };
            let content: String = outcome.parts.iter().filter_map(text).collect();
            let failed = outcome.failed;
            Some(json!({"type": "tool_result", "tool_use_id": outcome.call_id, "content": content, "is_error": failed}))
        }
        Part::Media(media) => Some(json!({"type": "media", "mime": media.mime, "name": media.name})),
        Part::Other(other) => Some(json!({"type": "other", "value": value(other)})),
    }
}

/// JSON as it was written; text where it is none.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

// === impl ToolCallView ===

impl From<session::ToolCall> for ToolCallView {
    fn from(call: session::ToolCall) -> Self {
        let over = !matches!(call.status, CallStatus::Pending | CallStatus::Running);
        Self {
            id: call.id,
            tool_name: call.tool_name,
            tool_input: call.input,
            tool_output: call.output.unwrap_or_default(),
            status: call.status.as_str(),
            duration_ms: call.duration_ms.filter(|_| over),
            error_message: call.error,
            created_at: format!("{:.3}", call.created),
        }
    }
}
