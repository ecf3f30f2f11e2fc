//! Where versions come from: the binary itself, then the directory, which is watched.
//!
//! A file counts once it hasn't changed for a moment. A bad file leaves the last good version in place; a file that is gone
//! takes its plugin with it, unless a bundled one of the same id stands behind it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io::Read;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::TryFutureExt;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use notify::{RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::engine::Sandbox;
use super::stage::{LARGEST, Source, stage};
use super::warm::apart;
use crate::config;
use crate::model::plugin::Origin;
use crate::model::{Error, Result};
use crate::plugin::Catalog;
use crate::plugin::bundled::Bundled;
use crate::plugin::catalog::{Entry, Published};
use crate::plugin::manifest::refused;

/// How long a file must not have changed to be whole.
const SETTLED: Duration = Duration::from_millis(100);
/// A file that was changed longer ago than this is not being written: a start doesn't wait for it. File systems that count
/// time in whole seconds are not exact to less.
const OLD: Duration = Duration::from_secs(3);

/// Loads plugins into a catalogue, and keeps it in step with the directory.
pub struct Loader {
    sandbox: Sandbox,
    config: config::Plugins,
    catalog: Arc<Catalog>,
    bundled: BTreeMap<String, Arc<Published>>,
    files: BTreeMap<PathBuf, File>,
    /// Whether files wait for another scan.
    pending: bool,
}

/// What is known of a file in the directory.
struct File {
    /// Absent if it is to be loaded again, changed or not.
    signature: Option<Signature>,
    /// The entry of the catalogue that it stands under: the id of what it published, or its own name if that is nothing.
    id: String,
    published: Option<Arc<Published>>,
    /// Why its content isn't what is published.
    error: Option<String>,
}

/// Another signature, another content.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Signature {
    length: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

// === impl Loader ===

impl Loader {
    /// Loads `bundled` and what the directory holds now.
    ///
    /// # Errors
    /// If a bundled plugin can't be loaded, which a directory's can without harm.
    pub async fn load(sandbox: Sandbox, config: config::Plugins, bundled: &'static [Bundled]) -> Result<Self> {
        let mut loader = Self {
            sandbox,
            config,
            catalog: Arc::default(),
            bundled: BTreeMap::new(),
            files: BTreeMap::new(),
            pending: false,
        };
        if loader.sandbox.cache.is_new()
            && let Some(compiler) = loader.config.compiler.clone()
        {
            run_blocking(move || {
                apart(&compiler);
                Ok(())
            })
            .await?;
        }
        // As many at once as there are processors.
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let staging = stream::iter(bundled).map(|bundled| {
            let (sandbox, config) = (loader.sandbox.clone(), loader.config.clone());
            let staged = run_blocking(move || stage(&sandbox, &config, Source::Bundled(bundled)));
            staged.map_err(|error| Error::internal(format!("bundled plugin {}: {error}", bundled.id)))
        });
        let staged: Vec<Published> = staging.buffered(threads).try_collect().await?;
        for published in staged {
            loader.sandbox.counts.load(true);
            let id = published.manifest.id.clone();
            loader.bundled.insert(id.clone(), Arc::new(published));
            loader.show(&id);
        }
        loader.scan().await;
        Ok(loader)
    }

