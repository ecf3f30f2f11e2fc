//! Who works at which run: the work itself, and the leases by which processes that share a store keep out of each other's way.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{Notify, watch as channel};

use super::journal::Journal;
use super::work::Work;
use super::{Live, Runs, Stop};
use crate::model::caller::Caller;
use crate::model::run::{Body, Run, Status};
use crate::model::{Kind, Result};
use crate::store::runs::Lease;

/// How long a lease holds, in seconds. Who holds one renews it long before.
const LEASE: i64 = 15;
/// How often leases are renewed, and those looked for that are over.
const TEND: Duration = Duration::from_secs(3);
/// How often work is taken up again that the store kept from going on.
const STORE_RETRIES: u32 = 5;

// === impl Runs ===

impl Runs {
    /// A lease from now on.
    pub(super) fn lease(&self) -> Lease {
        Lease { holder: self.holder.clone(), until: self.clock.unix() + LEASE }
    }

    /// Takes a run at which nobody works any more; `alone` is for who knows that there is no other process.
    pub(super) async fn take(&self, id: &str, before: &Lease, alone: bool) -> Result<bool> {
        if !alone && before.until > self.clock.unix() {
            return Ok(false);
        }
        self.store.take(id, before, &self.lease()).await
    }

    /// Renews leases and picks up what others left, until this is dropped.
    pub async fn tend(self: Arc<Self>) {
        loop {
            tokio::time::sleep(TEND).await;
            let ids: Vec<String> = self.lock().keys().cloned().collect();
            let renewed = async {
                if !ids.is_empty() {
                    for id in self.store.renew(&ids, &self.lease()).await? {
                        // This process gave no sign of life for so long that another took the run for abandoned.
                        if let Some(live) = self.of(&id) {
                            live.stop.send_replace(Some(Stop::Shutdown));
                        }
                    }
                }
                self.pick_up(false).await
            };
            if let Err(error) = renewed.await {
                tracing::warn!(error = error.to_string(), "runs can't be tended; it is tried again");
            }
        }
    }

    /// Somebody else may work at a run at once.
    async fn release(&self, id: &str) {
        let gone = Lease { until: 0, ..self.lease() };
        if let Err(error) = self.store.renew(&[id.to_owned()], &gone).await {
            tracing::debug!(run = id, error = error.to_string(), "a run can't be released; its lease runs out");
        }
    }

    pub(super) async fn journal(&self, run: Run) -> Result<Journal> {
        let (sequence, inbox) = (self.store.last_event(&run.id).await?, self.store.inbox(&run.id).await?);
        Ok(Journal::new(self.store.clone(), self.clock.clone(), run, sequence, inbox))
    }

    /// Lets somebody work at `run` until its end.
    pub(super) async fn set_to_work(self: &Arc<Self>, run: Run, caller: Caller) -> Result<Arc<Live>> {
        let id = run.id.clone();
        let journal = Arc::new(self.journal(run).await?);
        let live = Arc::new(Live {
            id: id.clone(),
            caller,
            journal,
            stop: channel::Sender::new(None),
            nudge: Notify::new(),
            over: channel::Sender::new(false),
        });
        self.lock().insert(id, live.clone());
        let (runs, worked) = (self.clone(), live.clone());
        self.runtime.spawn(async move {
            let outcome = AssertUnwindSafe(runs.clone().supervise(worked.clone())).catch_unwind().await;
            if outcome.is_err() {
                tracing::error!(run = worked.id, "the work at a run panicked; it is picked up at the next start");
            }
            let left = !worked.journal.run().await.status.is_over();
            if left {
                runs.release(&worked.id).await;
            }
            runs.lock().remove(&worked.id);
            worked.over.send_replace(true);
        });
        Ok(live)
    }

    /// Works at a run; what the store keeps from going on is tried again.
    async fn supervise(self: Arc<Self>, live: Arc<Live>) {
        let room = self.room.clone();
        let entered = tokio::select! {
            room = room.acquire_owned() => room,
            stop = live.stopped() => {
                if stop == Stop::Person {
                    self.stop_unbegun(&live).await;
                }
                return;
            }
        };
        let Ok(_room) = entered else { return };
        for attempt in 0..=STORE_RETRIES {
            let outcome = match Work::take_up(self.clone(), live.clone()).await {
                Ok(work) => work.go().await,
                Err(error) => Err(error),
            };
            let Err(error) = outcome else { return };
            tracing::error!(run = live.id, error = error.to_string(), "a run can't be stored");
            if error.kind() == Kind::Conflict {
                return;
            }
            tokio::time::sleep(Duration::from_millis(500) * 2_u32.pow(attempt)).await;
        }
        tracing::error!(run = live.id, "a run is left as it is stored; it is picked up at the next start");
    }

    async fn stop_unbegun(&self, live: &Live) {
        let now = self.clock.rfc3339();
        let stored = live
            .journal
            .write(|draft| {
                (draft.run.status, draft.run.completed_at) = (Status::Stopped, Some(now));
                let message = "Task stopped".to_owned();
                draft.events.push(Body::Status { status: Status::Stopped, message, discard_after: None });
                Ok(())
            })
            .await;
        if let Err(error) = stored {
            tracing::error!(run = live.id, error = error.to_string(), "a run can't be stored");
        }
    }
}
