//! What is written after the answer has gone out.
//!
//! It is bounded, and known by the session that it belongs to, so that who asks for that session waits for it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// See the module.
pub(super) struct Behind {
    /// Outlives whoever asks: workers' own runtimes end with them.
    runtime: Handle,
    pending: Mutex<HashMap<String, usize>>,
    /// Told whenever something is done.
    done: Notify,
    room: Arc<Semaphore>,
}

/// Room for one more to be written behind its answer.
pub(super) struct Room {
    _permit: Option<OwnedSemaphorePermit>,
}

/// Answers that may wait to be written.
const MOST: usize = 1024;

struct Pending {
    behind: Arc<Behind>,
    id: String,
}

// === impl Behind ===

impl Default for Behind {
    fn default() -> Self {
        Self {
            runtime: Handle::current(),
            pending: Mutex::default(),
            done: Notify::new(),
            room: Arc::new(Semaphore::new(MOST)),
        }
    }
}

impl Behind {
    /// Waits until there is room: a store that is slower than its callers slows them down, and memory stays bounded.
    pub(super) async fn room(&self) -> Room {
        Room { _permit: self.room.clone().acquire_owned().await.ok() }
    }

    /// Does `job`, which belongs to session `id`.
    pub(super) fn spawn(self: &Arc<Self>, id: &str, job: impl Future<Output = ()> + Send + 'static) {
        *self.pending().entry(id.to_owned()).or_default() += 1;
        let pending = Pending { behind: self.clone(), id: id.to_owned() };
        self.runtime.spawn(async move {
            job.await;
            drop(pending);
        });
    }

    /// Does `job`, which nobody waits for.
    pub(super) fn run(&self, job: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(job);
    }

    /// Runs `task` for as long as what it returns is kept.
    pub(super) fn keep(&self, task: impl Future<Output = ()> + Send + 'static) -> Kept {
        Kept(self.runtime.spawn(task))
    }

    /// Waits until nothing of session `id` is on its way.
    pub(super) async fn settled(&self, id: &str) {
        self.until(|pending| !pending.contains_key(id)).await;
    }

    /// Waits until nothing is on its way.
    pub(super) async fn idle(&self) {
        self.until(HashMap::is_empty).await;
    }

    async fn until(&self, there: impl Fn(&HashMap<String, usize>) -> bool) {
        loop {
            let mut done = std::pin::pin!(self.done.notified());
            done.as_mut().enable();
            if there(&self.pending()) {
                return;
            }
            done.await;
        }
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task that ends with this.
pub(super) struct Kept(tokio::task::JoinHandle<()>);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let mut pending = self.behind.pending();
        if let Some(count) = pending.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                pending.remove(&self.id);
            }
        }
        drop(pending);
        self.behind.done.notify_waiters();
    }
}
