//! What one tool instance's store holds: what the guest may use, and what bounds the call in progress.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::meter::Meter;
use super::{Means, Version};
use crate::egress::tool::Budget;
use crate::model::plugin::{Rights, Workspace};
use crate::model::tool::Progress;
use crate::model::{Error, Result};
use crate::plugin::ToolCall;
use crate::plugin::wasm::import::http::Hooks;
use crate::plugin::wasm::import::stdio::Printer;
use crate::plugin::wasm::limits::Limiter;
use crate::plugin::wasm::state::LogBudget;
use crate::plugin::wasm::vitals::Vitals;

/// The most random bytes that one call gets at once.
const RANDOM_BYTES: u64 = 64 << 10;
/// The headers of one request or response.
const FIELDS: usize = 64 << 10;

/// See the module.
pub(in crate::plugin::wasm) struct State {
    pub(in crate::plugin::wasm) vitals: Arc<Vitals>,
    pub(in crate::plugin::wasm) limiter: Limiter,
    pub(in crate::plugin::wasm) meter: Arc<Meter>,
    pub(in crate::plugin::wasm) log: Arc<Mutex<LogBudget>>,
    pub(in crate::plugin::wasm) table: ResourceTable,
    pub(in crate::plugin::wasm) wasi: WasiCtx,
    pub(in crate::plugin::wasm) http: WasiHttpCtx,
    pub(in crate::plugin::wasm) hooks: Hooks,
    pub(in crate::plugin::wasm) denials: Arc<Denials>,
    /// Bytes that the call in progress may still write to files.
    pub(in crate::plugin::wasm) files: Arc<Quota>,
    pub(in crate::plugin::wasm) rights: Rights,
    pub(in crate::plugin::wasm) means: Means,
    pub(in crate::plugin::wasm) workspace: Option<PathBuf>,
    /// The call in progress, if somebody wants to know how far it has come.
    pub(in crate::plugin::wasm) watched: Option<Watched>,
}

/// A call that somebody watches.
pub(in crate::plugin::wasm) struct Watched {
    pub(in crate::plugin::wasm) id: String,
    pub(in crate::plugin::wasm) tool: String,
    pub(in crate::plugin::wasm) progress: mpsc::Sender<Progress>,
}

/// What the guest was kept from in the call in progress.
pub(in crate::plugin::wasm) struct Denials {
    vitals: Arc<Vitals>,
    /// The cures, each once.
    pub(super) said: Mutex<Vec<String>>,
}

/// Bytes that may still be written: in a call, and in its workspace, where what is removed makes room again.
#[derive(Debug)]
pub(in crate::plugin::wasm) struct Quota {
    call: AtomicU64,
    /// What the workspace had room for, if it has a bound, and has now.
    room: Option<(u64, AtomicU64)>,
    /// Whether it was the workspace that had no room.
    full: AtomicBool,
}

// === impl State ===

impl State {
    pub(super) fn new(version: &Version, workspace: Option<&Path>) -> Result<Self> {
        let vitals = version.vitals.clone();
        let limits = vitals.limits;
        let log = Arc::new(Mutex::new(LogBudget::new(limits.log)));
        let denials = Arc::new(Denials { vitals: vitals.clone(), said: Mutex::default() });
        let mut wasi = WasiCtxBuilder::new();
        wasi.max_random_size(RANDOM_BYTES)
            .stdout(Printer::new(&vitals.id, &log, false))
            .stderr(Printer::new(&vitals.id, &log, true));
        let workspace = workspace.filter(|_| version.rights.workspace.is_some());
        if let (Some(path), Some(right)) = (workspace, version.rights.workspace) {
            let perms = match right {
                Workspace::ReadOnly => FsPerms::ReadOnly,
                Workspace::ReadWrite => FsPerms::ReadWrite,
            };
            wasi.preopened_dir(path, "/workspace", perms).map_err(|error| {
                Error::internal(format!("the workspace {} can't be opened: {error:#}", path.display()))
            })?;
        }
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(FIELDS);
        let mut table = ResourceTable::new();
        table.set_max_capacity(usize::try_from(limits.handles).unwrap_or(usize::MAX));
        Ok(Self {
            limiter: Limiter::new(&limits),
            meter: Arc::new(Meter::new(limits.tool_cpu, vitals.slowness.clone())),
            log,
            table,
            wasi: wasi.build(),
            http,
            hooks: Hooks::new(version.means.door.clone(), denials.clone(), &vitals.id),
            denials,
            files: Arc::new(Quota::new(0, None)),
            rights: version.rights.clone(),
            means: version.means.clone(),
            workspace: workspace.map(Path::to_owned),
            watched: None,
            vitals,
        })
    }

