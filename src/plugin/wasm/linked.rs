//! Code that can be instantiated: read when somebody needs it.
//!
//! Most of the plugins that a server has bundled are never asked; what they take (a millisecond or two of the start, more than
//! a megabyte each) is taken only for those that are.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::bindings::ProviderPluginPre;
use super::bindings::tools::ToolPluginPre;
use super::cache::Cache;
use super::import;
use super::state::State;
use super::tool;
use crate::model::{Error, Result};
use crate::plugin::bundled::Bundled;
use crate::plugin::manifest::{self, refused};

/// See the module.
pub(super) struct Linked<P> {
    /// Where it is read from; what can't be read again is always there.
    kept: Option<(Kept, Link<P>)>,
    code: ArcSwapOption<Result<P>>,
    reading: Mutex<()>,
}

/// Makes code of kind `P` of a component.
type Link<P> = fn(&str, &Component) -> Result<P>;

/// A component whose compiled code is kept.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) engine: Engine,
    pub(super) cache: Arc<Cache>,
    pub(super) bundled: &'static Bundled,
}

// === impl Linked ===

impl<P: Clone> Linked<P> {
    /// What is there already, and always will be.
    pub(super) fn now(code: P) -> Self {
        Self { kept: None, code: ArcSwapOption::from_pointee(Ok(code)), reading: Mutex::default() }
    }

    /// What is linked by `link` when it is needed.
    pub(super) fn later(kept: Kept, link: Link<P>) -> Self {
        Self { kept: Some((kept, link)), code: ArcSwapOption::empty(), reading: Mutex::default() }
    }

    /// # Errors
    /// If it can't be read or compiled; that stays so.
    pub(super) fn get(&self) -> Result<P> {
        if let Some(code) = &*self.code.load() {
            return Result::clone(code);
        }
        let _turn = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may have been faster.
        if let Some(code) = &*self.code.load() {
            return Result::clone(code);
        }
        let Some((kept, link)) = &self.kept else { return Err(Error::internal("a plugin's code is gone")) };
        let code = kept.component().and_then(|component| link(kept.bundled.id, &component));
        self.code.store(Some(Arc::new(code.clone())));
        code
    }

    /// Lets go of what can be read again.
    pub(super) fn rest(&self) {
        if self.kept.is_some() {
            self.code.store(None);
        }
    }
}

// === impl Kept ===

impl Kept {
    fn component(&self) -> Result<Component> {
        let Bundled { id, component, digest } = self.bundled;
        let compiled = self.cache.compile(&self.engine, component, digest);
        compiled.map(|(component, _)| component).map_err(|error| not_running(id, &error))
    }
}

/// Code of a provider.
///
/// # Errors
/// If it isn't one.
pub(super) fn provider(id: &str, component: &Component) -> Result<ProviderPluginPre<State>> {
    let linker = import::linker(component).map_err(|error| refused(format!("plugin `{id}`: {error}")))?;
    linker.instantiate_pre(component).and_then(ProviderPluginPre::new).map_err(|error| unfit(id, "provider", &error))
}

/// Code of a plugin of tools.
///
/// # Errors
/// If it isn't one.
pub(super) fn tools(id: &str, component: &Component) -> Result<ToolPluginPre<tool::State>> {
    let linker = import::tool_linker(component).map_err(|error| refused(format!("plugin `{id}`: {error}")))?;
    linker.instantiate_pre(component).and_then(ToolPluginPre::new).map_err(|error| unfit(id, "tool", &error))
}

/// The bytes can't be compiled.
pub(super) fn not_running(id: &str, error: &wasmtime::Error) -> Error {
    refused(format!("plugin `{id}` is no component that runs here: {error:#}"))
}

fn unfit(id: &str, world: &str, error: &wasmtime::Error) -> Error {
    refused(format!(
        "plugin `{id}` doesn't fit mortise:plugin/{world}@{}: {error:#}; rebuild it with the server's SDK",
        manifest::API
    ))
}
