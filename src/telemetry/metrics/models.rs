//! Counts of what providers did, by provider and model.
//!
//! A caller may name any model, so a name becomes a label only once it was admitted, and of each provider only so many are.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::exposition::Exposition;
use super::families;
use super::histogram::Histogram;

/// See the module.
#[derive(Debug, Default)]
pub struct Models {
    providers: RwLock<BTreeMap<String, Arc<ProviderCounts>>>,
}

/// Counts of one provider.
#[derive(Debug, Default)]
pub struct ProviderCounts {
    first_token: Histogram,
    circuit_open: AtomicBool,
    models: RwLock<HashMap<String, Arc<ModelCounts>>>,
}

/// Counts of one model of one provider.
#[derive(Debug, Default)]
pub struct ModelCounts {
    outcomes: [AtomicU64; Outcome::ALL.len()],
    duration: Histogram,
    tokens: [AtomicU64; DIRECTIONS.len()],
    nanodollars: AtomicU64,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names explain themselves")]
pub enum Outcome {
    Ok,
    /// The caller asked for what can't be.
    Invalid,
    /// The caller went before it was over.
    Cancelled,
    RateLimited,
    Timeout,
    Upstream,
    Plugin,
    Internal,
}

const DIRECTIONS: [&str; 5] = ["input", "output", "cache_read", "cache_write", "reasoning"];

/// Models of one provider that are told apart.
pub(super) const MODELS: usize = 100;
/// How many of them may be names that a vendor answered with and that nobody else knows.
const ANSWERED: usize = 50;
/// Longer names are no models'.
const LONGEST: usize = 128;
/// Whatever isn't told apart.
const OTHER: &str = "other";

// === impl Outcome ===

impl Outcome {
    const ALL: [Self; 8] = [
        Self::Ok,
        Self::Invalid,
        Self::Cancelled,
        Self::RateLimited,
        Self::Timeout,
        Self::Upstream,
        Self::Plugin,
        Self::Internal,
    ];

    /// As a label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Invalid => "invalid",
            Self::Cancelled => "cancelled",
            Self::RateLimited => "rate_limited",
            Self::Timeout => "timeout",
            Self::Upstream => "upstream",
            Self::Plugin => "plugin",
            Self::Internal => "internal",
        }
    }
}

// === impl Models ===

impl Models {
    /// The counts of `provider`, whose name the operator gave, or a plugin.
    pub fn provider(&self, provider: &str) -> Arc<ProviderCounts> {
        if let Some(counts) = self.providers.read().unwrap_or_else(PoisonError::into_inner).get(provider) {
            return counts.clone();
        }
        let mut providers = self.providers.write().unwrap_or_else(PoisonError::into_inner);
        providers.entry(provider.to_owned()).or_default().clone()
    }

    pub(super) fn write(&self, out: &mut Exposition<'_>) -> Result<(), Error> {
        let providers: Vec<(String, Arc<ProviderCounts>)> = {
            let known = self.providers.read().unwrap_or_else(PoisonError::into_inner);
            known.iter().map(|(name, counts)| (name.clone(), counts.clone())).collect()
        };
        let models: Vec<(&str, String, Arc<ModelCounts>)> = providers
            .iter()
            .flat_map(|(name, counts)| counts.sorted().into_iter().map(move |(model, counts)| (&**name, model, counts)))
            .collect();
        out.counter(
            &families::PROVIDER_REQUESTS,
            models.iter().flat_map(|(provider, model, counts)| {
                let told = Outcome::ALL.iter().zip(&counts.outcomes);
                told.filter_map(|(outcome, count)| {
                    let labels = [provider.to_string(), model.clone(), outcome.as_str().to_owned()];
                    some(count).map(|count| (labels, count))
                })
            }),
        )?;
        out.histogram(
            &families::PROVIDER_DURATION,
            models.iter().filter_map(|(provider, model, counts)| {
                Some(([provider.to_string(), model.clone()], counts.duration.read()?))
            }),
        )?;
        out.histogram(
            &families::FIRST_TOKEN,
            providers.iter().filter_map(|(name, counts)| Some(([name.clone()], counts.first_token.read()?))),
        )?;
        out.gauge(
            &families::CIRCUIT_OPEN,
            providers
                .iter()
                .map(|(name, counts)| ([name.clone()], u64::from(counts.circuit_open.load(Ordering::Relaxed)))),
        )?;
        out.counter(
            &families::TOKENS,
            models.iter().flat_map(|(provider, model, counts)| {
                DIRECTIONS.iter().zip(&counts.tokens).filter_map(|(direction, count)| {
                    let labels = [provider.to_string(), model.clone(), (*direction).to_owned()];
                    some(count).map(|count| (labels, count))
                })
            }),
        )?;
        out.counter(
            &families::COST,
            models.iter().filter_map(|(provider, model, counts)| {
                let nanodollars = some(&counts.nanodollars)?;
                Some(([provider.to_string(), model.clone()], nanodollars as f64 / 1e9))
            }),
        )
    }
}

