//! Adding up usage, which vendors send at once, again and again, or in parts.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::chunk::{Counts, Unknown};
use crate::chat::{Field, Usage};

/// What is known of the usage so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    usage: Usage,
}

impl Tally {
    /// Takes counts in, and gives the usage if that changed it. A zero changes nothing: it stands in parts that are about
    /// the other side.
    pub(super) fn add(&mut self, counts: &Counts<'_>) -> Option<Usage> {
        let before = self.usage;
        let prompt = counts.prompt_details.as_ref();
        let completion = counts.completion_details.as_ref();
        let usage = &mut self.usage;
        replace(&mut usage.input, counts.prompt_tokens);
        replace(&mut usage.output, counts.completion_tokens.map(|written| written + left_out(counts)));
        replace(&mut usage.cache_read, counts.cache_hits);
        replace(&mut usage.cache_read, prompt.and_then(|details| details.cached_tokens));
        replace(&mut usage.cache_write, prompt.and_then(|details| details.cache_write_tokens));
        replace(&mut usage.reasoning, completion.and_then(|details| details.reasoning_tokens));
        usage.cost = counts.cost.and_then(cost).or(usage.cost);
        (self.usage != before).then_some(self.usage)
    }
}

/// The tokens of reasoning that a vendor doesn't count among those of the answer, as its total tells.
fn left_out(counts: &Counts<'_>) -> u64 {
    let reasoning = counts.completion_details.as_ref().and_then(|details| details.reasoning_tokens).unwrap_or(0);
    let sum = counts.prompt_tokens.unwrap_or(0) + counts.completion_tokens.unwrap_or(0);
    if counts.total_tokens == Some(sum + reasoning) { reasoning } else { 0 }
}

/// US dollars: a number, or an object that adds up to one.
fn cost(value: &RawValue) -> Option<f64> {
    #[derive(Deserialize)]
    struct Sum {
        total_cost: f64,
    }
    let number = serde_json::from_str::<f64>(value.get()).ok();
    number.or_else(|| serde_json::from_str::<Sum>(value.get()).ok().map(|sum| sum.total_cost))
}

fn replace(count: &mut u64, new: Option<u64>) {
    *count = new.filter(|new| *new != 0).unwrap_or(*count);
}

/// Counts that have no name here, unless they count nothing. Their names tell where they stood.
pub(super) fn unnamed(counts: &Counts<'_>) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut collect = |place: &str, unknown: &Unknown<'_>| {
        for (name, value) in unknown {
            if !matches!(value.get(), "0" | "0.0" | "{}" | "[]") {
                fields.push(Field::new(format!("{place}.{name}"), value.get()));
            }
        }
    };
    collect("usage", &counts.unknown);
    if let Some(details) = &counts.prompt_details {
        collect("usage.prompt_tokens_details", &details.unknown);
    }
    if let Some(details) = &counts.completion_details {
        collect("usage.completion_tokens_details", &details.unknown);
    }
    fields
}
