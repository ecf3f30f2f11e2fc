//! One live guest, and calls into it.

use wasmtime::component::ResourceAny;
use wasmtime::{Store, Trap};

use super::bindings::ProviderPlugin;
use super::bindings::provider as wit;
use super::convert;
use super::limits::Limiter;
use super::provider::Version;
use super::state::{OutOfTime, State};
use crate::model::provider::Info;
use crate::model::{Error, Fault, Kind, Result};
use crate::telemetry::metrics::Alive;

/// A live guest. It is either idle or serves one exchange.
pub(super) struct Instance {
    store: Store<State>,
    guest: ProviderPlugin,
    /// Exchanges that it has served.
    served: u32,
    _alive: Alive,
}

/// An instance is dropped after so many exchanges: what a guest leaks stays bounded.
const SERVICE_LIFE: u32 = 10_000;
/// An instance that grew beyond this is dropped rather than kept.
const LEAN: usize = 8 << 20;

// === impl Instance ===

impl Instance {
    pub(super) fn new(version: &Version) -> Result<Self> {
        let (vitals, code) = (&*version.vitals, version.code.get()?);
        let state = State::new(vitals.id.clone(), &vitals.limits, vitals.slowness.clone());
        let mut store = Store::new(code.engine(), state);
        store.limiter(|state| &mut state.limiter);
        store.epoch_deadline_callback(|mut store| store.data_mut().cpu.tick());
        store.set_hostcall_fuel(vitals.limits.call_bytes);
        store.set_epoch_deadline(1);
        match code.instantiate(&mut store) {
            Ok(guest) => Ok(Self { store, guest, served: 0, _alive: vitals.counts.alive() }),
            Err(error) if error.is::<wasmtime::PoolConcurrencyLimitError>() => Err(crowded()),
            Err(error) => Err(vitals.trapped(&explain(&error, &store.data().limiter), &error)),
        }
    }

    /// Whether it may serve another exchange.
    pub(super) fn fit(&self) -> bool {
        self.served < SERVICE_LIFE && self.store.data().limiter.used() <= LEAN
    }

    pub(super) fn describe(&mut self, version: &Version, settings: &str) -> Result<Info> {
        let settings = settings.to_owned();
        let answer =
            self.call(version, |guest, store| guest.mortise_plugin_provider().call_describe(store, &settings))?;
        match answer {
            Ok(info) => Ok(convert::info(info)),
            Err(error) => Err(convert::failure(error).into_error(&version.vitals.id)),
        }
    }

    pub(super) fn open(
        &mut self,
        version: &Version,
        operation: &wit::Operation,
        settings: &str,
    ) -> Result<ResourceAny> {
        self.served += 1;
        self.store.data_mut().log.refill();
        let settings = settings.to_owned();
        self.call(version, |guest, store| {
            guest.mortise_plugin_provider().exchange().call_constructor(store, operation, &settings)
        })
    }

    pub(super) fn advance(
        &mut self,
        version: &Version,
        exchange: ResourceAny,
        input: &wit::Input,
    ) -> Result<Vec<wit::Action>> {
        self.call(version, |guest, store| {
            guest.mortise_plugin_provider().exchange().call_advance(store, exchange, input)
        })
    }

    /// Ends an exchange; the guest may run its destructor.
    pub(super) fn close(&mut self, version: &Version, exchange: ResourceAny) -> Result<()> {
        self.call(version, |_, store| exchange.resource_drop(store))
    }

    fn call<T>(
        &mut self,
        version: &Version,
        call: impl FnOnce(&ProviderPlugin, &mut Store<State>) -> wasmtime::Result<T>,
    ) -> Result<T> {
        self.store.set_epoch_deadline(1);
        self.store.data_mut().cpu.start();
        self.store.data_mut().limiter.begin_call();
        let outcome = call(&self.guest, &mut self.store);
        version.vitals.counts.called(outcome.is_ok());
        outcome.map_err(|error| version.vitals.trapped(&explain(&error, &self.store.data().limiter), &error))
    }
}

/// The engine has no room for another instance.
pub(super) fn crowded() -> Error {
    Error::new(Kind::Overloaded, Fault::Us, "all plugin instances are in use; try again, or raise plugins.instances")
        .with_retry_after(Some(std::time::Duration::from_secs(1)))
}

/// Why a guest was stopped, in words for whoever runs it.
pub(super) fn explain(error: &wasmtime::Error, limiter: &Limiter) -> String {
    if let Some(out_of_time) = error.downcast_ref::<OutOfTime>() {
        return out_of_time.to_string();
    }
    if let Some(hit) = &limiter.hit {
        return hit.clone();
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => "its calls nest deeper than its stack of 512 KiB; it recurses without end".into(),
        Some(Trap::UnreachableCodeReached) => "it panicked; its words are in the log".into(),
        Some(trap) => format!("it trapped: {trap}"),
        None => {
            let root = error.root_cause().to_string();
            if root.contains("fuel") {
                "it handed over more than one call may; raise plugins.limits.call_bytes".into()
            } else {
                root
            }
        }
    }
}
