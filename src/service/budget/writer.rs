//! Writes down what was used: what has to be on disk at once together with what else there is, the rest a little later.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::Writer;
use crate::model::{Error, Result};
use crate::store::{Change, Committed, Key};

/// What the writer is told.
pub(super) enum Told {
    /// Counters and how much more they are, to be written some time soon.
    Add(Vec<(Key, i64)>),
    /// The same at once, and whether it was.
    Reserve(Vec<(Key, i64)>, oneshot::Sender<Result<()>>),
    /// Whether all that was told before is written.
    Flush(oneshot::Sender<()>),
}

/// Counters and how much more they are, and who waits for that.
type Waiting = (Vec<(Key, i64)>, oneshot::Sender<Result<()>>);

/// What is to be written.
#[derive(Default)]
struct Owed {
    counts: BTreeMap<Key, i64>,
    /// Who waits, and for what.
    waiting: Vec<Waiting>,
    flushing: Vec<oneshot::Sender<()>>,
}

/// How long what nobody waits for may wait.
const GATHER: Duration = Duration::from_millis(200);
/// How long a store that failed is left alone, where nobody waits.
const AGAIN: Duration = Duration::from_secs(1);

// === impl Writer ===

impl Writer {
    /// Writes until nobody can tell it anything any more.
    pub async fn run(mut self) {
        let mut owed = Owed::default();
        let mut failed = false;
        loop {
            if owed.counts.is_empty() {
                match self.told.recv().await {
                    Some(told) => owed.add(told),
                    None => return,
                }
            }
            let deadline = Instant::now() + if failed { AGAIN } else { GATHER };
            let mut over = false;
            while owed.waiting.is_empty() && owed.flushing.is_empty() && !over {
                match timeout_at(deadline, self.told.recv()).await {
                    Ok(Some(told)) => owed.add(told),
                    Ok(None) => over = true,
                    Err(_) => break,
                }
            }
            while let Ok(told) = self.told.try_recv() {
                owed.add(told);
            }
            let written = self.write(&owed).await;
            if let (Err(error), false) = (&written, failed) {
                tracing::error!(
                    error = error.to_string(),
                    "what calls used can't be written down now; it is tried again"
                );
            }
            failed = written.is_err();
            owed.told(written);
            if over {
                return;
            }
        }
    }

    async fn write(&self, owed: &Owed) -> Result<()> {
        let mut change = Change::default();
        let reserved = owed.waiting.iter().flat_map(|(adds, _)| adds).map(|(key, more)| (key, *more));
        for (key, more) in owed.counts.iter().map(|(key, more)| (key, *more)).chain(reserved) {
            change.add(key.clone(), more);
        }
        match self.store.commit(change).await? {
            Committed::Done => Ok(()),
            Committed::Conflict => Err(Error::internal("counting met a conflict, which it can't")),
        }
    }
}

// === impl Owed ===

impl Owed {
    fn add(&mut self, told: Told) {
        match told {
            Told::Add(adds) => self.count(adds, 1),
            Told::Reserve(adds, tell) => self.waiting.push((adds, tell)),
            Told::Flush(tell) => self.flushing.push(tell),
        }
    }

    fn count(&mut self, adds: Vec<(Key, i64)>, times: i64) {
        for (key, more) in adds {
            let sum = self.counts.entry(key).or_default();
            *sum = sum.saturating_add(more.saturating_mul(times));
        }
    }

    /// How it ended.
    fn told(&mut self, written: Result<()>) {
        if written.is_ok() {
            self.counts.clear();
        }
        for (adds, tell) in std::mem::take(&mut self.waiting) {
            let nobody_waits = tell.send(written.clone()).is_err();
            if nobody_waits && written.is_ok() {
                // They hung up before anything was used.
                self.count(adds, -1);
            }
        }
        for tell in self.flushing.drain(..) {
            let _ = tell.send(());
        }
    }
}
