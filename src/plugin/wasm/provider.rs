//! One loaded version of a provider plugin, and its exchanges.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::component::ResourceAny;

use super::bindings::ProviderPluginPre;
use super::convert;
use super::instance::Instance;
use super::pool::{Pool, Pools};
use super::state::{Slowness, State};
use crate::config;
use crate::model::provider::{Action, Info, Input, Operation};
use crate::model::{Error, Fault, Kind, Result};
use crate::plugin::catalog::Health;
use crate::plugin::{Exchange, Provider, Tenancy};
use crate::telemetry::metrics::PluginCounts;

/// What all instances of a version share.
pub(super) struct Version {
    pub(super) id: Arc<str>,
    pub(super) pre: ProviderPluginPre<State>,
    pub(super) limits: config::Limits,
    quarantine: config::Quarantine,
    pool: Pool,
    /// What `describe` answered, by settings.
    described: Mutex<HashMap<String, Arc<Info>>>,
    active: AtomicUsize,
    /// See [`Slowness`].
    pub(super) slowness: Arc<Slowness>,
    traps: AtomicU64,
    /// Of all versions of the plugin.
    pub(super) counts: Arc<PluginCounts>,
    trouble: Mutex<Trouble>,
}

/// Traps since the last exchange that ended well.
#[derive(Default)]
struct Trouble {
    in_a_row: u32,
    until: Option<Instant>,
    last: String,
}

/// A version that can be asked.
pub(super) struct WasmProvider(pub(super) Arc<Version>);

struct WasmExchange {
    version: Arc<Version>,
    tenancy: Tenancy,
    /// Gone once the guest trapped.
    live: Option<(Instance, ResourceAny)>,
    /// Whether the guest came to an end of its own.
    finished: bool,
    _active: Active,
}

/// Counts an exchange for as long as it lives.
struct Active(Arc<Version>);

// === impl Version ===

impl Version {
    pub(super) fn new(
        id: &str,
        pre: ProviderPluginPre<State>,
        limits: config::Limits,
        plugins: &config::Plugins,
        pools: &Pools,
        counts: Arc<PluginCounts>,
    ) -> Self {
        Self {
            id: id.into(),
            pre,
            limits,
            quarantine: plugins.quarantine,
            pool: Pool::among(pools, plugins.idle_instances),
            described: Mutex::default(),
            active: AtomicUsize::new(0),
            slowness: Arc::default(),
            traps: AtomicU64::new(0),
            counts,
            trouble: Mutex::default(),
        }
    }

    /// A guest was stopped: counts it, and says so. `why` is for the caller, `cause` for the log.
    pub(super) fn trapped(&self, why: &str, cause: &wasmtime::Error) -> Error {
        self.traps.fetch_add(1, Ordering::Relaxed);
        self.counts.trapped();
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.in_a_row = trouble.in_a_row.saturating_add(1);
        trouble.last = why.to_owned();
        if trouble.in_a_row >= self.quarantine.traps {
            trouble.until = Some(Instant::now() + self.quarantine.pause);
        }
        drop(trouble);
        Error::new(Kind::Plugin, Fault::Plugin, format!("plugin `{}` was stopped: {why}", self.id))
            .with_private(format!("{cause:#}"))
    }

    fn well(&self) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.in_a_row > 0 {
            *trouble = Trouble::default();
        }
    }

    /// Lets a request through, unless the version is in quarantine; after each pause one request tries again.
    fn admit(&self) -> Result<()> {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(until) = trouble.until else { return Ok(()) };
        let now = Instant::now();
        if now >= until {
            trouble.until = Some(now + self.quarantine.pause);
            return Ok(());
        }
        Err(Error::new(Kind::Unavailable, Fault::Plugin, quarantined(&self.id, &trouble))
            .with_retry_after(Some(until.duration_since(now).max(Duration::from_secs(1)))))
    }

    fn instance(&self, tenancy: &Tenancy) -> Result<Instance> {
        self.pool.take(tenancy).map_or_else(|| self.fresh(), Ok)
    }

    /// A new instance; where the engine has no room left, in place of idle ones.
    fn fresh(&self) -> Result<Instance> {
        match Instance::new(self) {
            Err(error) if error.kind() == Kind::Overloaded && self.pool.reclaim() => Instance::new(self),
            outcome => outcome,
        }
    }
}

