//! What one instance's store holds, and how its processor time is measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use wasmtime::{Result, UpdateDeadline};

use super::engine::TICK;
use super::limits::Limiter;
use crate::config;

/// What the host knows of the guest in a store.
#[derive(Debug)]
pub(super) struct State {
    /// The plugin's id.
    pub(super) plugin: Arc<str>,
    pub(super) limiter: Limiter,
    pub(super) cpu: Cpu,
    pub(super) log: LogBudget,
    /// Handles to the host's resources that the guest may still ask for.
    pub(super) handles: u32,
}

/// Processor time of the call in progress, measured from the first tick within it: a call that is over before the next tick
/// isn't measured at all.
#[derive(Debug)]
pub(super) struct Cpu {
    budget: Duration,
    since: Option<Duration>,
    slowness: Arc<Slowness>,
}

/// Whether a version's calls take long: so many of them are treated so after each one that did.
#[derive(Debug, Default)]
pub(super) struct Slowness {
    calls: AtomicU32,
}

/// See [`Slowness`].
const SLOW_CALLS: u32 = 100;

/// Bytes that the exchange in progress may still log.
#[derive(Debug)]
pub(super) struct LogBudget {
    whole: usize,
    left: usize,
    told: bool,
}

/// The guest used up its processor time.
#[derive(Debug, thiserror::Error)]
#[error("it ran longer than {} ms of processor time in one call; raise plugins.limits.{} if it has to", .0.as_millis(), .1)]
pub(super) struct OutOfTime(Duration, &'static str);

// === impl State ===

impl State {
    pub(super) fn new(plugin: Arc<str>, limits: &config::Limits, slowness: Arc<Slowness>) -> Self {
        Self {
            plugin,
            limiter: Limiter::new(limits),
            cpu: Cpu { budget: limits.cpu, since: None, slowness },
            log: LogBudget::new(limits.log),
            handles: limits.handles,
        }
    }
}

// === impl Cpu ===

impl Cpu {
    /// A call begins.
    pub(super) fn start(&mut self) {
        self.since = None;
        self.slowness.passed();
    }

    /// The ticker interrupted the call.
    pub(super) fn tick(&mut self) -> Result<UpdateDeadline> {
        // Time of this thread, not of the wall: a guest isn't blamed for a busy machine.
        let now = thread_time();
        let since = *self.since.get_or_insert(now);
        if now.saturating_sub(since) >= TICK / 2 {
            self.slowness.seen();
        }
        if now.saturating_sub(since) >= self.budget {
            return Err(OutOfTime(self.budget, "cpu").into());
        }
        Ok(UpdateDeadline::Continue(1))
    }
}

/// Processor time that this thread has used.
pub(super) fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

// === impl OutOfTime ===

impl OutOfTime {
    /// Of a tool's call.
    pub(super) fn of_tool(budget: Duration) -> Self {
        Self(budget, "tool_cpu")
    }
}

// === impl Slowness ===

impl Slowness {
    pub(super) fn is_slow(&self) -> bool {
        self.calls.load(Ordering::Relaxed) > 0
    }

    pub(super) fn seen(&self) {
        self.calls.store(SLOW_CALLS, Ordering::Relaxed);
    }

    /// A call is over.
    pub(super) fn passed(&self) {
        if self.is_slow() {
            // Two threads at once may count one call less or more: nothing hangs on it.
            let _ = self.calls.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |calls| calls.checked_sub(1));
        }
    }
}

// === impl LogBudget ===

impl LogBudget {
    pub(super) fn new(whole: usize) -> Self {
        Self { whole, left: whole, told: false }
    }

    /// A new exchange begins.
    pub(super) fn refill(&mut self) {
        self.left = self.whole;
        self.told = false;
    }

    /// Whether `bytes` may still be logged; `None` the first time that they may not.
    pub(super) fn take(&mut self, bytes: usize) -> Option<bool> {
        if bytes <= self.left {
            self.left -= bytes;
            return Some(true);
        }
        self.left = 0;
        if std::mem::replace(&mut self.told, true) { Some(false) } else { None }
    }
}
