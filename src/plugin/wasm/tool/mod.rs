//! One loaded version of a tool plugin, and calls of its tools.
//!
//! A call runs on a fiber: a guest that waits holds no thread, and one that computes gives its thread up at every tick. Where a
//! version computes for long, its calls run apart from the threads that serve.
//!
//! An instance never changes its workspace: what a guest holds of one is never another's. So those kept warm are kept apart by
//! it.

mod calls;
mod instance;
mod meter;
mod state;

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use tokio::time::timeout;

use self::instance::Instance;
pub(in crate::plugin::wasm) use self::state::{Denials, Quota, State};
use super::bindings::tools::ToolPluginPre;
use super::engine::Apart;
use super::linked::Linked;
use super::pool::{Pool, Pools, Sharing};
use super::vitals::Vitals;
use crate::config::Isolation;
use crate::egress::tool::Door;
use crate::model::plugin::{Rights, Workspace};
use crate::model::tool::{Failure, FailureKind, Output, Spec};
use crate::model::{Error, Fault, Kind, Result};
use crate::plugin::catalog::Health;
use crate::plugin::kv::Memory;
use crate::plugin::process::Runner;
use crate::plugin::space::Space;
use crate::plugin::{Calling, Tool, ToolCall};

/// What all instances of a version share.
pub(in crate::plugin::wasm) struct Version {
    pub(in crate::plugin::wasm) vitals: Arc<Vitals>,
    pub(in crate::plugin::wasm) code: Linked<ToolPluginPre<State>>,
    pub(in crate::plugin::wasm) rights: Rights,
    pub(in crate::plugin::wasm) isolation: Isolation,
    /// Handed over with every call.
    pub(in crate::plugin::wasm) settings: String,
    pub(in crate::plugin::wasm) means: Means,
    pub(in crate::plugin::wasm) apart: Arc<Apart>,
    pool: Pool<Instance>,
}

/// What a version does its work with; absent where nobody gave it, as when a file is only checked.
#[derive(Clone, Default)]
pub(in crate::plugin::wasm) struct Means {
    /// The way out.
    pub(in crate::plugin::wasm) door: Option<Arc<Door>>,
    /// What it remembers.
    pub(in crate::plugin::wasm) memory: Option<Memory>,
    /// Starts programs.
    pub(in crate::plugin::wasm) runner: Option<Arc<Runner>>,
    /// How much it may write.
    pub(in crate::plugin::wasm) space: Option<Arc<Space>>,
}

/// What one call writes; it counts as written when this is dropped, however the call ended.
struct Counting {
    quota: Arc<Quota>,
    place: Option<(Arc<Space>, PathBuf)>,
}

/// A version whose tools can be called.
pub(in crate::plugin::wasm) struct WasmTool {
    version: Arc<Version>,
    specs: Vec<Spec>,
}

// === impl Version ===

impl Version {
    #[expect(clippy::too_many_arguments, reason = "it is made in one place, of parts that have no other order")]
    pub(in crate::plugin::wasm) fn new(
        vitals: Vitals,
        code: Linked<ToolPluginPre<State>>,
        rights: Rights,
        isolation: Isolation,
        settings: String,
        means: Means,
        apart: Arc<Apart>,
        idle_instances: usize,
        pools: &Pools,
    ) -> Self {
        let pool = Pool::among(pools, idle_instances);
        Self { vitals: Arc::new(vitals), code, rights, isolation, settings, means, apart, pool }
    }

    /// Lets go of code that can be read again when a tool is called.
    pub(in crate::plugin::wasm) fn rest(&self) {
        self.code.rest();
    }

    /// Asks a fresh guest for its tools.
    ///
    /// # Errors
    /// The plugin's own objection to the settings, or that it broke its limits.
    pub(in crate::plugin::wasm) async fn list(&self) -> Result<Vec<Spec>> {
        let limit = self.vitals.limits.time;
        let asking = async { Instance::new(self, None).await?.list(self).await };
        timeout(limit, asking).await.unwrap_or_else(|_| Err(self.late("list-tools")))
    }