fn quarantined(id: &str, trouble: &Trouble) -> String {
    format!(
        "plugin `{id}` is in quarantine after {} failures in a row, the last of them: {}; replace its file, or see plugins.quarantine",
        trouble.in_a_row, trouble.last
    )
}

impl Health for Version {
    fn traps(&self) -> u64 {
        self.traps.load(Ordering::Relaxed)
    }

    fn instances(&self) -> usize {
        self.active.load(Ordering::Relaxed) + self.pool.len()
    }

    fn quarantine(&self) -> Option<String> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.until.map(|_| quarantined(&self.id, &trouble))
    }
}

// === impl WasmProvider ===

impl Provider for WasmProvider {
    fn is_slow(&self) -> bool {
        self.0.slowness.is_slow()
    }

    fn describe(&self, settings: &str) -> Result<Arc<Info>> {
        let version = &*self.0;
        if let Some(info) = version.described.lock().unwrap_or_else(PoisonError::into_inner).get(settings) {
            return Ok(info.clone());
        }
        let info = Arc::new(version.fresh()?.describe(version, settings)?);
        version.described.lock().unwrap_or_else(PoisonError::into_inner).insert(settings.to_owned(), info.clone());
        Ok(info)
    }

    fn open(&self, operation: Operation, settings: &str, tenancy: &Tenancy) -> Result<Box<dyn Exchange>> {
        let version = &self.0;
        version.admit()?;
        let active = Active::enter(version)?;
        let mut instance = version.instance(tenancy)?;
        let resource = instance.open(version, &convert::operation(operation), settings)?;
        Ok(Box::new(WasmExchange {
            version: version.clone(),
            tenancy: tenancy.clone(),
            live: Some((instance, resource)),
            finished: false,
            _active: active,
        }))
    }
}

// === impl Active ===

impl Active {
    fn enter(version: &Arc<Version>) -> Result<Self> {
        let before = version.active.fetch_add(1, Ordering::Relaxed);
        let active = Self(version.clone());
        if before >= version.limits.concurrency {
            return Err(Error::new(
                Kind::Overloaded,
                Fault::Us,
                format!("plugin `{}` is busy; try again, or raise plugins.limits.concurrency", version.id),
            )
            .with_retry_after(Some(Duration::from_secs(1))));
        }
        Ok(active)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}

// === impl WasmExchange ===

impl Exchange for WasmExchange {
    fn is_slow(&self) -> bool {
        self.version.slowness.is_slow()
    }

    fn advance(&mut self, input: Input) -> Result<Vec<Action>> {
        let Some((instance, resource)) = &mut self.live else {
            return Err(Error::internal(format!("exchange of plugin `{}` is over", self.version.id)));
        };
        match instance.advance(&self.version, *resource, &convert::input(input)) {
            Ok(actions) => {
                let actions: Vec<Action> = actions.into_iter().map(convert::action).collect();
                self.finished |= matches!(actions.last(), Some(Action::Finish | Action::Fail(_)));
                Ok(actions)
            }
            Err(error) => {
                self.live = None;
                Err(error)
            }
        }
    }
}

impl Drop for WasmExchange {
    fn drop(&mut self) {
        let Some((mut instance, resource)) = self.live.take() else { return };
        // A fresh instance is thrown away with whatever it holds.
        if self.tenancy.isolation == config::Isolation::Fresh {
            if self.finished {
                self.version.well();
            }
            return;
        }
        match instance.close(&self.version, resource) {
            Ok(()) => {
                if self.finished {
                    self.version.well();
                }
                self.version.pool.put(instance, &self.tenancy);
            }
            Err(error) => {
                tracing::warn!(
                    plugin = &*self.version.id,
                    error = error.to_string(),
                    "a guest failed while it ended an exchange"
                )
            }
        }
    }
}
