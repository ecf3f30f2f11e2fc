//! What watchers are told, and what they say: the same over WebSocket and as server-sent events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::wire::PlanView;
use crate::model::run::{Body, Event};

/// Something happened in a task. What carries a `sequence` is part of the task's record: these numbers begin with 1 and have no
/// gap, and a watcher that comes back tells the last one it saw.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TaskEvent")]
pub(super) struct TaskEvent {
    /// The event's number within the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sequence: Option<u64>,
    #[serde(flatten)]
    pub(super) what: What,
    /// When it happened.
    pub(super) timestamp: String,
}

/// What happened.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum What {
    /// A piece of the model's answer.
    Token {
        /// The piece.
        content: String,
    },
    /// A piece of the model's reasoning, where it shows it.
    Thinking {
        /// The piece.
        content: String,
    },
    /// A tool is about to be called.
    ToolCall {
        /// The tool's name.
        tool: String,
        /// What it is given.
        input: Value,
        /// Names the call.
        call_id: String,
    },
    /// How far a call has come; a tool may say it, and how often is bounded.
    ToolProgress {
        /// The tool's name.
        tool: String,
        /// Names the call.
        call_id: String,
        /// From 0 to 1, where the tool knows.
        #[serde(skip_serializing_if = "Option::is_none")]
        fraction: Option<f32>,
        /// In the tool's own words.
        message: String,
    },
    /// A call came to its end.
    ToolResult {
        /// The tool's name.
        tool: String,
        /// What it said.
        output: String,
        /// Whether it did what it should.
        success: bool,
        /// Names the call.
        call_id: String,
        /// How long it took.
        duration_ms: u64,
    },
    /// The plan changed.
    PlanUpdate {
        /// All of it.
        plan: PlanView,
    },
    /// How the task is has changed; after `completed`, `failed`, `stopped` and `interrupted` nothing comes.
    Status {
        /// How it is.
        status: &'static str,
        /// Why, for people.
        message: String,
        /// Tokens behind this number belong to an answer that broke off; the model says it anew.
        #[serde(skip_serializing_if = "Option::is_none")]
        discard_after: Option<u64>,
    },
    /// The task can't go on, or (without a number) what the watcher said could not be done.
    Error {
        /// Why, for people.
        error: String,
        /// For programs, such as `MAX_ITERATIONS_REACHED`.
        code: String,
    },
    /// A person is asked whether a call may be made, or what the model wants to know.
    ApprovalRequested {
        /// Names the question.
        approval_id: String,
        /// The tool's name.
        tool: String,
        /// What it would be given.
        input: Value,
        /// Why a person is asked.
        reason: String,
    },
    /// A person has answered.
    ApprovalResolved {
        /// Which question.
        approval_id: String,
        /// Whether the call may be made.
        approved: bool,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A person said something to the agent.
    Input {
        /// The words.
        content: String,
    },
    /// The watcher was too slow; what it missed follows from the task's record.
    Behind {
        /// How many events follow at least.
        missed: u64,
    },
    /// The answer to a `ping`.
    Pong {},
}

/// What a watcher may say.
#[derive(Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "TaskMessage")]
pub(super) enum Said {
    /// Stops the task.
    Stop {},
    /// Tells the agent something.
    Input {
        /// The words.
        content: String,
    },
    /// Lets a call be made that waits for it, or not.
    Approve {
        /// Which one; the one that waits where left out.
        #[serde(default)]
        approval_id: Option<String>,
        /// Whether it may be made.
        #[serde(default = "yes")]
        approved: bool,
        /// Why, in words for the model.
        #[serde(default)]
        reason: Option<String>,
    },
    /// Sends again what comes behind this number.
    Resume {
        /// The last number that was seen.
        after: u64,
    },
    /// Is answered by a `pong`.
    Ping {},
}

fn yes() -> bool {
    true
}

// === impl TaskEvent ===

impl From<Event> for TaskEvent {
    fn from(event: Event) -> Self {
        let what = match event.body {
            Body::Token { content } => What::Token { content },
            Body::Thinking { content } => What::Thinking { content },
            Body::ToolCall { call_id, tool, input } => What::ToolCall { tool, input, call_id },
            Body::ToolProgress { call_id, tool, fraction, message } => {
                What::ToolProgress { tool, call_id, fraction, message }
            }
            Body::ToolResult { call_id, tool, output, success, duration_ms } => {
                What::ToolResult { tool, output, success, call_id, duration_ms }
            }
            Body::PlanUpdate { plan } => What::PlanUpdate { plan: plan.into() },
            Body::Status { status, message, discard_after } => {
                What::Status { status: status.as_str(), message, discard_after }
            }
            Body::Error { error, code } => What::Error { error, code },
            Body::ApprovalRequested { approval_id, tool, input, reason } => {
                What::ApprovalRequested { approval_id, tool, input, reason }
            }
            Body::ApprovalResolved { approval_id, approved, reason } => {
                What::ApprovalResolved { approval_id, approved, reason }
            }
            Body::Input { content } => What::Input { content },
        };
        Self { sequence: Some(event.sequence), what, timestamp: event.timestamp }
    }
}

impl What {
    /// The event's name.
    pub(super) fn name(&self) -> &'static str {
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
            Self::Behind { .. } => "behind",
            Self::Pong {} => "pong",
        }
    }
}
