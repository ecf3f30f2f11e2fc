//! Adding up usage, which comes in parts: what was read with the beginning of an answer, what was written with its end.

use mortise_sdk::chat::{Field, Usage};
use mortise_sdk::provider::Error;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::fields::Fields;

/// Counts that the chat model has a name for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    input: u64,
    cache_read: u64,
    cache_write: u64,
    cache_write_hour: u64,
    output: u64,
    reasoning: u64,
}

/// What is known of the usage so far.
#[derive(Debug, Default)]
pub(crate) struct Tally(Counts);

// === impl Tally ===

impl Tally {
    /// Takes counts in. Gives the usage if that changed it, and what has no name. Counts only grow, so a zero changes nothing.
    pub(crate) fn add(&mut self, usage: &RawValue) -> Result<(Option<Usage>, Vec<Field>), Error> {
        let before = self.0;
        let mut fields = Fields::read(usage)?;
        let mut details = fields.take("output_tokens_details").map(Fields::read).transpose()?.unwrap_or_default();
        let counts = &mut self.0;
        replace(&mut counts.input, fields.value("input_tokens")?);
        replace(&mut counts.cache_read, fields.value("cache_read_input_tokens")?);
        replace(&mut counts.cache_write, fields.value("cache_creation_input_tokens")?);
        replace(&mut counts.output, fields.value("output_tokens")?);
        replace(&mut counts.reasoning, details.value("thinking_tokens")?);
        let mut unnamed = unnamed("usage.output_tokens_details", &details);
        if let Some(by_time) = fields.take("cache_creation") {
            unnamed.extend(self::unnamed("usage.cache_creation", &Fields::read(by_time)?));
            // Callers of the same dialect are told it in its own words too.
            let hour = Fields::read(by_time)?.value("ephemeral_1h_input_tokens")?;
            replace(&mut self.0.cache_write_hour, hour);
        }
        unnamed.extend(self::unnamed("usage", &fields));
        Ok(((self.0 != before).then(|| self.0.usage()), unnamed))
    }
}

// === impl Counts ===

impl Counts {
    fn usage(self) -> Usage {
        Usage {
            // The vendor counts what it read from its cache, or wrote to it, beside the rest.
            input: self.input.saturating_add(self.cache_read).saturating_add(self.cache_write),
            output: self.output,
            cache_read: self.cache_read,
            cache_write: self.cache_write,
            cache_write_hour: self.cache_write_hour,
            reasoning: self.reasoning,
            cost: None,
        }
    }
}

fn replace(count: &mut u64, new: Option<u64>) {
    *count = new.filter(|new| *new != 0).unwrap_or(*count);
}

/// Counts that have no name here, unless they count nothing. Their names tell where they stood.
fn unnamed(place: &str, fields: &Fields<'_>) -> Vec<Field> {
    let counted = fields.rest().filter(|(_, value)| {
        let value = serde_json::from_str::<Value>(value.get());
        !value.is_ok_and(|value| counts_nothing(&value))
    });
    counted.map(|(name, value)| Field::new(format!("{place}.{name}"), value.get())).collect()
}

fn counts_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.values().all(counts_nothing),
        Value::Bool(_) | Value::String(_) => false,
    }
}
