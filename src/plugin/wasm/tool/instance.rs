//! One live tool guest, and calls into it.

use std::path::Path;
use std::sync::Arc;

use wasmtime::Store;

use super::state::{Quota, State};
use super::{Version, calls, cured};
use crate::model::tool::{Failure, Output, Spec};
use crate::model::{Error, Fault, Kind, Result};
use crate::plugin::ToolCall;
use crate::plugin::wasm::bindings::tools::ToolPlugin;
use crate::plugin::wasm::instance::{crowded, explain};
use crate::telemetry::metrics::Alive;

/// A live guest. It is either idle or serves one call.
pub(super) struct Instance {
    store: Store<State>,
    guest: ToolPlugin,
    /// Calls that it has served.
    served: u32,
    _alive: Alive,
}

/// An instance is dropped after so many calls: what a guest leaks stays bounded.
const SERVICE_LIFE: u32 = 10_000;
/// An instance that grew beyond this is dropped rather than kept.
const LEAN: usize = 8 << 20;
/// Handles that an idle guest may hold, such as its standard streams and its workspace.
const FEW_HANDLES: usize = 32;

// === impl Instance ===

impl Instance {
    pub(super) async fn new(version: &Version, workspace: Option<&Path>) -> Result<Self> {
        let (vitals, code) = (&*version.vitals, version.code.get()?);
        let mut store = Store::new(code.engine(), State::new(version, workspace)?);
        store.limiter(|state| &mut state.limiter);
        store.epoch_deadline_callback(|store| store.data().meter.tick());
        store.set_hostcall_fuel(vitals.limits.call_bytes);
        store.set_epoch_deadline(1);
        let meter = store.data().meter.clone();
        match meter.measure(code.instantiate_async(&mut store)).await {
            Ok(guest) => Ok(Self { store, guest, served: 0, _alive: vitals.counts.alive() }),
            Err(error) if error.is::<wasmtime::PoolConcurrencyLimitError>() => Err(crowded()),
            Err(error) => Err(vitals.trapped(&explain(&error, &store.data().limiter), &error)),
        }
    }

    /// Whether it may serve another call.
    pub(super) fn fit(&mut self) -> bool {
        let state = self.store.data_mut();
        let handles = state.table.iter_mut().take(FEW_HANDLES + 1).count();
        self.served < SERVICE_LIFE && state.limiter.used() <= LEAN && handles <= FEW_HANDLES
    }

    pub(super) async fn list(&mut self, version: &Version) -> Result<Vec<Spec>> {
        let meter = self.store.data().meter.clone();
        self.store.set_epoch_deadline(1);
        let asking = self.guest.mortise_plugin_tool().call_list_tools(&mut self.store, &version.settings);
        let outcome = meter.measure(asking).await;
        match self.answered(version, outcome)? {
            Ok(specs) => calls::specs(&version.vitals.id, specs),
            Err(error) => {
                let failure = calls::failure(error);
                let what = format!("plugin `{}` brings no tools: {}", version.vitals.id, failure.message);
                Err(Error::new(Kind::Plugin, Fault::Plugin, what))
            }
        }
    }

    /// Makes a call that may write as much as `files` says.
    pub(super) async fn call(
        &mut self,
        version: &Version,
        call: ToolCall,
        files: Arc<Quota>,
    ) -> Result<Result<Output, Failure>> {
        self.served += 1;
        self.store.data_mut().begin(&call, files);
        self.store.set_epoch_deadline(1);
        let meter = self.store.data().meter.clone();
        let context = calls::context(&call);
        let calling = self.guest.mortise_plugin_tool().call_call(
            &mut self.store,
            &call.name,
            &call.arguments,
            &context,
            &version.settings,
        );
        let outcome = meter.measure(calling).await;
        self.store.data_mut().watched = None;
        let denials = Arc::clone(&self.store.data().denials);
        let outcome = match self.answered(version, outcome)? {
            Ok(output) => calls::output(output, version.vitals.limits.output),
            Err(error) => Err(calls::failure(error)),
        };
        Ok(cured(outcome, &denials))
    }

    fn answered<T>(&self, version: &Version, outcome: wasmtime::Result<T>) -> Result<T> {
        version.vitals.counts.called(outcome.is_ok());
        outcome.map_err(|error| version.vitals.trapped(&explain(&error, &self.store.data().limiter), &error))
    }
}
