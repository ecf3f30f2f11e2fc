//! A session's queue: one works in it, so many wait, the rest are refused.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use crate::model::{Error, Kind, Result};

/// The queues of the sessions that somebody works in.
#[derive(Clone, Default)]
pub(super) struct Places {
    queues: Arc<Mutex<HashMap<Name, Queue>>>,
}

/// An owner and a session: who waits must learn nothing of what others have.
type Name = (String, String);

#[derive(Default)]
struct Queue {
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Who has it, and who waits.
    wanted: usize,
}

/// It is this one's turn until this is dropped.
pub(super) struct Place {
    /// Dropped first.
    _turn: OwnedMutexGuard<()>,
    _ticket: Ticket,
}

struct Ticket {
    places: Places,
    name: Name,
}

// === impl Places ===

impl Places {
    /// Waits for its turn in session `id`, at most for `wait`, and behind at most `most` others.
    ///
    /// # Errors
    /// If it isn't its turn by then, or too many wait already.
    pub(super) async fn take(&self, owner: &str, id: &str, most: usize, wait: Duration) -> Result<Place> {
        let (turn, ticket) = self.ticket(owner, id, most.saturating_add(1))?;
        let turn = timeout(wait, turn.lock_owned()).await.map_err(|_| busy())?;
        Ok(Place { _turn: turn, _ticket: ticket })
    }

    /// The place of a session that nobody else knows yet.
    pub(super) fn first(&self, owner: &str, id: &str) -> Option<Place> {
        let (turn, ticket) = self.ticket(owner, id, 1).ok()?;
        Some(Place { _turn: turn.try_lock_owned().ok()?, _ticket: ticket })
    }

    fn ticket(&self, owner: &str, id: &str, most: usize) -> Result<(Arc<tokio::sync::Mutex<()>>, Ticket)> {
        let name = (owner.to_owned(), id.to_owned());
        let mut queues = self.queues();
        let queue = queues.entry(name.clone()).or_default();
        if queue.wanted >= most {
            return Err(busy());
        }
        queue.wanted += 1;
        Ok((queue.turn.clone(), Ticket { places: self.clone(), name }))
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<Name, Queue>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut queues = self.places.queues();
        if let Some(queue) = queues.get_mut(&self.name) {
            queue.wanted -= 1;
            if queue.wanted == 0 {
                queues.remove(&self.name);
            }
        }
    }
}

/// What a caller is told whose turn doesn't come.
pub(super) fn busy() -> Error {
    let what = "the session is being asked already; wait for that answer, or try again in a moment";
    Error::caller(Kind::Conflict, what).with_retry_after(Some(Duration::from_secs(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_works_so_many_wait_and_the_rest_are_refused() {
        let places = Places::default();
        let wait = Duration::from_secs(5);
        let first = places.take("alice", "s", 1, wait).await.unwrap();
        let waiting = tokio::spawn({
            let places = places.clone();
            async move { places.take("alice", "s", 1, wait).await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert_eq!(places.take("alice", "s", 1, wait).await.err().map(|error| error.kind()), Some(Kind::Conflict));
        assert!(places.first("alice", "s").is_none() && places.first("bob", "s").is_some());
        drop(first);
        waiting.await.unwrap().unwrap();
        assert!(places.queues().is_empty(), "a queue is gone with the last who wanted it");
        let held = places.take("alice", "s", 1, wait).await.unwrap();
        assert!(places.take("alice", "s", 1, wait).await.is_err(), "nobody waits for longer than that");
        drop(held);
        assert!(places.queues().is_empty());
    }
}
