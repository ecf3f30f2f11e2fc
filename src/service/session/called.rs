//! Calls of tools, as whoever made them tells of them.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use crate::model::session::{CallStatus, ToolCall};

/// A call of a tool that is over.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "they are the call's")]
pub struct Called {
    pub call_id: Option<String>,
    pub message: Option<u64>,
    pub tool_name: String,
    pub input: serde_json::Value,
    pub output: Option<serde_json::Value>,
    pub status: CallStatus,
    pub error: Option<String>,
    pub duration: Option<Duration>,
}

// === impl Called ===

impl Called {
    pub(super) fn record(self, created: Timestamp) -> ToolCall {
        let duration = self.duration.map(|duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
        ToolCall {
            id: Uuid::now_v7().to_string(),
            number: 0,
            call_id: self.call_id,
            message: self.message,
            tool_name: self.tool_name,
            input: self.input,
            output: self.output,
            status: self.status,
            error: self.error,
            duration_ms: duration,
            created,
        }
    }
}
