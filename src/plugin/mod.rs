//! Plugins: what the rest of the house knows of them, whatever engine runs them.
//!
//! The contract stands here; the one engine is [`wasm`]. A [`Provider`] is one loaded version of a plugin; requests hold
//! on to the version that they began with. The [`Catalog`] says which versions are published.

pub mod bundled;
pub mod catalog;
pub mod drive;
pub mod grant;
pub mod manifest;
pub mod wasm;

use std::sync::Arc;

use crate::config::Isolation;
use crate::model::Result;
use crate::model::provider::{Action, Info, Input, Operation};

pub use catalog::{Catalog, Snapshot};

/// One loaded version of a provider plugin.
pub trait Provider: Send + Sync {
    /// What the plugin says of itself under these settings. Cheap after the first time.
    ///
    /// # Errors
    /// The plugin's own objection to the settings, or that it broke its limits.
    fn describe(&self, settings: &str) -> Result<Arc<Info>>;

    /// Begins an exchange.
    ///
    /// # Errors
    /// If no instance can be had, or the guest fails at once.
    fn open(&self, operation: Operation, settings: &str, tenancy: &Tenancy) -> Result<Box<dyn Exchange>>;

    /// Whether its guests take so long that nobody else should wait for the thread that they run on.
    fn is_slow(&self) -> bool;
}

/// Work in progress within a guest. Dropping it gives the instance back.
pub trait Exchange: Send {
    /// Hands `input` over and returns what the guest wants done.
    ///
    /// # Errors
    /// If the guest trapped or broke a limit; the exchange is then over.
    fn advance(&mut self, input: Input) -> Result<Vec<Action>>;

    /// See [`Provider::is_slow`].
    fn is_slow(&self) -> bool;
}

/// Who an exchange is for, and with whom it may share an instance.
#[derive(Clone, Debug)]
pub struct Tenancy {
    /// Who may use the instance afterwards.
    pub isolation: Isolation,
    /// The caller, as far as the server knows one.
    pub principal: Arc<str>,
}
