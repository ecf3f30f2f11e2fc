//! Sessions: what was said and done in one place, by whom it is owned, and how far it has come.
//!
//! One record serves every surface that keeps something: a conversation of the chat surface is a session too. Each surface
//! shows its own view of those that were made there.

mod made;
mod message;
mod status;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use made::{Archive, ArchiveState, Response, Template};
pub use message::{CallStatus, Message, ToolCall};
pub use status::Status;

use super::chat::Usage;

/// A session, without what was said in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// A UUID; `conv-…` where it was made on the chat surface.
    pub id: String,
    /// Whose it is.
    pub owner: String,
    /// Where it was made.
    pub origin: Origin,
    /// For people.
    #[serde(default)]
    pub name: Option<String>,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
    /// How it is used.
    #[serde(default)]
    pub mode: Mode,
    /// How far it has come.
    pub status: Status,
    /// `sdk_options`, as they were given.
    #[serde(default)]
    pub options: Map<String, Value>,
    /// What models are told before anything else.
    #[serde(default)]
    pub system_prompt: Option<String>,
    /// Who is asked, or was asked last.
    #[serde(default)]
    pub provider: Option<String>,
    /// The model that is asked, or was asked last.
    #[serde(default)]
    pub model: Option<String>,
    /// Whether it has a directory of its own.
    #[serde(default)]
    pub workspace: bool,
    /// The directory that the caller named.
    #[serde(default)]
    pub directory: Option<String>,
    /// The template that it was made from.
    #[serde(default)]
    pub template: Option<String>,
    /// What it was forked from.
    #[serde(default)]
    pub parent: Option<Parent>,
    /// The caller's own remarks.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// Why the last turn failed, if it did.
    #[serde(default)]
    pub error: Option<String>,
    /// What it holds and took.
    #[serde(default)]
    pub totals: Totals,
    /// When it was made.
    pub created: Timestamp,
    /// When anything in it changed last.
    pub updated: Timestamp,
    /// When the first turn began.
    #[serde(default)]
    pub started: Option<Timestamp>,
    /// When it was ended.
    #[serde(default)]
    pub completed: Option<Timestamp>,
}

/// Where a session was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The chat surface: a conversation.
    Chat,
    /// The platform surface.
    Platform,
    /// The prompt surface.
    Prompt,
    /// The agent surface.
    Agent,
}

/// How a session is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By somebody who waits for answers.
    #[default]
    Interactive,
    /// By nobody who waits.
    #[serde(alias = "non_interactive")]
    Background,
    /// It began as a copy of another.
    Forked,
}

/// What a session was forked from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The session.
    pub session: String,
    /// The number of the last message that was taken along.
    pub at: u64,
}

/// What a session holds and took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names explain themselves")]
pub struct Totals {
    pub messages: u64,
    pub tool_calls: u64,
    pub turns: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cost: Cost,
}

/// US dollars in units of 10⁻¹²: sums of them are exact, in whatever order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cost(pub i64);

/// Who works in a session; nobody else may meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Names the turn.
    pub holder: String,
    /// When it is nobody's any more, unless it is renewed.
    pub until: Timestamp,
    /// The session's owner.
    pub owner: String,
    /// The session.
    pub session: String,
}

// === impl Session ===

impl Session {
    /// Whether it is listed and looked up by an id that callers may shorten.
    pub fn is_listed(&self) -> bool {
        self.origin != Origin::Chat
    }
}

// === impl Origin ===

impl Origin {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Platform => "platform",
            Self::Prompt => "prompt",
            Self::Agent => "agent",
        }
    }
}

// === impl Mode ===

impl Mode {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Background => "background",
            Self::Forked => "forked",
        }
    }

    /// What is written so.
    pub fn read(text: &str) -> Option<Self> {
        match text {
            "interactive" => Some(Self::Interactive),
            "background" | "non_interactive" => Some(Self::Background),
            "forked" => Some(Self::Forked),
            _ => None,
        }
    }
}

// === impl Totals ===

impl Totals {
    /// Adds what an answer took.
    pub fn took(&mut self, usage: &Usage) {
        self.input_tokens = self.input_tokens.saturating_add(usage.input);
        self.output_tokens = self.output_tokens.saturating_add(usage.output);
        if let Some(dollars) = usage.cost {
            self.cost = self.cost.plus(Cost::of(dollars));
        }
    }
}

// === impl Cost ===

/// Units in a dollar.
const DOLLAR: f64 = 1e12;

impl Cost {
    /// So many dollars, to the nearest unit.
    #[expect(clippy::cast_possible_truncation, reason = "casts from floats saturate, and what is no number is nothing")]
    pub fn of(dollars: f64) -> Self {
        Self((dollars * DOLLAR).round() as i64)
    }

    /// As dollars.
    #[expect(
        clippy::cast_precision_loss,
        reason = "below 9000 dollars nothing is lost, and above it nothing that counts"
    )]
    pub fn dollars(self) -> f64 {
        self.0 as f64 / DOLLAR
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_money_are_exact() {
        let tenth = Cost::of(0.1);
        let sum = (0..10).fold(Cost::default(), |sum, _| sum.plus(tenth));
        assert_eq!(sum.dollars(), 1.0);
        assert_eq!(Cost::of(0.000_000_037_5).dollars(), 0.000_000_037_5);
        assert_eq!(Cost::of(f64::NAN), Cost(0));
    }

    #[test]
    fn modes_are_read_as_they_are_written() {
        for mode in [Mode::Interactive, Mode::Background, Mode::Forked] {
            assert_eq!(Mode::read(mode.as_str()), Some(mode));
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.as_str());
        }
    }
}
