//! Counts of what the store did.

use std::fmt::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::exposition::Exposition;
use super::families;
use super::histogram::Histogram;

/// See the module.
#[derive(Debug, Default)]
pub struct StoreCounts {
    commits: AtomicU64,
    batches: AtomicU64,
    failures: AtomicU64,
    syncs: Histogram,
}

// === impl StoreCounts ===

impl StoreCounts {
    /// A transaction of so many batches was committed, which took `time` until it was on disk.
    pub fn committed(&self, batches: u64, time: Duration) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.batches.fetch_add(batches, Ordering::Relaxed);
        self.syncs.observe(time);
    }

    /// Something couldn't be read or written.
    pub fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn write(&self, out: &mut Exposition<'_>) -> Result<(), Error> {
        let count = |count: &AtomicU64| Some(count.load(Ordering::Relaxed)).filter(|n| *n > 0).map(|n| ([], n));
        out.counter(&families::STORE_COMMITS, count(&self.commits))?;
        out.counter(&families::STORE_BATCHES, count(&self.batches))?;
        out.histogram(&families::STORE_SYNC, self.syncs.read().map(|reading| ([], reading)))?;
        out.counter(&families::STORE_FAILURES, count(&self.failures))
    }
}
