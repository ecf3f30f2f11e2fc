//! How many requests are served at once, how many may wait for it, and what their bodies may hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::time::{Instant, timeout};

use crate::model::{Error, Fault, Kind, Result};

/// When to try again, of who is turned away.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Room for requests.
pub(super) struct Capacity {
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
    patience: Duration,
}

/// Room for one request, for as long as this lives.
pub(super) type Room = OwnedSemaphorePermit;

/// Counts a request that waits.
struct Waiting<'c>(&'c AtomicUsize);

// === impl Capacity ===

impl Capacity {
    pub(super) fn new(most: usize, most_waiting: usize, patience: Duration) -> Self {
        let running = Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)));
        Self { running, waiting: AtomicUsize::new(0), most_waiting, patience }
    }

    /// Room for a request, at once or after a short wait, and how long that was. There is none if too many wait already, or if
    /// the wait was in vain.
    pub(super) async fn enter(&self) -> (Result<Room>, Duration) {
        match self.running.clone().try_acquire_owned() {
            Ok(room) => return (Ok(room), Duration::ZERO),
            Err(TryAcquireError::Closed) => return (Err(full()), Duration::ZERO),
            Err(TryAcquireError::NoPermits) => {}
        }
        let Some(_waiting) = self.queue() else { return (Err(full()), Duration::ZERO) };
        let began = Instant::now();
        let outcome = match timeout(self.patience, self.running.clone().acquire_owned()).await {
            Ok(Ok(room)) => Ok(room),
            _ => Err(full()),
        };
        (outcome, began.elapsed())
    }

    /// A place among those who wait, if there is one.
    fn queue(&self) -> Option<Waiting<'_>> {
        let place = Waiting(&self.waiting);
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        (before < self.most_waiting).then_some(place)
    }
}

fn full() -> Error {
    Error::new(Kind::Overloaded, Fault::Us, "the server is busy with other requests; try again in a moment")
        .with_retry_after(Some(RETRY_AFTER))
}

// === impl Waiting ===

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn some_run_some_wait_and_the_rest_are_turned_away() {
        let capacity = Arc::new(Capacity::new(2, 1, Duration::from_secs(1)));
        let (one, _two) = (capacity.enter().await.0.unwrap(), capacity.enter().await.0.unwrap());
        let waits = tokio::spawn({
            let capacity = capacity.clone();
            async move { capacity.enter().await.0.is_ok() }
        });
        tokio::task::yield_now().await;
        let error = capacity.enter().await.0.unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (Kind::Overloaded, Some(RETRY_AFTER)));
        drop(one);
        assert!(waits.await.unwrap());
        let _three = capacity.enter().await.0.unwrap();
        // Nobody leaves: the wait is in vain, and its place is free again.
        for _ in 0..3 {
            assert_eq!(capacity.enter().await.0.unwrap_err().kind(), Kind::Overloaded);
        }
        assert_eq!(capacity.waiting.load(Ordering::Relaxed), 0);
    }
}
