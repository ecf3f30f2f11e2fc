//! What stands beside sessions: archives of their workspaces, templates to make them from, and answers to go on from.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Mode;
use crate::model::chat::Message;

/// A workspace in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Archive {
    /// A UUID; names the file too.
    pub id: String,
    /// The session whose workspace it is.
    pub session: String,
    /// Whose it is.
    pub owner: String,
    /// How far it has come.
    pub state: ArchiveState,
    /// Bytes of the file, once it is there.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// Files in it.
    #[serde(default)]
    pub files: Option<u64>,
    /// Why there is none.
    #[serde(default)]
    pub error: Option<String>,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it was there.
    #[serde(default)]
    pub completed: Option<Timestamp>,
}

/// How far an archive has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names explain themselves")]
pub enum ArchiveState {
    InProgress,
    Completed,
    Failed,
}

/// What sessions can be made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// A UUID.
    pub id: String,
    /// Whose it is.
    pub owner: String,
    /// For people.
    pub name: String,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
    /// For people: what it is for.
    #[serde(default)]
    pub category: Option<String>,
    /// Options of sessions that are made from it.
    #[serde(default)]
    pub options: Map<String, Value>,
    /// What models are told before anything else.
    #[serde(default)]
    pub system_prompt: Option<String>,
    /// How those sessions are used.
    #[serde(default)]
    pub mode: Mode,
    /// Whether everybody may use it.
    #[serde(default)]
    pub public: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
}

/// An answer of the Responses API that can be gone on from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// As the caller knows it.
    pub id: String,
    /// Whose it is.
    pub owner: String,
    /// The answer that it goes on from.
    #[serde(default)]
    pub previous: Option<String>,
    /// What was asked, without what the one before knew already.
    pub input: Vec<Message>,
    /// What the model said.
    pub output: Message,
    /// The answer as it was given.
    pub body: Value,
    /// When it was given.
    pub created: Timestamp,
}

// === impl ArchiveState ===

impl ArchiveState {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}
