//! What every version of a plugin has, whatever its world: limits, counts, and how its guests are doing.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::state::Slowness;
use crate::config;
use crate::model::{Error, Fault, Kind, Result};
use crate::telemetry::metrics::PluginCounts;

/// See the module.
pub(super) struct Vitals {
    pub(super) id: Arc<str>,
    pub(super) limits: config::Limits,
    quarantine: config::Quarantine,
    active: AtomicUsize,
    /// See [`Slowness`].
    pub(super) slowness: Arc<Slowness>,
    traps: AtomicU64,
    /// Of all versions of the plugin.
    pub(super) counts: Arc<PluginCounts>,
    trouble: Mutex<Trouble>,
    /// What a guest was last kept from, and what would allow it.
    denial: Mutex<Option<String>>,
}

/// Traps since the last work that ended well.
#[derive(Default)]
struct Trouble {
    in_a_row: u32,
    until: Option<Instant>,
    last: String,
}

/// Counts work in progress for as long as it lives.
pub(super) struct Active(Arc<Vitals>);

// === impl Vitals ===

impl Vitals {
    pub(super) fn new(
        id: &str,
        limits: config::Limits,
        quarantine: config::Quarantine,
        counts: Arc<PluginCounts>,
    ) -> Self {
        Self {
            id: id.into(),
            limits,
            quarantine,
            active: AtomicUsize::new(0),
            slowness: Arc::default(),
            traps: AtomicU64::new(0),
            counts,
            trouble: Mutex::default(),
            denial: Mutex::default(),
        }
    }

    /// A guest was stopped: counts it, and says so. `why` is for the caller, `cause` for the log.
    pub(super) fn trapped(&self, why: &str, cause: &wasmtime::Error) -> Error {
        self.traps.fetch_add(1, Ordering::Relaxed);
        self.counts.trapped();
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.in_a_row = trouble.in_a_row.saturating_add(1);
        trouble.last = why.to_owned();
        if trouble.in_a_row >= self.quarantine.traps {
            trouble.until = Some(Instant::now() + self.quarantine.pause);
        }
        drop(trouble);
        Error::new(Kind::Plugin, Fault::Plugin, format!("plugin `{}` was stopped: {why}", self.id))
            .with_private(format!("{cause:#}"))
    }

    /// Work ended as it should.
    pub(super) fn well(&self) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.in_a_row > 0 {
            *trouble = Trouble::default();
        }
    }

    /// Lets a request through, unless the version is in quarantine; after each pause one request tries again.
    pub(super) fn admit(&self) -> Result<()> {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(until) = trouble.until else { return Ok(()) };
        let now = Instant::now();
        if now >= until {
            trouble.until = Some(now + self.quarantine.pause);
            return Ok(());
        }
        Err(Error::new(Kind::Unavailable, Fault::Plugin, quarantined(&self.id, &trouble))
            .with_retry_after(Some(until.duration_since(now).max(Duration::from_secs(1)))))
    }

    /// Begins work, if there isn't too much of it.
    pub(super) fn enter(self: &Arc<Self>) -> Result<Active> {
        let before = self.active.fetch_add(1, Ordering::Relaxed);
        let active = Active(self.clone());
        if before >= self.limits.concurrency {
            return Err(Error::new(
                Kind::Overloaded,
                Fault::Us,
                format!("plugin `{}` is busy; try again, or raise plugins.limits.concurrency", self.id),
            )
            .with_retry_after(Some(Duration::from_secs(1))));
        }
        Ok(active)
    }

    /// A guest was kept from something: `right` is what it lacks, `cure` says so in words.
    pub(super) fn denied(&self, right: &'static str, cure: &str) {
        self.counts.denied(right);
        tracing::warn!(plugin = &*self.id, right, "{cure}");
        *self.denial.lock().unwrap_or_else(PoisonError::into_inner) = Some(cure.to_owned());
    }

    pub(super) fn denial(&self) -> Option<String> {
        self.denial.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn traps(&self) -> u64 {
        self.traps.load(Ordering::Relaxed)
    }

    pub(super) fn active(&self) -> usize {
        self.active.load(Ordering::Relaxed)
    }

    pub(super) fn quarantine(&self) -> Option<String> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.until.map(|_| quarantined(&self.id, &trouble))
    }
}

fn quarantined(id: &str, trouble: &Trouble) -> String {
    format!(
        "plugin `{id}` is in quarantine after {} failures in a row, the last of them: {}; replace its file, or see plugins.quarantine",
        trouble.in_a_row, trouble.last
    )
}

// === impl Active ===

impl Drop for Active {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}