    /// What is loaded.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog.clone()
    }

    /// Stages one file that isn't published: what `mortise plugin check` does.
    ///
    /// # Errors
    /// Says why the file couldn't be loaded.
    pub async fn check(sandbox: &Sandbox, config: &config::Plugins, path: &Path) -> Result<Published> {
        let (sandbox, config, path) = (sandbox.clone(), config.clone(), path.to_owned());
        run_blocking(move || stage(&sandbox, &config, Source::File(&read(&path)?))).await
    }

    /// Keeps the catalogue in step with the directory until it is dropped.
    pub async fn watch(mut self) {
        let (notice, mut notices) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| !event.kind.is_access()) {
                // A full channel holds a notice already.
                let _ = notice.try_send(());
            }
        });
        // Kept alive while this runs; where the system can't watch, the rescan alone finds changes.
        let mut watcher = watcher
            .inspect_err(|error| tracing::warn!(error = error.to_string(), "the plugin directory can't be watched"))
            .ok();
        let mut watched = false;
        loop {
            if let Some(watcher) = watcher.as_mut().filter(|_| !watched) {
                watched = watcher.watch(&self.config.directory, RecursiveMode::NonRecursive).is_ok();
            }
            let next = Instant::now() + if self.pending { SETTLED } else { self.config.rescan };
            if timeout_at(next, notices.recv()).await == Ok(None) {
                // Without a watcher there is nobody to send a notice.
                sleep_until(next).await;
            }
            self.scan().await;
        }
    }

    /// Brings the catalogue in step with the directory once; what is still being written waits for the next time.
    async fn scan(&mut self) {
        let Some(mut found) = self.look().await else { return };
        let mut whole = found.clone();
        if found.iter().any(|(path, signature)| self.is_new(path, signature) && !signature.is_old()) {
            sleep_until(Instant::now() + SETTLED).await;
            let Some(again) = self.look().await else { return };
            whole.retain(|path, signature| again.get(path) == Some(signature));
            found = again;
        }
        let gone: Vec<PathBuf> = self.files.keys().filter(|path| !found.contains_key(*path)).cloned().collect();
        for path in gone {
            if let Some(file) = self.files.remove(&path) {
                tracing::info!(plugin = file.id, file = %path.display(), "the file of plugin `{}` was removed", file.id);
                self.leave(&file);
            }
        }
        for (path, signature) in whole {
            if self.is_new(&path, &signature) {
                self.take(path, signature).await;
            }
        }
        self.pending = self.differs(&found);
    }

    fn differs(&self, found: &BTreeMap<PathBuf, Signature>) -> bool {
        found.iter().any(|(path, signature)| self.is_new(path, signature))
    }

    fn is_new(&self, path: &Path, signature: &Signature) -> bool {
        self.files.get(path).is_none_or(|file| file.signature.as_ref() != Some(signature))
    }

    /// What the directory holds now, unless the server is ending.
    async fn look(&self) -> Option<BTreeMap<PathBuf, Signature>> {
        let directory = self.config.directory.clone();
        tokio::task::spawn_blocking(move || list(&directory)).await.ok()
    }

    /// Loads a new or changed file.
    async fn take(&mut self, path: PathBuf, signature: Signature) {
        let before = self.files.remove(&path);
        let outcome = Self::check(&self.sandbox, &self.config, &path).await.and_then(|published| {
            let manifest = &published.manifest;
            match self.owner(&manifest.id) {
                Some((other, _)) => Err(refused(format!(
                    "plugin `{}` is already loaded from {}; remove one of the two files",
                    manifest.id,
                    other.file_name().unwrap_or_default().display()
                ))),
                None => Ok(published),
            }
        });
        self.sandbox.counts.load(outcome.is_ok());
        let (shown, signature) = (path.display().to_string(), Some(signature));
        let file = match outcome {
            Ok(published) => {
                let manifest = &published.manifest;
                tracing::info!(
                    plugin = manifest.id, version = manifest.version, digest = published.digest, file = %shown,
                    "plugin `{}` {} is loaded", manifest.id, manifest.version
                );
                File { signature, id: manifest.id.clone(), published: Some(Arc::new(published)), error: None }
            }
            Err(error) => {
                let (id, published) = match &before {
                    Some(before) => (before.id.clone(), before.published.clone()),
                    None => (path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), None),
                };
                tracing::error!(plugin = id, file = %shown, error = error.to_string(), "plugin `{id}` was not loaded");
                File { signature, id, published, error: Some(error.public().to_owned()) }
            }
        };
        let id = file.id.clone();
        self.files.insert(path, file);
        self.show(&id);
        if let Some(before) = before.filter(|before| before.id != id) {
            self.leave(&before);
        }
    }

    /// `file` doesn't stand under its entry any more.
    fn leave(&mut self, file: &File) {
        self.show(&file.id);
        if file.published.is_some() {
            // What was refused because of it may fit now.
            for refused in self.files.values_mut().filter(|other| other.error.is_some()) {
                refused.signature = None;
            }
        }
    }

    /// Brings the entry `id` of the catalogue in step with the files that stand under it, and the bundled plugin behind them.
    fn show(&self, id: &str) {
        let owner = self.owner(id);
        let refused = self.files.iter().find(|(_, file)| file.id == id && file.error.is_some());
        // A plugin's own file says more of it than one that only has its name.
        let newest = owner.filter(|(_, file)| file.error.is_some()).or(refused).or(owner);
        let published = owner.and_then(|(_, file)| file.published.clone()).or_else(|| self.bundled.get(id).cloned());
        self.catalog.update(|catalog| {
            if published.is_none() && newest.is_none() {
                catalog.entries.remove(id);
                return;
            }
            let entry = Entry {
                origin: published.as_ref().map_or(Origin::Directory, |published| published.origin),
                published,
                file: newest.map(|(path, _)| path.display().to_string()),
                last_error: newest.and_then(|(_, file)| file.error.clone()),
            };
            catalog.entries.insert(id.to_owned(), entry);
        });
    }

    /// The file that plugin `id` was loaded from.
    fn owner(&self, id: &str) -> Option<(&PathBuf, &File)> {
        self.files.iter().find(|(_, file)| file.id == id && file.published.is_some())
    }
}

async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(refused(format!("loading it failed: {error}"))))
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let unreadable = |error: std::io::Error| refused(format!("can't read the file: {error}"));
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    if length > LARGEST {
        return Err(refused(format!("the file has {length} bytes; {LARGEST} are the most")));
    }
    let mut bytes = Vec::new();
    // It may grow while it is read.
    file.take(LARGEST).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// The plugin files in `directory`; none if it can't be read.
pub(super) fn list(directory: &Path) -> BTreeMap<PathBuf, Signature> {
    let Ok(entries) = std::fs::read_dir(directory) else { return BTreeMap::new() };
    entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let hidden = path.file_name()?.to_string_lossy().starts_with('.');
            if hidden || path.extension()? != "wasm" {
                return None;
            }
            // Through links, so that a directory of links, as container platforms mount it, works.
            let metadata = std::fs::metadata(&path).ok().filter(Metadata::is_file)?;
            Some((path, Signature::of(&metadata)))
        })
        .collect()
}

// === impl Signature ===

impl Signature {
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { length: metadata.len(), modified: metadata.modified().ok(), inode: metadata.ino() }
    }

    fn is_old(&self) -> bool {
        // By the clock that files are stamped with; a clock that was set back makes no file old.
        self.modified.and_then(|modified| modified.elapsed().ok()).is_some_and(|age| age > OLD)
    }
}
