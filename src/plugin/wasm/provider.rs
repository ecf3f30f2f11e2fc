//! One loaded version of a provider plugin, and its exchanges.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::component::ResourceAny;

use super::bindings::ProviderPluginPre;
use super::convert;
use super::instance::Instance;
use super::linked::Linked;
use super::pool::{Pool, Pools, Sharing};
use super::state::State;
use super::vitals::{Active, Vitals};
use crate::config;
use crate::model::provider::{Action, Info, Input, Operation};
use crate::model::{Error, Kind, Result};
use crate::plugin::catalog::Health;
use crate::plugin::{Exchange, Provider, Tenancy};

/// What all instances of a version share.
pub(super) struct Version {
    pub(super) vitals: Arc<Vitals>,
    pub(super) code: Linked<ProviderPluginPre<State>>,
    pool: Pool<Instance>,
    /// What `describe` answered, by settings.
    described: Mutex<HashMap<String, Arc<Info>>>,
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

// === impl Version ===

impl Version {
    pub(super) fn new(
        vitals: Vitals,
        code: Linked<ProviderPluginPre<State>>,
        idle_instances: usize,
        pools: &Pools,
    ) -> Self {
        Self { vitals: Arc::new(vitals), code, pool: Pool::among(pools, idle_instances), described: Mutex::default() }
    }

    fn instance(&self, tenancy: &Tenancy) -> Result<Instance> {
        self.pool.take(&Sharing::of(tenancy)).map_or_else(|| self.fresh(), Ok)
    }

    /// A new instance; where the engine has no room left, in place of idle ones.
    fn fresh(&self) -> Result<Instance> {
        match Instance::new(self) {
            Err(error) if error.kind() == Kind::Overloaded && self.pool.reclaim() => Instance::new(self),
            outcome => outcome,
        }
    }
}

impl Health for Version {
    fn traps(&self) -> u64 {
        self.vitals.traps()
    }

    fn instances(&self) -> usize {
        self.vitals.active() + self.pool.len()
    }

    fn quarantine(&self) -> Option<String> {
        self.vitals.quarantine()
    }
}

// === impl WasmProvider ===

impl Provider for WasmProvider {
    fn is_slow(&self) -> bool {
        self.0.vitals.slowness.is_slow()
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

    fn rest(&self) {
        self.0.code.rest();
    }

    fn open(&self, operation: Operation, settings: &str, tenancy: &Tenancy) -> Result<Box<dyn Exchange>> {
        let version = &self.0;
        version.vitals.admit()?;
        let active = version.vitals.enter()?;
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

// === impl WasmExchange ===

impl Exchange for WasmExchange {
    fn is_slow(&self) -> bool {
        self.version.vitals.slowness.is_slow()
    }

    fn advance(&mut self, input: Input) -> Result<Vec<Action>> {
        let Some((instance, resource)) = &mut self.live else {
            return Err(Error::internal(format!("exchange of plugin `{}` is over", self.version.vitals.id)));
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
                self.version.vitals.well();
            }
            return;
        }
        match instance.close(&self.version, resource) {
            Ok(()) => {
                if self.finished {
                    self.version.vitals.well();
                }
                if instance.fit() {
                    self.version.pool.put(instance, Sharing::of(&self.tenancy));
                }
            }
            Err(error) => {
                tracing::warn!(
                    plugin = &*self.version.vitals.id,
                    error = error.to_string(),
                    "a guest failed while it ended an exchange"
                )
            }
        }
    }
}
