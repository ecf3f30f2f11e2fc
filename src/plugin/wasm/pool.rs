//! Idle instances of one version, kept for a while for who may use them again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::Isolation;
use crate::plugin::Tenancy;

/// An instance that nobody used for so long is dropped, the next time that its version serves.
const SHELF_LIFE: Duration = Duration::from_secs(60);

/// See the module.
pub(super) struct Pool<T> {
    capacity: usize,
    shelf: Arc<Shelf<T>>,
    pools: Pools,
}

/// Who may use an instance again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    /// It is used once.
    Nobody,
    /// Those of this name.
    Only(Arc<str>),
    /// Anybody.
    Everybody,
}

/// The pools of all versions: what is idle in one takes room in the engine that another may need.
#[derive(Clone, Default)]
pub(super) struct Pools(Arc<Mutex<Vec<Weak<dyn Clear>>>>);

/// Idle instances, the one unused for longest first.
struct Shelf<T>(Mutex<VecDeque<Idle<T>>>);

struct Idle<T> {
    sharing: Sharing,
    instance: T,
    since: Instant,
}

/// What can be emptied.
trait Clear: Send + Sync {
    /// Drops all, and says whether there was something.
    fn clear(&self) -> bool;
}

// === impl Pool ===

impl<T: Send + 'static> Pool<T> {
    /// A pool among those of other versions.
    pub(super) fn among(pools: &Pools, capacity: usize) -> Self {
        let shelf = Arc::new(Shelf(Mutex::default()));
        let weak: Weak<Shelf<T>> = Arc::downgrade(&shelf);
        pools.add(weak);
        Self { capacity, shelf, pools: pools.clone() }
    }

    /// The instance that `sharing` may use and that was used last, if there is one.
    pub(super) fn take(&self, sharing: &Sharing) -> Option<T> {
        if *sharing == Sharing::Nobody {
            return None;
        }
        self.shelf.change(|idle| {
            let index = idle.iter().rposition(|idle| idle.sharing == *sharing)?;
            idle.remove(index).map(|idle| idle.instance)
        })
    }

    /// Keeps `instance` for whom `sharing` names; where there are too many, the one unused for longest goes.
    pub(super) fn put(&self, instance: T, sharing: Sharing) {
        if sharing == Sharing::Nobody {
            return;
        }
        let surplus = self.shelf.change(|idle| {
            idle.push_back(Idle { sharing, instance, since: Instant::now() });
            if idle.len() > self.capacity { idle.pop_front() } else { None }
        });
        drop(surplus);
    }

    /// How many are idle.
    pub(super) fn len(&self) -> usize {
        self.shelf.lock().len()
    }

    /// Drops what is idle, in all pools, and says whether that made room.
    pub(super) fn reclaim(&self) -> bool {
        self.pools.reclaim()
    }
}

// === impl Pools ===

impl Pools {
    fn add(&self, shelf: Weak<dyn Clear>) {
        let mut shelves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelves.retain(|shelf| shelf.strong_count() > 0);
        shelves.push(shelf);
    }

    fn reclaim(&self) -> bool {
        let shelves: Vec<_> =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect();
        // Each of them gives what it has: the first that has some is not enough.
        shelves.iter().filter(|shelf| shelf.clear()).count() > 0
    }
}

// === impl Shelf ===

impl<T> Shelf<T> {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Idle<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops what has stood here for too long, then does `change`.
    fn change<U>(&self, change: impl FnOnce(&mut VecDeque<Idle<T>>) -> U) -> U {
        let now = Instant::now();
        let mut idle = self.lock();
        let stale = idle.partition_point(|idle| now.saturating_duration_since(idle.since) > SHELF_LIFE);
        let stale: Vec<Idle<T>> = idle.drain(..stale).collect();
        let outcome = change(&mut idle);
        drop(idle);
        // Outside the lock, as whatever `change` answers: unmapping takes a while.
        drop(stale);
        outcome
    }
}

impl<T: Send> Clear for Shelf<T> {
    fn clear(&self) -> bool {
        let idle = std::mem::take(&mut *self.lock());
        !idle.is_empty()
    }
}

// === impl Sharing ===

impl Sharing {
    /// Who may use an instance after `tenancy`.
    pub(super) fn of(tenancy: &Tenancy) -> Self {
        match tenancy.isolation {
            Isolation::Fresh => Self::Nobody,
            Isolation::Principal => Self::Only(tenancy.principal.clone()),
            Isolation::Warm => Self::Everybody,
        }
    }
}
