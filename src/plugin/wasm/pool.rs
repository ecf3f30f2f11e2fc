//! Idle instances of one version, kept for a while for who may use them again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::instance::Instance;
use crate::config::Isolation;
use crate::plugin::Tenancy;

/// An instance that nobody used for so long is dropped, the next time that its version serves.
const SHELF_LIFE: Duration = Duration::from_secs(60);

/// See the module.
pub(super) struct Pool {
    capacity: usize,
    shelf: Arc<Shelf>,
    pools: Pools,
}

/// The pools of all versions: what is idle in one takes room in the engine that another may need.
#[derive(Clone, Default)]
pub(super) struct Pools(Arc<Mutex<Vec<Weak<Shelf>>>>);

/// Idle instances, the one unused for longest first.
#[derive(Default)]
struct Shelf(Mutex<VecDeque<Idle>>);

struct Idle {
    /// Who may use it; anybody if absent.
    owner: Option<Arc<str>>,
    instance: Instance,
    since: Instant,
}

// === impl Pool ===

impl Pool {
    /// A pool among those of other versions.
    pub(super) fn among(pools: &Pools, capacity: usize) -> Self {
        let shelf = Arc::default();
        pools.add(&shelf);
        Self { capacity, shelf, pools: pools.clone() }
    }

    /// The instance that `tenancy` may use and that was used last, if there is one.
    pub(super) fn take(&self, tenancy: &Tenancy) -> Option<Instance> {
        let owner = owner(tenancy)?;
        self.shelf.change(|idle| {
            let index = idle.iter().rposition(|idle| idle.owner == owner)?;
            idle.remove(index).map(|idle| idle.instance)
        })
    }

    /// Keeps `instance` for whom `tenancy` allows; where there are too many, the one unused for longest goes.
    pub(super) fn put(&self, instance: Instance, tenancy: &Tenancy) {
        let Some(owner) = owner(tenancy) else { return };
        if !instance.fit() {
            return;
        }
        let surplus = self.shelf.change(|idle| {
            idle.push_back(Idle { owner, instance, since: Instant::now() });
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
    fn add(&self, shelf: &Arc<Shelf>) {
        let mut shelves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelves.retain(|shelf| shelf.strong_count() > 0);
        shelves.push(Arc::downgrade(shelf));
    }

    fn reclaim(&self) -> bool {
        let shelves: Vec<_> =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect();
        let mut room = false;
        for shelf in shelves {
            let idle = std::mem::take(&mut *shelf.lock());
            room |= !idle.is_empty();
        }
        room
    }
}

// === impl Shelf ===

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Idle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops what has stood here for too long, then does `change`.
    fn change<T>(&self, change: impl FnOnce(&mut VecDeque<Idle>) -> T) -> T {
        let now = Instant::now();
        let mut idle = self.lock();
        let stale = idle.partition_point(|idle| now.saturating_duration_since(idle.since) > SHELF_LIFE);
        let stale: Vec<Idle> = idle.drain(..stale).collect();
        let outcome = change(&mut idle);
        drop(idle);
        // Outside the lock, as whatever `change` answers: unmapping takes a while.
        drop(stale);
        outcome
    }
}

/// Who may use an instance again; `None` if nobody may.
fn owner(tenancy: &Tenancy) -> Option<Option<Arc<str>>> {
    match tenancy.isolation {
        Isolation::Fresh => None,
        Isolation::Principal => Some(Some(tenancy.principal.clone())),
        Isolation::Warm => Some(None),
    }
}
