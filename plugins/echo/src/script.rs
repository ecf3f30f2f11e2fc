//! An answer before it is spoken: steps in order, cut to the limits of the request.

use mortise_sdk::chat::{Stop, StopReason};
use mortise_sdk::provider::Error;

use crate::words;

/// One step of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A word of the text.
    Say(String),
    /// A word of thinking.
    Think(String),
    /// A word of a refusal.
    Refuse(String),
    /// A whole tool call.
    Call { id: String, name: String, arguments: String },
    /// From here on, so many milliseconds before each word.
    Wait(u32),
    /// The end, with an error.
    Fail(Error),
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
            () if has(|step| matches!(step, Step::Refuse(_))) => StopReason::Refusal,
            () => StopReason::Complete,
        });
        Self { steps, stop: Stop { reason, sequence: None } }
    }

    /// Ends the answer before the first of these sequences in its text.
    pub(crate) fn stop_at(&mut self, sequences: &[String]) {
        let said = |step: &Step| if let Step::Say(word) = step { word.len() } else { 0 };
        let text: String = self
            .steps
            .iter()
            .filter_map(|step| if let Step::Say(word) = step { Some(word.as_str()) } else { None })
            .collect();
        let found = sequences.iter().filter(|sequence| !sequence.is_empty());
        let found = found.filter_map(|sequence| text.find(sequence.as_str()).map(|at| (at, sequence)));
        let Some((end, sequence)) = found.min_by_key(|(at, _)| *at) else { return };
        let mut before = 0;
        let mut kept = 0;
        for step in &mut self.steps {
            let length = said(step);
            if length > 0 && before + length > end {
                if let Step::Say(word) = step {
                    word.truncate(end - before);
                    kept += usize::from(!word.is_empty());
                }
                break;
            }
            before += length;
            kept += 1;
        }
        self.steps.truncate(kept);
        self.stop = Stop { reason: StopReason::StopSequence, sequence: Some(sequence.clone()) };
    }

    /// Ends the answer after so many tokens.
    pub(crate) fn limit(&mut self, tokens: u64) {
        let mut used = 0;
        let fits = self.steps.iter().position(|step| {
            used += step.tokens();
            used > tokens
        });
        if let Some(kept) = fits {
            self.steps.truncate(kept);
            self.stop = Stop { reason: StopReason::Length, sequence: None };
        }
    }
}

impl Step {
    /// How many tokens this step costs.
    pub(crate) fn tokens(&self) -> u64 {
        match self {
            Self::Say(word) | Self::Think(word) | Self::Refuse(word) => words::count(word),
            Self::Call { name, arguments, .. } => words::count(name) + words::count(arguments),
            Self::Wait(_) | Self::Fail(_) => 0,
        }
    }

    /// Whether a wait comes before it.
    pub(crate) fn is_word(&self) -> bool {
        matches!(self, Self::Say(_) | Self::Think(_) | Self::Refuse(_))
    }
}
