//! What was said and done in a session.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::chat::{self, Part, Stop, Usage};

/// A message, whole, and what is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// A UUID.
    pub id: String,
    /// Its number in the session, from 1 on, without gaps.
    pub sequence: u64,
    /// What was said, as a model would be told it.
    pub message: chat::Message,
    /// Who said it, if a model did.
    #[serde(default)]
    pub provider: Option<String>,
    /// The model that said it.
    #[serde(default)]
    pub model: Option<String>,
    /// What it took, with its price where that is known.
    #[serde(default)]
    pub usage: Option<Usage>,
    /// Why the model stopped, if it did.
    #[serde(default)]
    pub stop: Option<Stop>,
    /// Whether all of it is here: an answer that broke off is kept as far as it came.
    pub complete: bool,
    /// When it was said, or begun.
    pub created: Timestamp,
}

/// A call of a tool, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// A UUID.
    pub id: String,
    /// Its number in the session, from 1 on, without gaps.
    pub number: u64,
    /// The model's name for it.
    #[serde(default)]
    pub call_id: Option<String>,
    /// The number of the message that asked for it.
    #[serde(default)]
    pub message: Option<u64>,
    /// The tool.
    pub tool_name: String,
    /// What it was given.
    pub input: Value,
    /// What it gave back.
    #[serde(default)]
    pub output: Option<Value>,
    /// How it ended, if it did.
    pub status: CallStatus,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<String>,
    /// How long it took.
    #[serde(default)]
    pub duration_ms: Option<u64>,
    /// When it began.
    pub created: Timestamp,
}

/// How a call ended, or that it didn't yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names explain themselves")]
pub enum CallStatus {
    Pending,
    Running,
    Success,
    Error,
    Denied,
}

// === impl Message ===

impl Message {
    /// What was said in words.
    pub fn text(&self) -> String {
        self.message
            .parts
            .iter()
            .filter_map(|part| match part {
                Part::Text(text) | Part::Refusal(text) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }
}

// === impl CallStatus ===

impl CallStatus {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Success => "success",
            Self::Error => "error",
            Self::Denied => "denied",
        }
    }
}
