//! What an agent is set to, and the steps it makes.

use super::calls::{Done, Planned};
use super::hands::Place;
use crate::model::Error;
use crate::model::chat::{Event, StopReason};
use crate::model::run::Rules;
use crate::service::Wish;
use crate::service::answer::Answer;

/// What holds for all of an agent's work.
pub struct Setting {
    /// The provider that is asked for.
    pub provider: Option<String>,
    /// The model that is asked for.
    pub model: Option<String>,
    /// What it wants of the cache of answers.
    pub wish: Wish,
    /// What it may do.
    pub rules: Rules,
    /// Where it works, and for whom.
    pub place: Place,
    /// What bounds it.
    pub bounds: Bounds,
}

/// What bounds an agent.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Answers of the model.
    pub iterations: u32,
    /// Tokens, read and written.
    pub tokens: u64,
    /// US dollars.
    pub cost: Option<f64>,
    /// How often in a row an answer is asked for again that broke off.
    pub retries: u32,
    /// Bytes of a tool's output.
    pub output: usize,
    /// Tokens of a conversation, of models that read less or of which nothing is known.
    pub window: u64,
}

/// One step.
pub enum Step {
    /// The model says something.
    Said(Vec<Event>),
    /// The answer is whole, and part of the conversation.
    Answered(Box<Answer>),
    /// The answer broke off, or never came; it is asked for again.
    Again(Error),
    /// A person must be asked, see [`Agent::answer`].
    Asks(Box<Planned>, String),
    /// These calls are made when the next step is asked for.
    Calls(Vec<Planned>),
    /// A call came to its end, which is part of the conversation.
    Called(Box<Done>),
    /// There is nothing more to do.
    Over(Ending),
}

/// How it ended.
#[derive(Clone, Debug)]
pub enum Ending {
    /// The model has nothing more to do.
    Done(StopReason),
    /// It wants tools that aren't here.
    Foreign,
    /// It had enough.
    Limit(Limit),
}

/// What an agent had enough of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names explain themselves")]
pub enum Limit {
    Iterations,
    Tokens,
    Cost,
    Time,
}

// === impl Ending ===

impl Ending {
    /// As callers are told who asked for an answer.
    pub fn reason(&self) -> StopReason {
        match self {
            Self::Done(reason) => *reason,
            Self::Foreign => StopReason::ToolCalls,
            // As far as it came.
            Self::Limit(_) => StopReason::Length,
        }
    }
}