    async fn run(&self, call: ToolCall) -> Result<Result<Output, Failure>> {
        let sharing = self.sharing(&call);
        let limit = self.vitals.limits.time;
        let (name, began) = (call.name.clone(), tokio::time::Instant::now());
        let mut instance = match self.pool.take(&sharing) {
            Some(instance) => instance,
            None => self.fresh(&call).await?,
        };
        let counting = self.counting(&call).await?;
        let left = limit.saturating_sub(began.elapsed());
        let Ok(outcome) = timeout(left, instance.call(self, call, counting.quota.clone())).await else {
            return Err(self.late(&name));
        };
        let outcome = outcome?;
        self.vitals.well();
        if instance.fit() {
            self.pool.put(instance, sharing);
        }
        Ok(outcome)
    }

    /// A new instance; where the engine has no room left, in place of idle ones.
    async fn fresh(&self, call: &ToolCall) -> Result<Instance> {
        let workspace = call.workspace.as_deref();
        match Instance::new(self, workspace).await {
            Err(error) if error.kind() == Kind::Overloaded && self.pool.reclaim() => {
                Instance::new(self, workspace).await
            }
            outcome => outcome,
        }
    }

    /// Counts what `call` writes.
    async fn counting(&self, call: &ToolCall) -> Result<Counting> {
        let most = self.vitals.limits.files as u64;
        let writes = self.rights.workspace == Some(Workspace::ReadWrite);
        let place = self.means.space.clone().zip(call.workspace.clone()).filter(|_| writes);
        let room = match &place {
            Some((space, path)) => space.room(path, most).await?,
            None => None,
        };
        Ok(Counting { quota: Arc::new(Quota::new(most, room)), place })
    }

    /// Who may have the instance afterwards.
    fn sharing(&self, call: &ToolCall) -> Sharing {
        let workspace = call.workspace.as_deref().filter(|_| self.rights.workspace.is_some());
        let place = workspace.map(|path| path.to_string_lossy());
        match (self.isolation, place) {
            (Isolation::Fresh, _) => Sharing::Nobody,
            (Isolation::Principal, None) => Sharing::Only(call.principal.clone()),
            (Isolation::Principal, Some(place)) => Sharing::Only(format!("{}\0{place}", call.principal).into()),
            (Isolation::Warm, None) => Sharing::Everybody,
            (Isolation::Warm, Some(place)) => Sharing::Only(format!("\0{place}").into()),
        }
    }

    fn late(&self, what: &str) -> Error {
        let (id, limit) = (&self.vitals.id, self.vitals.limits.time.as_millis());
        Error::new(
            Kind::Timeout,
            Fault::Plugin,
            format!("`{what}` of plugin `{id}` took longer than {limit} ms; raise plugins.limits.time if it has to"),
        )
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

    fn denial(&self) -> Option<String> {
        self.vitals.denial()
    }

    fn confinement(&self) -> Option<String> {
        if self.rights.programs.is_empty() {
            return None;
        }
        self.means.runner.as_ref()?.confinement()
    }
}

// === impl Counting ===

impl Drop for Counting {
    fn drop(&mut self) {
        if let Some((space, path)) = &self.place {
            space.wrote(path, self.quota.grown());
        }
    }
}

// === impl WasmTool ===

impl WasmTool {
    pub(in crate::plugin::wasm) fn new(version: Arc<Version>, specs: Vec<Spec>) -> Self {
        Self { version, specs }
    }
}

impl Tool for WasmTool {
    fn specs(&self) -> &[Spec] {
        &self.specs
    }

    fn call(&self, call: ToolCall) -> Calling {
        let version = self.version.clone();
        Box::pin(async move {
            version.vitals.admit()?;
            let _active = version.vitals.enter()?;
            let slow = version.vitals.slowness.is_slow();
            let apart = version.apart.clone();
            let running = async move { version.run(call).await };
            if slow { apart.run(running).await } else { running.await }
        })
    }
}

/// What became of a call, with the cures of what was denied in it: whoever reads the failure can mend it.
pub(in crate::plugin::wasm) fn cured(outcome: Result<Output, Failure>, denials: &Denials) -> Result<Output, Failure> {
    let said = std::mem::take(&mut *denials.said.lock().unwrap_or_else(PoisonError::into_inner));
    outcome.map_err(|mut failure| {
        if failure.kind == FailureKind::Failed && !said.is_empty() {
            failure.kind = FailureKind::Denied;
        }
        for cure in said {
            if !failure.message.contains(&cure) {
                failure.message = format!("{} ({cure})", failure.message);
            }
        }
        failure
    })
}
