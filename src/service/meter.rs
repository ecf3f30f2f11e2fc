//! What every call took and cost, by caller, provider and model: a line in the log, and totals.
//!
//! Totals are kept in memory, of so many callers and models at most; who uses them most is forgotten last.

use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::sync::Cache;

use crate::model::chat::Usage;
use crate::telemetry::metrics::Outcome;

/// See the module.
pub struct Meter {
    totals: Cache<Account, Arc<Mutex<Totals>>>,
}

/// Whose totals they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Account {
    /// Who asked.
    pub principal: Arc<str>,
    /// Who was asked.
    pub provider: String,
    /// The provider's name for the model.
    pub model: String,
}

/// What calls took together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// Calls that are over.
    pub calls: u64,
    /// Those of them that failed or were cancelled.
    pub failed: u64,
    /// Those of them whose tokens are an estimate, in whole or in part.
    pub estimated: u64,
    /// Tokens, and US dollars where prices are known.
    pub usage: Usage,
}

/// One call that is over.
pub(super) struct Entry<'e> {
    pub(super) principal: &'e Arc<str>,
    pub(super) provider: &'e str,
    pub(super) model: &'e str,
    pub(super) usage: Usage,
    pub(super) estimated: bool,
    pub(super) outcome: Outcome,
    pub(super) attempts: u32,
}

/// Accounts that are remembered.
const ACCOUNTS: usize = 10_000;
/// Longer names are no models'.
const LONGEST: usize = 128;

// === impl Meter ===

impl Default for Meter {
    fn default() -> Self {
        Self { totals: Cache::new(ACCOUNTS) }
    }
}

impl Meter {
    /// What calls took so far, in the order of their accounts.
    pub fn totals(&self) -> Vec<(Account, Totals)> {
        let read = |totals: &Mutex<Totals>| *totals.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = self.totals.iter().map(|(account, totals)| (account, read(&totals))).collect();
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all
    }

    pub(super) fn record(&self, entry: &Entry<'_>) {
        let Usage { input, output, cache_read, cache_write, cache_write_hour, reasoning, cost } = entry.usage;
        // A caller may name any model, however long.
        let model = if entry.model.len() <= LONGEST { entry.model } else { "other" };
        tracing::info!(
            target: "mortise::usage",
            principal = &**entry.principal,
            provider = entry.provider,
            model,
            input,
            output,
            cache_read,
            cache_write,
            reasoning,
            cost,
            estimated = entry.estimated,
            outcome = entry.outcome.as_str(),
            attempts = entry.attempts,
            "a call is over"
        );
        let account = Account {
            principal: entry.principal.clone(),
            provider: entry.provider.to_owned(),
            model: model.to_owned(),
        };
        let fresh = || Ok::<_, std::convert::Infallible>(Arc::default());
        let totals = match self.totals.get_or_insert_with(&account, fresh) {
            Ok(totals) => totals,
            Err(never) => match never {},
        };
        let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
        totals.calls += 1;
        totals.failed += u64::from(entry.outcome != Outcome::Ok);
        totals.estimated += u64::from(entry.estimated);
        let sum = &mut totals.usage;
        for (sum, one) in [
            (&mut sum.input, input),
            (&mut sum.output, output),
            (&mut sum.cache_read, cache_read),
            (&mut sum.cache_write, cache_write),
            (&mut sum.cache_write_hour, cache_write_hour),
            (&mut sum.reasoning, reasoning),
        ] {
            *sum = sum.saturating_add(one);
        }
        if let Some(cost) = cost {
            sum.cost = Some(sum.cost.unwrap_or_default() + cost);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(meter: &Meter, principal: &str, model: &str, usage: Usage, outcome: Outcome) {
        let principal = &principal.into();
        meter.record(&Entry { principal, provider: "p", model, usage, estimated: false, outcome, attempts: 1 });
    }

    #[test]
    fn totals_are_by_caller_and_model() {
        let meter = Meter::default();
        let usage = |input, cost| Usage { input, cost, ..Usage::default() };
        record(&meter, "alice", "m", usage(3, Some(0.25)), Outcome::Ok);
        record(&meter, "alice", "m", usage(4, None), Outcome::Cancelled);
        record(&meter, "alice", "n", usage(5, None), Outcome::Ok);
        record(&meter, "bob", &"m".repeat(LONGEST + 1), usage(6, Some(0.5)), Outcome::Upstream);
        let all = meter.totals();
        let told: Vec<_> = all
            .iter()
            .map(|(account, totals)| (&*account.principal, &*account.model, totals.calls, totals.failed, totals.usage))
            .collect();
        assert_eq!(
            told,
            [
                ("alice", "m", 2, 1, usage(7, Some(0.25))),
                ("alice", "n", 1, 0, usage(5, None)),
                ("bob", "other", 1, 1, usage(6, Some(0.5))),
            ]
        );
    }

    #[test]
    fn strangers_fill_nothing() {
        let meter = Meter::default();
        for number in 0..5 * ACCOUNTS {
            record(&meter, &number.to_string(), "m", Usage::default(), Outcome::Ok);
        }
        assert!(meter.totals().len() <= ACCOUNTS + ACCOUNTS / 10, "{}", meter.totals().len());
    }
}
