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
    /// The error of the newest operation that failed for other reasons than the caller's, if none succeeded since.
    pub error: Option<String>,
}

// === impl Stats ===

impl Stats {
    /// Provider `name` is asked.
    pub fn asked(&self, name: &str) {
        self.with(name, |provider| provider.requests += 1);
    }

    /// Provider `name` answered, or failed with `error`.
    pub fn answered(&self, name: &str, error: Option<&str>) {
        self.with(name, |provider| {
            if provider.error.as_deref() != error {
                provider.error = error.map(str::to_owned);
            }
        });
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
