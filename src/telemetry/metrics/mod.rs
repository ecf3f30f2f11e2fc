//! What the server counts, for `/metrics`: names and meanings stand in [`families`], and nowhere else.
//!
//! Counting is atomic additions on handles that are found without a lock, because every request does it; reading takes the
//! time that it takes.

mod exposition;
mod families;
mod histogram;
mod http;
mod models;
mod plugins;
mod process;
mod store;
mod websockets;

use std::collections::BTreeMap;
use std::fmt::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::registry::Registry;

use super::log;
use exposition::Exposition;

pub use exposition::Format;
pub use histogram::{Histogram, SECONDS};
pub use http::{HUNG_UP, Http};
pub use models::{ModelCounts, Models, Outcome, ProviderCounts};
pub use plugins::{Alive, PluginCounts, Plugins};
pub use store::StoreCounts;
pub use websockets::{OpenSocket, WebSockets};

/// See the module.
#[derive(Debug)]
pub struct Metrics {
    /// Of requests.
    pub http: Http,
    /// Of providers and their models.
    pub models: Models,
    /// Of plugins.
    pub plugins: Arc<Plugins>,
    /// Of WebSockets.
    pub websockets: WebSockets,
    /// Of the store.
    pub store: Arc<StoreCounts>,
    queue_wait: Histogram,
    connections: AtomicU64,
    connections_open: AtomicU64,
    connections_refused: Labelled,
    limited: Labelled,
    cache: Labelled,
    /// How many there are, by status; whoever renders looks first.
    sessions: Mutex<Vec<(&'static str, u64)>>,
}

/// Counts by names that the source gives, and no caller: of what doesn't happen in every request.
#[derive(Debug, Default)]
struct Labelled(Mutex<BTreeMap<[&'static str; 2], u64>>);

// === impl Metrics ===

impl Metrics {
    /// Nothing yet; `paths` are the templates of all endpoints.
    pub fn new(paths: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            http: Http::new(paths),
            models: Models::default(),
            plugins: Arc::default(),
            websockets: WebSockets::default(),
            store: Arc::default(),
            queue_wait: Histogram::default(),
            connections: AtomicU64::new(0),
            connections_open: AtomicU64::new(0),
            connections_refused: Labelled::default(),
            limited: Labelled::default(),
            cache: Labelled::default(),
            sessions: Mutex::default(),
        }
    }

    /// A request waited so long for its turn; those that didn't have to wait count too.
    pub fn queued(&self, time: Duration) {
        self.queue_wait.observe(time);
    }

    /// A request hit a limit: `requests`, `tokens`, `concurrency` and the like.
    pub fn limited(&self, surface: &'static str, limit: &'static str) {
        self.limited.add([surface, limit]);
    }

    /// A connection was accepted, and is open from now on.
    pub fn connection_opened(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.connections_open.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection that was opened is gone.
    pub fn connection_closed(&self) {
        self.connections_open.fetch_sub(1, Ordering::Relaxed);
    }

    /// A connection was closed before it was served: `limit`, `address_limit`, `handshake` and the like.
    pub fn connection_refused(&self, reason: &'static str) {
        self.connections_refused.add([reason, ""]);
    }

    /// An answer was looked for in the cache: `hit`, `miss`.
    pub fn cache(&self, result: &'static str) {
        self.cache.add([result, ""]);
    }

    /// There are so many sessions of each status.
    pub fn sessions(&self, counts: Vec<(&'static str, u64)>) {
        *self.sessions.lock().unwrap_or_else(PoisonError::into_inner) = counts;
    }

    /// All of it as text. Reads files of the system: not for a thread that serves.
    pub fn render(self: &Arc<Self>, format: Format) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self.clone()));
        let mut out = String::with_capacity(16 << 10);
        // Writing to a string can't fail.
        let _ = text::encode(&mut out, &registry);
        match format {
            Format::OpenMetrics => out,
            Format::Prometheus => exposition::downgrade(&out),
        }
    }
}

impl Collector for Metrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let out = &mut Exposition(encoder);
        self.http.write(out)?;
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        out.counter(&families::SESSIONS, sessions.into_iter().map(|(status, count)| ([status.to_owned()], count)))?;
        out.histogram(&families::QUEUE_WAIT, self.queue_wait.read().map(|reading| ([], reading)))?;
        out.counter(&families::LIMITED, self.limited.read(|[surface, limit]| [surface, limit]))?;
        out.counter(&families::CONNECTIONS, [([], get(&self.connections))])?;
        out.counter(&families::CONNECTIONS_REFUSED, self.connections_refused.read(|[reason, _]| [reason]))?;
        out.gauge(&families::CONNECTIONS_OPEN, [([], get(&self.connections_open))])?;
        self.websockets.write(out)?;
        self.models.write(out)?;
        self.plugins.write(out)?;
        out.counter(&families::CACHE_REQUESTS, self.cache.read(|[result, _]| [result]))?;
        self.store.write(out)?;
        out.gauge(&families::BUILD, [([env!("CARGO_PKG_VERSION").to_owned()], 1_u64)])?;
        out.counter(&families::LOG_DROPPED, [([], log::dropped())])?;
        process::write(out)
    }
}

// === impl Labelled ===

impl Labelled {
    fn add(&self, labels: [&'static str; 2]) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(labels).or_default() += 1;
    }

    fn read<const N: usize>(&self, labels: fn([&'static str; 2]) -> [&'static str; N]) -> Vec<([String; N], u64)> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(key, count)| (labels(*key).map(str::to_owned), *count)).collect()
    }
}