    /// A call begins that may write as much as `files` says: what bounds it is whole again.
    pub(super) fn begin(&mut self, call: &ToolCall, files: Arc<Quota>) {
        let limits = &self.vitals.limits;
        self.limiter.begin_call();
        self.log.lock().unwrap_or_else(PoisonError::into_inner).refill();
        self.denials.said.lock().unwrap_or_else(PoisonError::into_inner).clear();
        // What an earlier call left half done goes on with what that call had.
        self.files = files;
        self.hooks.begin(Budget::new(limits.requests, limits.download as u64, limits.call_bytes));
        let watched = |progress| Watched { id: call.call.clone(), tool: call.name.clone(), progress };
        self.watched = call.progress.clone().map(watched);
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

// === impl Denials ===

impl Denials {
    /// The guest was kept from something for want of `right`; `cure` says in words from what, and what would allow it.
    pub(in crate::plugin::wasm) fn deny(&self, right: &'static str, cure: String) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        // A guest that tries again and again is told of once.
        if said.len() < 4 && !said.contains(&cure) {
            self.vitals.denied(right, &cure);
            said.push(cure);
        }
    }

    /// The plugin's id.
    pub(in crate::plugin::wasm) fn plugin(&self) -> &str {
        &self.vitals.id
    }
}

// === impl Quota ===

impl Quota {
    /// What one call may write, in a workspace that has `room`.
    pub(super) fn new(call: u64, room: Option<u64>) -> Self {
        let room = room.map(|room| (room, AtomicU64::new(room)));
        Self { call: AtomicU64::new(call), room, full: AtomicBool::new(false) }
    }

    /// Takes `bytes`, if so many are left.
    pub(in crate::plugin::wasm) fn take(&self, bytes: u64) -> bool {
        let from = |left: &AtomicU64| {
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
        };
        if self.room.as_ref().is_some_and(|(_, room)| !from(room)) {
            self.full.store(true, Ordering::Relaxed);
            return false;
        }
        from(&self.call)
    }

    /// So many bytes are gone from the workspace.
    pub(in crate::plugin::wasm) fn give(&self, bytes: u64) {
        if let Some((_, room)) = &self.room {
            // It never overflows where it can be true.
            room.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// By how much the workspace has grown.
    pub(super) fn grown(&self) -> i64 {
        let (before, now) = self.room.as_ref().map_or((0, 0), |(before, room)| (*before, room.load(Ordering::Relaxed)));
        i64::try_from(i128::from(before) - i128::from(now)).unwrap_or_default()
    }

    /// Whether the workspace is full already.
    pub(in crate::plugin::wasm) fn is_full(&self) -> bool {
        self.room.as_ref().is_some_and(|(_, room)| room.load(Ordering::Relaxed) == 0)
    }

    /// What would allow more, where a call is kept from writing.
    pub(in crate::plugin::wasm) fn cure(&self, plugin: &str) -> String {
        if self.full.load(Ordering::Relaxed) || self.is_full() {
            return format!(
                "plugin `{plugin}` wrote more than the session's workspace may hold; remove files, or raise \
                 sessions.workspace_quota"
            );
        }
        format!("plugin `{plugin}` wrote more than one call may; raise plugins.limits.files")
    }
}
