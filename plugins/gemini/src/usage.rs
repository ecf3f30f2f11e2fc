//! Counting tokens as everybody here counts them.

use mortise_sdk::chat::{Field, Usage};
use mortise_sdk::fields::Fields;
use mortise_sdk::provider::Error;

/// What is known of the usage so far; every chunk repeats it, sometimes in part.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    prompt: u64,
    tool_prompt: u64,
    candidates: u64,
    thoughts: u64,
    cached: u64,
    last: Usage,
}

impl Tally {
    /// Takes counts in, and gives the usage if that changed it.
    pub(crate) fn add(&mut self, counts: &mut Fields<'_>) -> Result<Option<Usage>, Error> {
        let places = [
            ("promptTokenCount", &mut self.prompt),
            // What the vendor's own tools read.
            ("toolUsePromptTokenCount", &mut self.tool_prompt),
            ("candidatesTokenCount", &mut self.candidates),
            ("thoughtsTokenCount", &mut self.thoughts),
            ("cachedContentTokenCount", &mut self.cached),
        ];
        for (name, place) in places {
            *place = counts.take::<u64>(name)?.filter(|count| *count != 0).unwrap_or(*place);
        }
        counts.skip(&["totalTokenCount"]);
        let usage = Usage {
            input: self.prompt.saturating_add(self.tool_prompt),
            output: self.candidates.saturating_add(self.thoughts),
            cache_read: self.cached,
            reasoning: self.thoughts,
            ..Usage::default()
        };
        let changed = usage != self.last;
        self.last = usage;
        Ok(changed.then_some(usage))
    }
}

/// Counts that have no name here, under the place where they stood.
pub(crate) fn unnamed(counts: &Fields<'_>) -> Vec<Field> {
    counts.rest().map(|(name, value)| Field::new(format!("usage.{name}"), value)).collect()
}
