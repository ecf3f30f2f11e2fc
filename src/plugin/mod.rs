//! Plugins: what the rest of the house knows of them, whatever engine runs them.
//!
//! The contract stands here; the one engine is [`wasm`]. A [`Provider`] is one loaded version of a plugin; requests hold
//! on to the version that they began with; so is a [`Tool`]. The [`Catalog`] says which versions are published.

pub mod bundled;
pub mod catalog;
pub mod drive;
pub mod grant;
pub mod kv;
pub mod manifest;
pub mod process;
pub mod space;
pub mod wasm;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::config::Isolation;
use crate::model::Result;
use crate::model::chat::Json;
use crate::model::provider::{Action, Info, Input, Operation};
use crate::model::tool::{Failure, Output, Progress, Spec};

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

    /// Nobody will ask for a while: what can be had again is let go of.
    fn rest(&self);

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

/// One loaded version of a tool plugin.
pub trait Tool: Send + Sync {
    /// The tools that it brings, as it said when it was loaded.
    fn specs(&self) -> &[Spec];

    /// Calls one of them. Whoever drops the future stops the guest and what it started.
    fn call(&self, call: ToolCall) -> Calling;
}

/// A call under way: the tool's own failure is for the model, an error says that the plugin broke its limits or can't be had.
pub type Calling = Pin<Box<dyn Future<Output = Result<std::result::Result<Output, Failure>>> + Send>>;

/// What a tool is to do, where, and for whom.
#[derive(Clone, Debug)]
pub struct ToolCall {
    /// The tool's name.
    pub name: String,
    /// What it is to work on, checked against its schema.
    pub arguments: Json,
    /// The session that it belongs to.
    pub session: Option<String>,
    /// The run that it belongs to.
    pub run: Option<String>,
    /// Names the call.
    pub call: String,
    /// For whom.
    pub principal: Arc<str>,
    /// The session's files.
    pub workspace: Option<PathBuf>,
    /// Where it tells how far it has come; what nobody takes in time is dropped.
    pub progress: Option<mpsc::Sender<Progress>>,
}

/// Who an exchange is for, and with whom it may share an instance.
#[derive(Clone, Debug)]
pub struct Tenancy {
    /// Who may use the instance afterwards.
    pub isolation: Isolation,
    /// The caller, as far as the server knows one.
    pub principal: Arc<str>,
}
