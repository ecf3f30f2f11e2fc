//! An answer before it is spoken: steps in order, cut to the limits of the request.

use mortise_sdk::chat::{Stop, StopReason};
use mortise_sdk::provider::Error;

use crate::words;

/// One step of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Words that belong together; those of a kind make a block.
    Words(Kind, String),
    /// A whole tool call.
    Call { id: String, name: String, arguments: String },
    /// From here on, so many milliseconds before each word.
    Wait(u32),
    /// The end, with an error.
    Fail(Error),
}

/// What words are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Thinking,
    Refusal,
}

/// All of an answer.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) steps: Vec<Step>,
    pub(crate) stop: Stop,
}

impl Script {
    /// The answer that these steps make. `told` is the reason that a directive gives for stopping.
    pub(crate) fn new(steps: Vec<Step>, told: Option<StopReason>) -> Self {
        let has = |matches: fn(&Step) -> bool| steps.iter().any(matches);
        let reason = told.unwrap_or_else(|| match () {
            () if has(|step| matches!(step, Step::Call { .. })) => StopReason::ToolCalls,
            () if has(|step| matches!(step, Step::Words(Kind::Refusal, _))) => StopReason::Refusal,
            () => StopReason::Complete,
        });
        Self { steps, stop: Stop { reason, sequence: None } }
    }

    /// Ends the answer before the first of these sequences in its text.
    pub(crate) fn stop_at(&mut self, sequences: &[String]) {
        let text: String = self.steps.iter().filter_map(Step::said).collect();
        let found = sequences.iter().filter(|sequence| !sequence.is_empty());
        let found = found.filter_map(|sequence| text.find(sequence.as_str()).map(|at| (at, sequence)));
        let Some((end, sequence)) = found.min_by_key(|(at, _)| *at) else { return };
        let mut before = 0;
        let mut kept = 0;
        for step in &mut self.steps {
            if let Step::Words(Kind::Text, text) = step {
                if before + text.len() > end {
                    text.truncate(end - before);
                    kept += usize::from(!text.is_empty());
                    break;
                }
                before += text.len();
            }
            kept += 1;
        }
        self.steps.truncate(kept);
        self.stop = Stop { reason: StopReason::StopSequence, sequence: Some(sequence.clone()) };
    }

    /// Ends the answer after so many tokens.
    pub(crate) fn limit(&mut self, tokens: u64) {
        let mut left = tokens;
        for (index, step) in self.steps.iter_mut().enumerate() {
            let cost = step.tokens();
            if cost <= left {
                left -= cost;
                continue;
            }
            // Of words, as many as fit.
            let mut kept = index;
            if let (Step::Words(_, text), 1..) = (step, left) {
                text.truncate(words::first(text, left).len());
                kept += 1;
            }
            self.steps.truncate(kept);
            self.stop = Stop { reason: StopReason::Length, sequence: None };
            return;
        }
    }
}

impl Step {
    /// How many tokens this step costs.
    pub(crate) fn tokens(&self) -> u64 {
        match self {
            Self::Words(_, text) => words::count(text),
            Self::Call { name, arguments, .. } => words::count(name) + words::count(arguments),
            Self::Wait(_) | Self::Fail(_) => 0,
        }
    }

    /// Words of the text.
    pub(crate) fn said(&self) -> Option<&str> {
        if let Self::Words(Kind::Text, text) = self { Some(text) } else { None }
    }
}
