//! A run: what an agent was told to do, what it may do, how far it has come, and what came of it.
//!
//! Everything here is stored as it stands; a field that is added later needs a default.

mod event;
mod rules;

use serde::{Deserialize, Serialize};

pub use event::{Body, Event};
pub use rules::{Approval, Mode, Pattern, Rules, Verdict};

use super::chat::Usage;

/// One run.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Run {
    /// Names it.
    pub id: String,
    /// The session that it belongs to.
    pub session: Option<String>,
    /// Whose it is.
    pub owner: String,
    /// On whose behalf it asks models.
    pub asker: Asker,
    /// What is to be done.
    pub description: String,
    /// What the model is told before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The provider that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The model that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Which tools there are for it.
    pub reach: Reach,
    /// Where it may read and write files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// What it may do.
    pub rules: Rules,
    /// When it has had enough.
    pub limits: Limits,
    /// How it is.
    pub status: Status,
    /// How far it has come.
    pub progress: Progress,
    /// What came of it; absent while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Outcome>,
    /// When it was made.
    pub created_at: String,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
}

/// A caller, as a run remembers it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Asker {
    /// See `Caller`.
    pub principal: String,
    /// Whether the caller is known by a key.
    pub known: bool,
    /// The account or the kept key that asked, which may have changed when the run is picked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<AskingMember>,
    /// From where.
    pub address: String,
    /// The part of the API that was asked.
    pub surface: String,
}

/// An account, or a key that is kept, as a run remembers it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct AskingMember {
    /// See `Member`.
    pub id: String,
    /// The key that was shown, where it wasn't a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// Which tools there are for a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// Those that stay within the workspace.
    #[default]
    Offline,
    /// Those of the web too.
    Browse,
    /// All of them, and questions to whoever watches.
    Interactive,
}

/// When a run has had enough; nothing is without bound.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Limits {
    /// Answers of the model.
    pub iterations: u32,
    /// Seconds at work; waiting for people isn't counted.
    pub seconds: u64,
    /// Tokens, read and written.
    pub tokens: u64,
    /// US dollars, as far as prices are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
}

/// How a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Not yet begun.
    Pending,
    /// At work.
    Running,
    /// For a person's answer.
    Waiting,
    /// Done.
    Completed,
    /// It could not be done, or not within its limits.
    Failed,
    /// Somebody stopped it.
    Stopped,
    /// The server ended in the middle of it, and it can't go on.
    Interrupted,
}

/// How far a run has come.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Progress {
    /// Answers of the model that are whole.
    pub iterations: u32,
    /// Messages of the conversation that are stored.
    pub messages: u32,
    /// The newest event when the newest answer was whole.
    pub whole_until: u64,
    /// Tool calls that came to an end.
    pub tool_calls: u32,
    /// What the model took.
    pub usage: Usage,
    /// Milliseconds at work.
    pub worked_ms: u64,
    /// How often it was picked up again since its newest whole step.
    pub restarts: u32,
    /// What it intends to do.
    pub plan: Plan,
    /// Of the newest message's calls, those that were begun: whether the others took effect is no question.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub begun: Vec<u32>,
    /// What a person is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
}

/// What a run intends to do.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Plan {
    /// In order.
    pub steps: Vec<PlanStep>,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct PlanStep {
    /// Names it within the plan.
    pub id: String,
    /// What is to be done.
    pub description: String,
    /// `pending`, `in_progress`, `completed`, `failed` or `skipped`.
    pub status: String,
}

/// What a person is asked: whether a call may be made, or what the model wants to know.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Question {
    /// Names it.
    pub id: String,
    /// Which of the newest message's calls it is about.
    pub call: u32,
    /// The tool.
    pub tool: String,
    /// What the tool would be given.
    pub input: serde_json::Value,
    /// Why it is asked.
    pub reason: String,
    /// When.
    pub asked_at: String,
    /// What the person said; absent while nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Reply>,
}

/// What a person said.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Reply {
    /// Whether the call may be made.
    pub approved: bool,
    /// In words, for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Outcome {
    /// Whether it is done.
    pub success: bool,
    /// In words: the model's last ones, or what went wrong.
    pub summary: String,
    /// What went wrong, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// What a run left; its content stands beside it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Artifact {
    /// Names it.
    pub id: String,
    /// A file's name.
    pub name: String,
    /// `plan`, `diff`, `transcript` or `summary`.
    pub kind: String,
    /// The media type.
    pub mime: String,
    /// Bytes.
    pub size: u64,
    /// When it was made.
    pub created_at: String,
}

// === impl Status ===

impl Status {
    /// Whether nothing more will come.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Stopped | Self::Interrupted)
    }

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
        }
    }
}

// === impl Reach ===

impl std::str::FromStr for Reach {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "offline" => Ok(Self::Offline),
            "browse" => Ok(Self::Browse),
            "interactive" => Ok(Self::Interactive),
            _ => Err(()),
        }
    }
}

/// `sum` is so much more.
pub fn add(sum: &mut Usage, more: &Usage) {
    for (sum, one) in [
        (&mut sum.input, more.input),
        (&mut sum.output, more.output),
        (&mut sum.cache_read, more.cache_read),
        (&mut sum.cache_write, more.cache_write),
        (&mut sum.cache_write_hour, more.cache_write_hour),
        (&mut sum.reasoning, more.reasoning),
    ] {
        *sum = sum.saturating_add(one);
    }
    if let Some(cost) = more.cost {
        sum.cost = Some(sum.cost.unwrap_or_default() + cost);
    }
}
