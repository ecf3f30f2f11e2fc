//! Watching a run: every event once and in order, from any number on, however slow the watcher is.
//!
//! A watcher reads from the store until it has caught up, then hears what is stored as it is stored. Who lags behind is told so
//! and reads from the store again; the run never waits for anybody.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::journal::{Batch, Journal};
use crate::model::Result;
use crate::model::run::Event;
use crate::store::runs::Runs;

/// Events that are read from the store at once.
const PAGE: usize = 128;

/// See the module.
pub struct Watcher {
    store: Runs,
    run: String,
    /// The number of the event that was seen last.
    after: u64,
    queue: VecDeque<Event>,
    /// What is stored from now on; absent where nobody works at the run.
    live: Option<(broadcast::Receiver<Batch>, Arc<AtomicU64>)>,
    /// Whether there may be something in the store that isn't in the queue.
    behind: bool,
    over: bool,
}

/// What a watcher sees.
#[derive(Debug)]
pub enum Seen {
    /// Something happened.
    Event(Event),
    /// The watcher was too slow, and so many events come from the store now.
    Behind {
        /// How many.
        missed: u64,
    },
}

// === impl Watcher ===

impl Watcher {
    pub(super) fn new(store: Runs, run: String, after: u64, journal: Option<Arc<Journal>>) -> Self {
        // Subscribed before the store is read: nothing falls in between.
        // The journal itself would live on with its watchers, who wait for its end.
        let live = journal.map(|journal| journal.subscribe());
        Self { store, run, after, queue: VecDeque::new(), live, behind: true, over: false }
    }

    /// What is seen next; nothing after the run's last event. It may be dropped, and asked for again.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn next(&mut self) -> Result<Option<Seen>> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                self.after = event.sequence;
                self.over = event.body.is_last();
                return Ok(Some(Seen::Event(event)));
            }
            if self.over {
                return Ok(None);
            }
            if self.behind {
                let page = self.store.events(&self.run, self.after, PAGE).await?;
                self.behind = page.len() == PAGE;
                self.queue = page.into();
                if !self.queue.is_empty() {
                    continue;
                }
            }
            let Some((live, newest)) = &mut self.live else { return Ok(None) };
            match live.recv().await {
                Ok(batch) => {
                    let mut fresh = batch.iter().filter(|event| event.sequence > self.after).peekable();
                    if fresh.peek().is_some_and(|first| first.sequence > self.after + 1) {
                        self.behind = true;
                    } else {
                        self.queue.extend(fresh.cloned());
                    }
                }
                Err(RecvError::Lagged(_)) => {
                    self.behind = true;
                    let missed = newest.load(Ordering::Acquire).saturating_sub(self.after);
                    // What it read from the store meanwhile it has not missed.
                    if missed > 0 {
                        return Ok(Some(Seen::Behind { missed }));
                    }
                }
                Err(RecvError::Closed) => {
                    self.live = None;
                    self.behind = true;
                }
            }
        }
    }
}
