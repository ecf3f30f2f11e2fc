//! The chat model, as every provider reads and writes it.
//!
//! The fields of each type are explained in the contract, `wit/chat.wit`.

pub use crate::bindings::mortise::plugin::chat::{
    CachePoint, CallStarted, Delta, Event, Field, Json, JsonSchema, Media, MediaSource, Message, Part, Reasoning,
    Request, ResponseFormat, ResultPart, Role, Started, Stop, StopReason, Thinking, Tool, ToolCall, ToolChoice,
    ToolResult, Usage,
};

// === impl Request ===

impl Request {
    /// A request that asks for nothing in particular.
    pub fn new(model: impl Into<String>, messages: Vec<Message>) -> Self {
        Self {
            model: model.into(),
            messages,
            tools: Vec::new(),
            native_tools: Vec::new(),
            tool_choice: None,
            parallel_tool_calls: None,
            max_tokens: None,
            max_output: None,
            temperature: None,
            top_p: None,
            top_k: None,
            frequency_penalty: None,
            presence_penalty: None,
            stop: Vec::new(),
            seed: None,
            response_format: None,
            reasoning: None,
            user: None,
            dialect: None,
            extra: Vec::new(),
            raw: None,
            streaming: false,
        }
    }

    /// Whether the caller's untouched fields and parts are in this dialect, so that they may be passed on.
    pub fn speaks(&self, dialect: &str) -> bool {
        self.dialect.as_deref() == Some(dialect)
    }
}

// === impl Message ===

impl Message {
    /// A message of these parts.
    pub fn new(role: Role, parts: Vec<Part>) -> Self {
        Self { role, name: None, parts, extra: Vec::new() }
    }

    /// A user's text.
    pub fn user(text: impl Into<String>) -> Self {
        Self::new(Role::User, vec![Part::Text(text.into())])
    }

    /// The operator's or the application's instructions.
    pub fn system(text: impl Into<String>) -> Self {
        Self::new(Role::System, vec![Part::Text(text.into())])
    }

    /// What the model said.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::new(Role::Assistant, vec![Part::Text(text.into())])
    }

    /// The result of one tool call, as text.
    pub fn tool(call_id: impl Into<String>, text: impl Into<String>) -> Self {
        let parts = vec![ResultPart::Text(text.into())];
        Self::new(Role::Tool, vec![Part::Outcome(ToolResult { call_id: call_id.into(), parts, failed: false })])
    }

    /// The text parts, joined by line feeds.
    pub fn text(&self) -> String {
        let mut joined = String::new();
        for part in &self.parts {
            if let Part::Text(text) = part {
                if !joined.is_empty() {
                    joined.push('\n');
                }
                joined.push_str(text);
            }
        }
        joined
    }
}

// === impl Tool, Field, Usage ===

impl Tool {
    /// A tool with a JSON Schema of its arguments.
    pub fn new(name: impl Into<String>, parameters: impl Into<Json>) -> Self {
        Self { name: name.into(), description: None, parameters: parameters.into(), extra: Vec::new() }
    }
}

impl Field {
    /// A field, its value already JSON.
    pub fn new(name: impl Into<String>, value: impl Into<Json>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

#[expect(clippy::derivable_impls, reason = "the type is generated")]
impl Default for Usage {
    fn default() -> Self {
        Self { input: 0, output: 0, cache_read: 0, cache_write: 0, cache_write_hour: 0, reasoning: 0, cost: None }
    }
}
