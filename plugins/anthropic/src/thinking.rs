//! How much to think, said in the way that a model understands.
//!
//! Newer models think as they see fit and take an effort in words; older ones take a budget of tokens and no effort (Opus 4.5
//! takes both, but only the budget makes it think). So each way to ask is translated into the other, by the thresholds that
//! the SDK uses for OpenAI: a budget of up to 2,048 tokens is a low effort, up to 8,192 a medium one, more a high one.

use mortise_sdk::chat::{Reasoning, Request, ToolChoice};
use mortise_sdk::provider::Error;

use crate::generation::{Generation, Off, Thinks};

/// The vendor's least budget.
const LEAST: u32 = 1_024;

/// What is written of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thinking<'a> {
    /// Nothing: the model's own way.
    Unsaid,
    Off,
    BetweenTools,
    Budget(u32),
    Effort {
        word: &'a str,
        shown: bool,
    },
}

/// What to write, given the limit of the answer if there is to be one.
pub(crate) fn choose(request: &Request, limit: Option<u32>, lost_its_thoughts: bool) -> Result<Thinking<'_>, Error> {
    let generation = Generation::of(&request.model);
    let Some(reasoning) = &request.reasoning else { return Ok(Thinking::Unsaid) };
    if matches!(reasoning, Reasoning::Budget(0)) || matches!(reasoning, Reasoning::Effort(word) if word == "none") {
        return match generation.off() {
            _ if generation.thinks() == Thinks::Never => Ok(Thinking::Unsaid),
            Off::Disabled => Ok(Thinking::Off),
            Off::BetweenTools => Ok(Thinking::BetweenTools),
            Off::Never => Err(Error::unsupported("this model always thinks: ask for a low reasoning effort instead")),
        };
    }
    let chosen = match (generation.thinks(), reasoning) {
        (Thinks::Never, _) => {
            return Err(Error::unsupported("this model doesn't think: leave reasoning out, or ask a newer one"));
        }
        (Thinks::Budgeted, Reasoning::Effort(word)) => Thinking::Budget(fitting(budget(word)?, limit)?),
        (Thinks::Budgeted | Thinks::Either, Reasoning::Budget(tokens)) => Thinking::Budget(exact(*tokens, limit)?),
        (Thinks::Either | Thinks::Adaptively, Reasoning::Effort(word)) => {
            Thinking::Effort { word: if word == "minimal" { "low" } else { word }, shown: generation.thinks_silently() }
        }
        (Thinks::Adaptively, Reasoning::Budget(tokens)) => {
            let word = match tokens {
                ..=2_048 => "low",
                ..=8_192 => "medium",
                _ => "high",
            };
            Thinking::Effort { word, shown: generation.thinks_silently() }
        }
    };
    match chosen {
        // The vendor would refuse to go on, and the caller can't bring the thoughts back.
        Thinking::Budget(_) if lost_its_thoughts => Ok(Thinking::Unsaid),
        Thinking::Budget(_) if matches!(request.tool_choice, Some(ToolChoice::Required | ToolChoice::Named(_))) => Err(
            Error::unsupported("this model can't think before a call that `tool_choice` forces: leave one of them out"),
        ),
        chosen => Ok(chosen),
    }
}

fn budget(word: &str) -> Result<u32, Error> {
    match word {
        "minimal" => Ok(LEAST),
        "low" => Ok(2_048),
        "medium" => Ok(8_192),
        "high" => Ok(16_384),
        "xhigh" | "max" => Ok(32_000),
        _ => Err(Error::unsupported(
            "the reasoning effort must be `none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max` for this model",
        )),
    }
}

/// A budget that an effort stands for may be less, so that there is room for the answer.
fn fitting(budget: u32, limit: Option<u32>) -> Result<u32, Error> {
    let Some(limit) = limit else { return Ok(budget) };
    let most = if limit / 2 >= LEAST { limit / 2 } else { limit.saturating_sub(1) };
    exact(budget.min(most.max(LEAST)), Some(limit))
}

/// A budget that the caller named is kept, unless it is less than the vendor's least.
fn exact(budget: u32, limit: Option<u32>) -> Result<u32, Error> {
    let budget = budget.max(LEAST);
    match limit {
        Some(limit) if limit <= budget => Err(Error::invalid(format!(
            "the answer's limit of {limit} tokens leaves no room beside {budget} tokens for reasoning: raise it, or leave \
             reasoning out"
        ))),
        _ => Ok(budget),
    }
}
