//! Processor time of a tool call: of the threads that it ran on, whichever they were.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wasmtime::UpdateDeadline;

use crate::plugin::wasm::engine::TICK;
use crate::plugin::wasm::state::{OutOfTime, Slowness, thread_time};

/// See the module. A store and whoever drives it share one.
#[derive(Debug)]
pub(in crate::plugin::wasm) struct Meter {
    budget: Duration,
    /// Nanoseconds of turns that are over.
    used: AtomicU64,
    /// The thread's time when the turn in progress began.
    since: AtomicU64,
    slowness: Arc<Slowness>,
}

// === impl Meter ===

impl Meter {
    pub(super) fn new(budget: Duration, slowness: Arc<Slowness>) -> Self {
        Self { budget, used: AtomicU64::new(0), since: AtomicU64::new(0), slowness }
    }

    /// Drives `work` to its end, and counts what that takes from now on.
    pub(super) async fn measure<T>(self: &Arc<Self>, work: impl Future<Output = T>) -> T {
        self.used.store(0, Ordering::Relaxed);
        self.slowness.passed();
        let mut work = pin!(work);
        poll_fn(|context| {
            self.since.store(nanos(thread_time()), Ordering::Relaxed);
            let outcome = work.as_mut().poll(context);
            self.used.fetch_add(self.turn(), Ordering::Relaxed);
            outcome
        })
        .await
    }

    fn turn(&self) -> u64 {
        nanos(thread_time()).saturating_sub(self.since.load(Ordering::Relaxed))
    }

    /// The ticker interrupted the guest: others have a turn, unless it had too many.
    pub(super) fn tick(&self) -> wasmtime::Result<UpdateDeadline> {
        let turn = self.turn();
        if turn >= nanos(TICK / 2) {
            self.slowness.seen();
        }
        if self.used.load(Ordering::Relaxed).saturating_add(turn) >= nanos(self.budget) {
            return Err(OutOfTime::of_tool(self.budget).into());
        }
        Ok(UpdateDeadline::Yield(1))
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
