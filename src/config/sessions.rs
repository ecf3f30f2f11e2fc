//! `sessions` and `retention`: who waits for whom, and for how long all of it is kept.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::units::{byte_size, duration};

/// Sessions and conversations: who waits for whom, and what they may hold.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    /// How long a question waits for the one before it in the same session or conversation, before it is refused (409).
    #[serde(with = "duration")]
    pub wait: Duration,
    /// How many may wait there; further ones are refused at once.
    pub queue: usize,
    /// Whether a chat that names no conversation is answered only once it is on disk.
    pub wait_for_disk: bool,
    /// What a session's workspace may hold.
    #[serde(with = "byte_size")]
    pub workspace_quota: usize,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { wait: Duration::from_secs(30), queue: 8, wait_for_disk: false, workspace_quota: 1 << 30 }
    }
}

/// For how long what nobody uses is kept; for ever where it is null.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Conversations of the chat surface, from their last message on.
    #[serde(with = "duration::option")]
    pub conversations: Option<Duration>,
    /// Other sessions, from their last change on, with their files.
    #[serde(with = "duration::option")]
    pub sessions: Option<Duration>,
    /// Archives, from when they were made.
    #[serde(with = "duration::option")]
    pub archives: Option<Duration>,
    /// Answers of OpenAI's Responses API that callers let the server keep (`store`).
    #[serde(with = "duration::option")]
    pub responses: Option<Duration>,
    /// Security events of the audit log.
    #[serde(with = "duration::option")]
    pub audit: Option<Duration>,
}

const DAY: Duration = Duration::from_secs(86_400);

impl Default for Retention {
    fn default() -> Self {
        Self {
            conversations: Some(30 * DAY),
            sessions: None,
            archives: Some(90 * DAY),
            responses: Some(30 * DAY),
            audit: Some(365 * DAY),
        }
    }
}
