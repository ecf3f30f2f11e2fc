//! The toolbox: every tool of every published plugin, and calls of them.
//!
//! Arguments are checked against the tool's schema before a guest sees anything, and what is wrong with them is said in words
//! that a model can mend them by. What a tool answers is bounded. A call ends in an output or in a [`Failure`] that the model
//! reads; a plugin that breaks its limits is the latter too, and stands in the log.

mod check;
mod entry;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::clock::fresh;
use crate::model::caller::Caller;
use crate::model::chat::{Json, ResultPart};
use crate::model::tool::{Failure, FailureKind, Output, Progress};
use crate::model::{Error, Kind};
use crate::plugin::catalog::Snapshot;
use crate::plugin::{Catalog, ToolCall};
use crate::telemetry::metrics::Plugins;

pub use entry::{Entries, Entry};

/// Text that one call may answer; what goes beyond is left out, and said to be.
const LONGEST_TEXT: usize = 256 << 10;

/// A call of a tool.
#[derive(Clone, Debug)]
pub struct Call {
    /// The tool, as [`Entry::name`] calls it.
    pub name: String,
    /// What the model or the caller wrote; nothing is an empty object.
    pub arguments: Json,
    /// For whom.
    pub caller: Caller,
    /// The session's files.
    pub workspace: Option<PathBuf>,
    /// The session that it belongs to.
    pub session: Option<String>,
    /// The run that it belongs to.
    pub run: Option<String>,
    /// Names the call.
    pub call_id: String,
    /// Where the tool tells how far it has come; what nobody takes in time is dropped.
    pub progress: Option<mpsc::Sender<Progress>>,
}

/// See the module.
pub struct Toolbox {
    catalog: Arc<Catalog>,
    counts: Arc<Plugins>,
    /// Where files are that belong to no session.
    scratch: PathBuf,
    known: ArcSwap<Known>,
}

/// A directory that is gone with this.
pub struct Scratch(PathBuf);

/// The tools of one state of the catalogue.
struct Known {
    snapshot: Arc<Snapshot>,
    entries: Arc<Entries>,
}

// === impl Toolbox ===

impl Toolbox {
    /// The tools of `catalog`, whatever it publishes from now on; calls are counted in `counts`, and
    /// what they write without a session lies for that long below `scratch`.
    pub fn new(catalog: Arc<Catalog>, counts: Arc<Plugins>, scratch: PathBuf) -> Self {
        let known = Known::of(catalog.snapshot());
        Self { catalog, counts, scratch, known: ArcSwap::from_pointee(known) }
    }

    /// All tools, in the order of their names.
    pub fn specs(&self) -> Arc<Entries> {
        let snapshot = self.catalog.snapshot();
        let known = self.known.load();
        if Arc::ptr_eq(&known.snapshot, &snapshot) {
            return known.entries.clone();
        }
        // Two at once may both read it: the same comes of it.
        let known = Known::of(snapshot);
        let entries = known.entries.clone();
        self.known.store(Arc::new(known));
        entries
    }

    /// Calls a tool. Whoever drops the future stops it.
    ///
    /// # Errors
    /// What the model should read of why nothing came of it.
    pub async fn call(&self, call: Call) -> Result<Output, Failure> {
        let entries = self.specs();
        let Some(entry) = entries.get(&call.name) else { return Err(unknown(&call.name, &entries)) };
        let began = Instant::now();
        let outcome = self.run(entry, call).await;
        let told = outcome.as_ref().map_or_else(|failure| failure.kind.name(), |_| "ok");
        self.counts.tool(&entry.plugin, &entry.name, told, began.elapsed());
        outcome
    }

    /// Files for a call that belongs to no session: gone when this is dropped.
    ///
    /// # Errors
    /// If the directory can't be made.
    pub async fn scratch(&self) -> crate::model::Result<Scratch> {
        let path = self.scratch.join(fresh("scratch-"));
        tokio::fs::create_dir_all(&path).await.map_err(Error::internal)?;
        Ok(Scratch(path))
    }

    async fn run(&self, entry: &Entry, call: Call) -> Result<Output, Failure> {
        let arguments = check::arguments(entry, &call.arguments)?;
        let work = ToolCall {
            name: entry.spec.name.clone(),
            arguments,
            session: call.session,
            run: call.run,
            call: call.call_id,
            principal: call.caller.principal.clone(),
            workspace: call.workspace,
            progress: call.progress,
        };
        match entry.tool.call(work).await {
            Ok(Ok(output)) => Ok(bounded(output)),
            Ok(Err(failure)) => Err(failure),
            Err(error) => Err(broken(entry, &error)),
        }
    }
}

// === impl Scratch ===

impl Scratch {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let path = std::mem::take(&mut self.0);
        let remove = move || {
            if let Err(error) = std::fs::remove_dir_all(&path) {
                tracing::warn!(%error, path = %path.display(), "a call's files could not be removed");
            }
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(remove)),
            Err(_) => remove(),
        }
    }
}

impl Known {
    fn of(snapshot: Arc<Snapshot>) -> Self {
        Self { entries: Arc::new(Entries::of(&snapshot)), snapshot }
    }
}

fn unknown(name: &str, entries: &Entries) -> Failure {
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    let near = names.iter().filter(|known| strsim::normalized_levenshtein(known, name) > 0.6).copied();
    let near: Vec<&str> = near.collect();
    let hint = match (near.is_empty(), names.is_empty()) {
        (false, _) => format!("did you mean {}?", near.join(", ")),
        (true, false) => format!("there are: {}", names.join(", ")),
        (true, true) => "no plugin brings any tool".to_owned(),
    };
    Failure::new(FailureKind::NotFound, format!("there is no tool `{name}`; {hint}"))
}

/// A plugin that can't be had or broke its limits: the model reads that, the log reads why.
fn broken(entry: &Entry, error: &Error) -> Failure {
    tracing::warn!(
        plugin = entry.plugin,
        tool = entry.name,
        error = error.to_string(),
        "the call of tool `{}` came to nothing",
        entry.name
    );
    let kind = match error.kind() {
        Kind::Overloaded | Kind::Unavailable | Kind::Storage => FailureKind::Unavailable,
        _ => FailureKind::Failed,
    };
    Failure::new(kind, error.public())
}

/// `output` with no more text than a model can be given.
fn bounded(mut output: Output) -> Output {
    let mut left = LONGEST_TEXT;
    for part in &mut output.parts {
        let ResultPart::Text(text) = part else { continue };
        if text.len() > left {
            let cut = text.floor_char_boundary(left);
            let lost = text.len() - cut;
            text.truncate(cut);
            text.push_str(&format!("\n[{lost} more bytes are left out; ask for less at once]"));
            left = 0;
        } else {
            left -= text.len();
        }
    }
    output
}
