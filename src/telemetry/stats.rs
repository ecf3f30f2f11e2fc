//! What `/api/v1/status` says of providers.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What became of the providers since the start.
#[derive(Debug, Default)]
pub struct Stats {
    providers: Mutex<BTreeMap<String, ProviderStats>>,
}

/// Counts of one provider.
#[derive(Clone, Debug, Default)]
pub struct ProviderStats {
    /// Operations that were begun.
    pub requests: u64,
    /// In a word of ours, why the newest operation failed that says something of the provider, if none succeeded since. What
    /// the vendor wrote isn't kept: it was meant for one caller, and all callers read this.
    pub error: Option<&'static str>,
}

// === impl Stats ===

impl Stats {
    /// Provider `name` is asked.
    pub fn asked(&self, name: &str) {
        self.with(name, |provider| provider.requests += 1);
    }

    /// Provider `name` answered, or failed with `error`.
    pub fn answered(&self, name: &str, error: Option<&'static str>) {
        self.with(name, |provider| provider.error = error);
    }

    /// Counts of provider `name`.
    pub fn provider(&self, name: &str) -> ProviderStats {
        self.providers.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned().unwrap_or_default()
    }

    fn with(&self, name: &str, change: impl FnOnce(&mut ProviderStats)) {
        let mut providers = self.providers.lock().unwrap_or_else(PoisonError::into_inner);
        match providers.get_mut(name) {
            Some(provider) => change(provider),
            None => change(providers.entry(name.to_owned()).or_default()),
        }
    }
}
