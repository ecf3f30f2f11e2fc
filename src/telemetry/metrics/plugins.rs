//! Counts of what plugins did, by their ids: a new version goes on where the last one stopped.

use std::collections::BTreeMap;
use std::fmt::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::exposition::Exposition;
use super::families;

/// See the module.
#[derive(Debug, Default)]
pub struct Plugins {
    by_id: Mutex<BTreeMap<String, Arc<PluginCounts>>>,
    loaded: AtomicU64,
    refused: AtomicU64,
}

/// Counts of one plugin.
#[derive(Debug, Default)]
pub struct PluginCounts {
    ok: AtomicU64,
    trapped: AtomicU64,
    traps: AtomicU64,
    instances: AtomicU64,
}

/// Counts an instance for as long as it lives.
#[derive(Debug)]
pub struct Alive(Arc<PluginCounts>);

// === impl Plugins ===

impl Plugins {
    /// The counts of plugin `id`.
    pub fn of(&self, id: &str) -> Arc<PluginCounts> {
        let mut by_id = self.by_id.lock().unwrap_or_else(PoisonError::into_inner);
        by_id.entry(id.to_owned()).or_default().clone()
    }

    /// A file was loaded, or refused.
    pub fn load(&self, well: bool) {
        let counter = if well { &self.loaded } else { &self.refused };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn write(&self, out: &mut Exposition<'_>) -> Result<(), Error> {
        let plugins = self.by_id.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let calls = plugins.iter().flat_map(|(id, counts)| {
            let outcomes = [("ok", &counts.ok), ("trap", &counts.trapped)];
            outcomes.map(|(outcome, count)| ([id.clone(), outcome.to_owned()], get(count)))
        });
        out.counter(&families::PLUGIN_CALLS, calls)?;
        out.counter(&families::PLUGIN_TRAPS, plugins.iter().map(|(id, counts)| ([id.clone()], get(&counts.traps))))?;
        let instances = plugins.iter().map(|(id, counts)| ([id.clone()], get(&counts.instances)));
        out.gauge(&families::PLUGIN_INSTANCES, instances)?;
        let loads = [("ok", &self.loaded), ("error", &self.refused)];
        out.counter(&families::PLUGIN_LOADS, loads.map(|(outcome, count)| ([outcome.to_owned()], get(count))))
    }
}

// === impl PluginCounts ===

impl PluginCounts {
    /// A call into a guest came back, or not.
    pub fn called(&self, well: bool) {
        let counter = if well { &self.ok } else { &self.trapped };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// A guest was stopped, in a call or while it was made.
    pub fn trapped(&self) {
        self.traps.fetch_add(1, Ordering::Relaxed);
    }

    /// An instance comes to life.
    pub fn alive(self: &Arc<Self>) -> Alive {
        self.instances.fetch_add(1, Ordering::Relaxed);
        Alive(self.clone())
    }
}

// === impl Alive ===

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.instances.fetch_sub(1, Ordering::Relaxed);
    }
}