fn some(count: &AtomicU64) -> Option<u64> {
    Some(count.load(Ordering::Relaxed)).filter(|count| *count > 0)
}

// === impl ProviderCounts ===

impl ProviderCounts {
    /// A streamed answer's first word came after `time`.
    pub fn first_token(&self, time: Duration) {
        self.first_token.observe(time);
    }

    /// It is passed over from now on, or no longer.
    pub fn circuit(&self, open: bool) {
        self.circuit_open.store(open, Ordering::Relaxed);
    }

    /// The counts of `model` if it was admitted before.
    pub fn known(&self, model: &str) -> Option<Arc<ModelCounts>> {
        self.models.read().unwrap_or_else(PoisonError::into_inner).get(model).cloned()
    }

    /// The label of `model` and its counts: its name where it fits, else `other`. Only for names that the operator or the
    /// plugin vouches for.
    pub fn admit<'a>(&self, model: &'a str) -> (&'a str, Arc<ModelCounts>) {
        self.admit_below(MODELS, model)
    }

    /// The same for a name that only a vendor answered with: such names leave room for those that are vouched for.
    pub fn admit_answered<'a>(&self, model: &'a str) -> (&'a str, Arc<ModelCounts>) {
        self.admit_below(ANSWERED, model)
    }

    /// The label and the counts of models that nobody vouches for.
    pub fn other(&self) -> (&'static str, Arc<ModelCounts>) {
        self.admit(OTHER)
    }

    fn admit_below<'a>(&self, most: usize, model: &'a str) -> (&'a str, Arc<ModelCounts>) {
        if let Some(counts) = self.known(model) {
            return (model, counts);
        }
        let sound = !model.is_empty() && model.len() <= LONGEST && !model.chars().any(char::is_control);
        let mut models = self.models.write().unwrap_or_else(PoisonError::into_inner);
        // Another request may have admitted it meanwhile.
        let fits = sound && (models.len() < most || models.contains_key(model));
        let label = if fits { model } else { OTHER };
        (label, models.entry(label.to_owned()).or_default().clone())
    }

    fn sorted(&self) -> Vec<(String, Arc<ModelCounts>)> {
        let models = self.models.read().unwrap_or_else(PoisonError::into_inner);
        let mut models: Vec<_> = models.iter().map(|(name, counts)| (name.clone(), counts.clone())).collect();
        models.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        models
    }
}

// === impl ModelCounts ===

impl ModelCounts {
    /// An operation ended so, after `time`.
    pub fn end(&self, outcome: Outcome, time: Duration) {
        let index = Outcome::ALL.iter().position(|known| *known == outcome);
        if let Some(count) = index.and_then(|index| self.outcomes.get(index)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.duration.observe(time);
    }

    /// The vendor reported these tokens: input, output, and of them cache_read, cache_write and reasoning.
    pub fn tokens(&self, counts: [u64; DIRECTIONS.len()]) {
        for (counter, count) in self.tokens.iter().zip(counts).filter(|(_, count)| *count > 0) {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// It cost so many US dollars.
    pub fn cost(&self, usd: f64) {
        // What is no number, or below nothing, becomes nothing.
        self.nanodollars.fetch_add((usd * 1e9) as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_capped() {
        let provider = Models::default().provider("p");
        for number in 0..10 * MODELS {
            let name = format!("m{number}");
            let (label, counts) = provider.admit(&name);
            assert_eq!(label, if number < MODELS { &name } else { OTHER });
            counts.end(Outcome::Ok, Duration::ZERO);
        }
        for unsound in ["", "a\nb", &"x".repeat(LONGEST + 1)] {
            let (label, counts) = provider.admit(unsound);
            assert_eq!(label, OTHER);
            counts.end(Outcome::Ok, Duration::ZERO);
        }
        assert_eq!(provider.sorted().len(), MODELS + 1);
        let other = some(&provider.other().1.outcomes[0]);
        assert_eq!(other, Some(9 * MODELS as u64 + 3));
        assert!(provider.known("m1").is_some() && provider.known("m500").is_none());
    }

    #[test]
    fn what_vendors_invent_leaves_room() {
        let provider = Models::default().provider("p");
        for number in 0..MODELS {
            let name = format!("m{number}");
            assert_eq!(provider.admit_answered(&name).0, if number < ANSWERED { &name } else { OTHER });
        }
        assert_eq!(provider.admit("vouched").0, "vouched");
        assert_eq!(provider.admit_answered("vouched").0, "vouched");
    }

    #[test]
    fn a_cost_that_is_none_counts_nothing() {
        let counts = ModelCounts::default();
        for usd in [0.000_25, -1.0, f64::NAN] {
            counts.cost(usd);
        }
        assert_eq!(some(&counts.nanodollars), Some(250_000));
    }
}
