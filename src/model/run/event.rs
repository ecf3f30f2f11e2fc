//! What happens in a run, as whoever watches is told, and as it is stored: each with a number, without a gap.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Plan, Status};

/// Something happened.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Event {
    /// Counted from 1, within the run.
    pub sequence: u64,
    /// When.
    pub timestamp: String,
    /// What.
    #[serde(flatten)]
    pub body: Body,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Body {
    /// The model said a piece of its answer; pieces that came close together are one.
    Token {
        /// The piece.
        content: String,
    },
    /// The model thought, where it shows that.
    Thinking {
        /// The piece.
        content: String,
    },
    /// A tool is about to be called.
    ToolCall {
        /// Tells calls of the run apart.
        call_id: String,
        /// The tool.
        tool: String,
        /// What it is given; text where the model wrote no JSON.
        input: Value,
    },
    /// How far a call has come.
    ToolProgress {
        /// Which call.
        call_id: String,
        /// The tool.
        tool: String,
        /// From 0 to 1, where the tool knows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fraction: Option<f32>,
        /// In the tool's own words.
        message: String,
    },
    /// A call came to its end.
    ToolResult {
        /// Which call.
        call_id: String,
        /// The tool.
        tool: String,
        /// What it said.
        output: String,
        /// Whether it did what it should.
        success: bool,
        /// How long it took.
        duration_ms: u64,
    },
    /// The plan is another one.
    PlanUpdate {
        /// All of it.
        plan: Plan,
    },
    /// How the run is has changed.
    Status {
        /// How it is.
        status: Status,
        /// Why, for people.
        message: String,
        /// Pieces of an answer behind this number were never finished, and the model says it anew.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        discard_after: Option<u64>,
    },
    /// The run can't go on.
    Error {
        /// Why, for people.
        error: String,
        /// For programs.
        code: String,
    },
    /// Somebody is asked whether a call may be made, or what the model wants to know.
    ApprovalRequested {
        /// Names the question.
        approval_id: String,
        /// The tool.
        tool: String,
        /// What it would be given.
        input: Value,
        /// Why it is asked.
        reason: String,
    },
    /// Somebody answered.
    ApprovalResolved {
        /// Which question.
        approval_id: String,
        /// Whether the call may be made.
        approved: bool,
        /// In words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Somebody said something to the model.
    Input {
        /// The words.
        content: String,
    },
}

// === impl Body ===

impl Body {
    /// The event's name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Token { .. } => "token",
            Self::Thinking { .. } => "thinking",
            Self::ToolCall { .. } => "tool_call",
            Self::ToolProgress { .. } => "tool_progress",
            Self::ToolResult { .. } => "tool_result",
            Self::PlanUpdate { .. } => "plan_update",
            Self::Status { .. } => "status",
            Self::Error { .. } => "error",
            Self::ApprovalRequested { .. } => "approval_requested",
            Self::ApprovalResolved { .. } => "approval_resolved",
            Self::Input { .. } => "input",
        }
    }

    /// Whether nothing comes after it.
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Status { status, .. } if status.is_over())
    }
}
