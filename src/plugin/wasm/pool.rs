//! Idle instances of one version, kept for who may use them again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::instance::Instance;
use crate::config::Isolation;
use crate::plugin::Tenancy;

/// See the module.
pub(super) struct Pool {
    capacity: usize,
    idle: Mutex<VecDeque<Idle>>,
}

struct Idle {
    /// Who may use it; anybody if absent.
    owner: Option<Arc<str>>,
    instance: Instance,
}

// === impl Pool ===

impl Pool {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, idle: Mutex::default() }
    }

    /// The instance that `tenancy` may use and that was used last, if there is one.
    pub(super) fn take(&self, tenancy: &Tenancy) -> Option<Instance> {
        let owner = owner(tenancy)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let index = idle.iter().rposition(|idle| idle.owner == owner)?;
        idle.remove(index).map(|idle| idle.instance)
    }

    /// Keeps `instance` for whom `tenancy` allows; where there are too many, the one unused for longest goes.
    pub(super) fn put(&self, instance: Instance, tenancy: &Tenancy) {
        let Some(owner) = owner(tenancy) else { return };
        if !instance.fit() {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push_back(Idle { owner, instance });
        let surplus = if idle.len() > self.capacity { idle.pop_front() } else { None };
        drop(idle);
        // Outside the lock: unmapping takes a while.
        drop(surplus);
    }

    /// How many are idle.
    pub(super) fn len(&self) -> usize {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).len()
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
