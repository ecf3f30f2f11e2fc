//! The JSON of the chat surface.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::speaker::PATTERN;
use crate::http::Fields;
use crate::model::chat::{Stop, StopReason, Usage};
use crate::model::run::Pattern;
use crate::model::{Error, Kind, Result};

/// One message to a model.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ChatRequest {
    /// What the model is to answer; not blank.
    #[schemars(regex(pattern = r"\S"))]
    pub(super) message: String,
    /// Who is asked; without it, who has the model, or the server's default.
    pub(super) provider: Option<String>,
    /// Which model: its name, `provider/model`, or nothing for the provider's default.
    pub(super) model: Option<String>,
    /// How freely the model chooses its words.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub(super) temperature: Option<f64>,
    /// The longest answer, in tokens.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub(super) max_tokens: Option<u32>,
    /// The conversation that goes on, as an earlier answer named it.
    pub(super) conversation_id: Option<String>,
    /// Names of tools that the model may use, such as `calculate`; the server calls them.
    #[schemars(inner(regex(pattern = PATTERN)))]
    pub(super) tools: Option<Vec<String>>,
}

const KNOWN: [&str; 7] = ["message", "provider", "model", "temperature", "max_tokens", "conversation_id", "tools"];

/// A model's whole answer.
#[derive(Serialize, JsonSchema)]
pub(super) struct ChatResponse<'a> {
    /// Always true: a failure has another status.
    pub(super) success: bool,
    /// What the model said.
    pub(super) response: &'a str,
    /// Who answered.
    pub(super) provider: &'a str,
    /// Which model answered.
    pub(super) model: &'a str,
    /// Names the conversation, to go on with it.
    pub(super) conversation_id: &'a str,
    /// Null where the vendor didn't tell.
    pub(super) tokens_used: Option<TokensUsed>,
    /// From the request's arrival to the answer's end.
    pub(super) duration_ms: u64,
    /// Names of tools that were used.
    pub(super) tools_used: Vec<String>,
    /// Only there where the answer is not simply complete: a caller must know that it was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_reason: Option<&'static str>,
}

/// What an answer took.
#[derive(Serialize, JsonSchema)]
pub(super) struct TokensUsed {
    /// Tokens that the model read.
    input: u64,
    /// Tokens that it wrote.
    output: u64,
    /// Both together.
    total: u64,
}

/// The data of one event; the event's name is its `type`.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schemars(rename = "ChatEvent")]
pub(super) enum StreamEvent<'a> {
    /// The first one.
    Start {
        /// Names the request.
        request_id: &'a str,
        /// When the stream began.
        timestamp: String,
    },
    /// A piece of the answer.
    Token {
        /// The piece.
        content: &'a str,
        /// How many pieces came before.
        index: u64,
    },
    /// A piece of the model's reasoning, where it shows it.
    Thinking {
        /// The piece.
        content: &'a str,
    },
    /// The model wants a tool to be used.
    ToolCall {
        /// The tool's name.
        tool: &'a str,
        /// What it is given.
        arguments: &'a RawValue,
    },
    /// What came of it.
    ToolResult {
        /// The tool's name.
        tool: &'a str,
        /// What it said.
        result: String,
        /// Whether it did what it should.
        success: bool,
    },
    /// The answer broke off; `end` follows.
    Error {
        /// What happened.
        error: &'a str,
        /// As in the body of a refusal.
        error_code: &'a str,
        /// Names the request.
        request_id: &'a str,
        /// When it happened.
        timestamp: String,
    },
    /// The last one.
    End {
        /// Names the request.
        request_id: &'a str,
        /// When the stream ended.
        timestamp: String,
        /// Only there where the answer is not simply complete.
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
        let max_tokens: Option<u32> = body.take_integer("max_tokens")?;
        if max_tokens == Some(0) {
            return Err(body.wrong("max_tokens", "it must be at least 1"));
        }
        let tools: Option<Vec<String>> = body.take("tools")?;
        if let Some(Err(why)) =
            tools.iter().flatten().map(|name| name.parse::<Pattern>()).find(std::result::Result::is_err)
        {
            return Err(body.wrong("tools", &why));
        }
        let request = Self {
            message,
            provider: body.take("provider")?,
            model: body.take("model")?,
            temperature,
            max_tokens,
            conversation_id: body.take("conversation_id")?,
            tools,
        };
        unknown(body, &KNOWN)?;
        Ok(request)
    }
}

/// Nothing may be left.
pub(super) fn unknown(body: Fields, known: &[&str]) -> Result<()> {
    match body.into_extra().first() {
        None => Ok(()),
        Some(field) => {
            let what = format!("Unknown field: {}; known are {}", field.name, known.join(", "));
            Err(Error::caller(Kind::InvalidValue, what).with_param(field.name.clone()))
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
            Self::ToolResult { .. } => "tool_result",
            Self::Error { .. } => "error",
            Self::End { .. } => "end",
        }
    }
}

/// How an answer ended, where it isn't simply complete.
pub(super) fn stop_reason(stop: Option<&Stop>) -> Option<&'static str> {
    reason(stop?.reason)
}

/// The same of a reason.
pub(super) fn reason(reason: StopReason) -> Option<&'static str> {
    match reason {
        StopReason::Complete | StopReason::StopSequence | StopReason::ToolCalls => None,
        StopReason::Length => Some("length"),
        StopReason::Refusal => Some("refusal"),
        StopReason::Pause => Some("pause"),
    }
}
