//! Counts that `/api/v1/status` shows.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Stats {
    requests: AtomicU64,
    active: AtomicU64,
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

/// Counts a request for as long as it lives.
#[derive(Debug)]
pub struct ActiveRequest(std::sync::Arc<Stats>);

// === impl Stats ===

impl Stats {
    /// A request begins.
    pub fn begin(self: &std::sync::Arc<Self>) -> ActiveRequest {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.active.fetch_add(1, Ordering::Relaxed);
        ActiveRequest(self.clone())
    }

    /// Requests so far.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Requests in progress, streams included.
    pub fn active(&self) -> u64 {
        self.active.load(Ordering::Relaxed)
    }

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

// === impl ActiveRequest ===

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}
