//! Code that can be instantiated: read when somebody first needs it.
//!
//! Most of the plugins that a server has bundled are never asked; what they take (a millisecond or two of the start, more than
//! a megabyte each) is taken only for those that are.

use std::sync::{Arc, LazyLock};

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
pub(super) struct Linked<P>(LazyLock<Result<P>, Read<P>>);

type Read<P> = Box<dyn FnOnce() -> Result<P> + Send>;

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

impl<P: Send + 'static> Linked<P> {
    /// What is there already.
    pub(super) fn now(code: P) -> Self {
        let linked = Self(LazyLock::new(Box::new(move || Ok(code))));
        // Nothing stays for later.
        let _ = LazyLock::force(&linked.0);
        linked
    }

    /// What is linked by `link` when it is needed.
    pub(super) fn later(kept: Kept, link: Link<P>) -> Self {
        Self(LazyLock::new(Box::new(move || link(kept.bundled.id, &kept.component()?))))
    }

    /// # Errors
    /// If it can't be read or compiled; that stays so.
    pub(super) fn get(&self) -> Result<&P> {
        LazyLock::force(&self.0).as_ref().map_err(Clone::clone)
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
