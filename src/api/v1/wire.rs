//! The JSON of the chat surface.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::http::Fields;
use crate::model::chat::{Stop, StopReason, Usage};
use crate::model::{Error, Kind, Result};

/// What a caller sends to `/api/v1/chat`.
#[derive(Debug)]
pub(super) struct ChatRequest {
    pub(super) message: String,
    pub(super) provider: Option<String>,
    pub(super) model: Option<String>,
    pub(super) temperature: Option<f64>,
    pub(super) max_tokens: Option<u32>,
    pub(super) conversation_id: Option<String>,
}

const KNOWN: [&str; 7] = ["message", "provider", "model", "temperature", "max_tokens", "conversation_id", "tools"];

#[derive(Serialize)]
pub(super) struct ChatResponse<'a> {
    pub(super) success: bool,
    pub(super) response: &'a str,
    pub(super) provider: &'a str,
    pub(super) model: &'a str,
    pub(super) conversation_id: &'a str,
    /// Null where the vendor didn't tell.
    pub(super) tokens_used: Option<TokensUsed>,
    pub(super) duration_ms: u64,
    pub(super) tools_used: Vec<String>,
    /// Only there where the answer is not simply complete: a caller must know that it was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_reason: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct TokensUsed {
    input: u64,
    output: u64,
    total: u64,
}

/// What goes over an event stream.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum StreamEvent<'a> {
    Start {
        request_id: &'a str,
        timestamp: String,
    },
    Token {
        content: &'a str,
        index: u64,
    },
    Thinking {
        content: &'a str,
    },
    ToolCall {
        tool: &'a str,
        arguments: &'a RawValue,
    },
    Error {
        error: &'a str,
        error_code: &'a str,
        request_id: &'a str,
        timestamp: String,
    },
    End {
        request_id: &'a str,
        timestamp: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        stop_reason: Option<&'static str>,
    },
}

// === impl ChatRequest ===

impl ChatRequest {
    pub(super) fn read(mut body: Fields) -> Result<Self> {
        let message: String = body.require("message")?;
        if message.trim().is_empty() {
            return Err(body.wrong("message", "it is empty; write what the model is to answer"));
        }
        let temperature: Option<f64> = body.take("temperature")?;
        if temperature.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
            return Err(body.wrong("temperature", "it must lie between 0.0 and 1.0"));
        }
        let max_tokens: Option<u32> = body.take("max_tokens")?;
        if max_tokens == Some(0) {
            return Err(body.wrong("max_tokens", "it must be at least 1"));
        }
        if let Some(tool) = body.take::<Vec<String>>("tools")?.unwrap_or_default().first() {
            return Err(body.wrong("tools", &format!("there is no tool `{tool}`; GET /api/v1/tools lists them")));
        }
        let request = Self {
            message,
            provider: body.take("provider")?,
            model: body.take("model")?,
            temperature,
            max_tokens,
            conversation_id: body.take("conversation_id")?,
        };
        match body.into_extra().first() {
            None => Ok(request),
            Some(field) => Err(Error::caller(
                Kind::InvalidValue,
                format!("Unknown field: {}; known are {}", field.name, KNOWN.join(", ")),
            )
            .with_param(field.name.clone())),
        }
    }
}

// === impl TokensUsed ===

impl From<Usage> for TokensUsed {
    fn from(usage: Usage) -> Self {
        Self { input: usage.input, output: usage.output, total: usage.total() }
    }
}

// === impl StreamEvent ===

impl StreamEvent<'_> {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Start { .. } => "start",
            Self::Token { .. } => "token",
            Self::Thinking { .. } => "thinking",
            Self::ToolCall { .. } => "tool_call",
            Self::Error { .. } => "error",
            Self::End { .. } => "end",
        }
    }
}

/// How an answer ended, where it isn't simply complete.
pub(super) fn stop_reason(stop: Option<&Stop>) -> Option<&'static str> {
    match stop?.reason {
        StopReason::Complete | StopReason::StopSequence | StopReason::ToolCalls => None,
        StopReason::Length => Some("length"),
        StopReason::Refusal => Some("refusal"),
        StopReason::Pause => Some("pause"),
    }
}
