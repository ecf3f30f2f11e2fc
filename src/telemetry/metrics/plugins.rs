//! Counts of what plugins did, by their ids: a new version goes on where the last one stopped.

use std::collections::BTreeMap;
use std::fmt::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::exposition::Exposition;
use super::families;
use super::histogram::Histogram;

/// See the module.
#[derive(Debug, Default)]
pub struct Plugins {
    by_id: Mutex<BTreeMap<String, Arc<PluginCounts>>>,
    /// By plugin and tool.
    tools: Mutex<BTreeMap<(String, String), ToolCounts>>,
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
    /// By right.
    denials: Mutex<BTreeMap<&'static str, u64>>,
}

/// Counts of one tool.
#[derive(Debug, Default)]
struct ToolCounts {
    outcomes: BTreeMap<&'static str, u64>,
    duration: Histogram,
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

    /// A call of a tool is over.
    pub fn tool(&self, plugin: &str, tool: &str, outcome: &'static str, time: Duration) {
        let mut tools = self.tools.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = tools.entry((plugin.to_owned(), tool.to_owned())).or_default();
        *counts.outcomes.entry(outcome).or_default() += 1;
        counts.duration.observe(time);
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
        let denials = plugins.iter().flat_map(|(id, counts)| {
            let denials = counts.denials.lock().unwrap_or_else(PoisonError::into_inner).clone();
            denials.into_iter().map(|(right, count)| ([id.clone(), right.to_owned()], count))
        });
        out.counter(&families::PLUGIN_DENIALS, denials)?;
        let tools = self.tools.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = tools.iter().flat_map(|((plugin, tool), counts)| {
            let labels = |outcome: &str| [plugin.clone(), tool.clone(), outcome.to_owned()];
            counts.outcomes.iter().map(move |(outcome, count)| (labels(outcome), *count))
        });
        out.counter(&families::TOOL_CALLS, calls)?;
        let durations = tools
            .iter()
            .filter_map(|((plugin, tool), counts)| Some(([plugin.clone(), tool.clone()], counts.duration.read()?)));
        out.histogram(&families::TOOL_DURATION, durations)?;
        drop(tools);
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

    /// A guest was kept from something.
    pub fn denied(&self, right: &'static str) {
        *self.denials.lock().unwrap_or_else(PoisonError::into_inner).entry(right).or_default() += 1;
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
