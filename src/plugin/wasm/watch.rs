//! Where versions come from: the binary itself, then the directory, which is watched.
//!
//! A file counts once it hasn't changed for a moment. A bad file leaves the last good version in place; a file that is gone
//! takes its plugin with it, unless a bundled one of the same id stands behind it.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use notify::{RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::engine::Sandbox;
use super::stage::{LARGEST, stage};
use crate::config;
use crate::model::plugin::Origin;
use crate::model::{Error, Result};
use crate::plugin::Catalog;
use crate::plugin::catalog::{Entry, Published};
use crate::plugin::manifest::refused;

/// How long a file must not have changed to be whole.
const SETTLED: Duration = Duration::from_millis(100);

/// Loads plugins into a catalogue, and keeps it in step with the directory.
pub struct Loader {
    sandbox: Sandbox,
    config: config::Plugins,
    catalog: Arc<Catalog>,
    bundled: BTreeMap<String, Arc<Published>>,
    files: BTreeMap<PathBuf, File>,
}

/// What is known of a file in the directory.
struct File {
    signature: Signature,
    /// The entry of the catalogue that it stands under: its plugin's id, or its own name if that couldn't be read.
    id: String,
    published: Option<Arc<Published>>,
}

/// Another signature, another content.
#[derive(Clone, PartialEq, Eq)]
struct Signature {
    length: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

// === impl Loader ===

impl Loader {
    /// Loads `bundled` (file name and component) and what the directory holds now.
    ///
    /// # Errors
    /// If a bundled plugin can't be loaded, which a directory's can without harm.
    pub async fn load(
        sandbox: Sandbox,
        config: config::Plugins,
        bundled: &'static [(&'static str, &'static [u8])],
    ) -> Result<Self> {
        let mut loader =
            Self { sandbox, config, catalog: Arc::default(), bundled: BTreeMap::new(), files: BTreeMap::new() };
        for (name, bytes) in bundled {
            let published = loader
                .stage(Origin::Bundled, bytes)
                .await
                .map_err(|error| Error::internal(format!("bundled plugin {name}: {error}")))?;
            let published = Arc::new(published);
            let id = published.manifest.id.clone();
            loader.bundled.insert(id.clone(), published.clone());
            loader.catalog.update(|catalog| {
                catalog.entries.insert(id, Entry::of(published, None));
            });
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
        let bytes = read(path)?;
        let (sandbox, config) = (sandbox.clone(), config.clone());
        run_blocking(move || stage(&sandbox, &config, Origin::Directory, &bytes)).await
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
        let mut watcher =
            watcher.inspect_err(|error| tracing::warn!(%error, "the plugin directory can't be watched")).ok();
        let mut watched = false;
        loop {
            if let Some(watcher) = watcher.as_mut().filter(|_| !watched) {
                watched = watcher.watch(&self.config.directory, RecursiveMode::NonRecursive).is_ok();
            }
            if timeout_at(Instant::now() + self.config.rescan, notices.recv()).await == Ok(None) {
                // Without a watcher there is nobody to send a notice.
                sleep_until(Instant::now() + self.config.rescan).await;
            }
            self.scan().await;
        }
    }

    /// Brings the catalogue in step with the directory once.
    async fn scan(&mut self) {
        let mut found = list(&self.config.directory);
        let changed = |found: &BTreeMap<PathBuf, Signature>, files: &BTreeMap<PathBuf, File>| {
            found.iter().any(|(path, signature)| files.get(path).is_none_or(|file| file.signature != *signature))
        };
        // Whole and stable: two looks in a row see the same.
        while changed(&found, &self.files) {
            sleep_until(Instant::now() + SETTLED).await;
            let again = list(&self.config.directory);
            if again == found {
                break;
            }
            found = again;
        }
        let gone: Vec<PathBuf> = self.files.keys().filter(|path| !found.contains_key(*path)).cloned().collect();
        for path in &gone {
            if let Some(file) = self.files.remove(path) {
                tracing::info!(plugin = file.id, file = %path.display(), "plugin `{}` was removed", file.id);
                self.withdraw(&file.id);
            }
        }
        if !gone.is_empty() {
            // What was refused because of another file may fit now.
            self.files.retain(|_, file| file.published.is_some());
        }
        for (path, signature) in found {
            if self.files.get(&path).is_none_or(|file| file.signature != signature) {
                self.take(path, signature).await;
            }
        }
    }

    /// Loads a new or changed file.
    async fn take(&mut self, path: PathBuf, signature: Signature) {
        let before = self.files.remove(&path);
        let outcome = match read(&path) {
            Ok(bytes) => self.stage(Origin::Directory, &bytes).await,
            Err(error) => Err(error),
        };
        let outcome = outcome.and_then(|published| match self.owner(&published.manifest.id) {
            Some(other) => Err(refused(format!(
                "plugin `{}` is already loaded from {}; remove one of the two files",
                published.manifest.id,
                other.file_name().unwrap_or_default().display()
            ))),
            None => Ok(published),
        });
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let shown = path.display().to_string();
        let (id, published) = match outcome {
            Ok(published) => {
                let published = Arc::new(published);
                let manifest = &published.manifest;
                tracing::info!(
                    plugin = manifest.id, version = manifest.version, digest = published.digest, file = %shown,
                    "plugin `{}` {} is loaded", manifest.id, manifest.version
                );
                let id = manifest.id.clone();
                self.catalog.update(|catalog| {
                    catalog.entries.insert(id.clone(), Entry::of(published.clone(), Some(shown)));
                });
                (id, Some(published))
            }
            Err(error) => {
                let id = before.as_ref().map_or(name, |file| file.id.clone());
                tracing::error!(plugin = id, file = %shown, %error, "plugin `{id}` was not loaded");
                self.catalog.update(|catalog| {
                    let entry = catalog.entries.entry(id.clone()).or_insert_with(|| Entry {
                        published: None,
                        origin: Origin::Directory,
                        file: None,
                        last_error: None,
                    });
                    entry.file = Some(shown);
                    entry.last_error = Some(error.public().to_owned());
                });
                (id, before.as_ref().and_then(|file| file.published.clone()))
            }
        };
        if let Some(before) = before.filter(|before| before.id != id) {
            self.withdraw(&before.id);
        }
        self.files.insert(path, File { signature, id, published });
    }

    /// Takes what a file stood for out of the catalogue; a bundled plugin of the same id comes back.
    fn withdraw(&self, id: &str) {
        let bundled = self.bundled.get(id).cloned();
        self.catalog.update(|catalog| {
            match bundled {
                Some(published) => catalog.entries.insert(id.to_owned(), Entry::of(published, None)),
                None => catalog.entries.remove(id),
            };
        });
    }

    /// The file that plugin `id` was loaded from.
    fn owner(&self, id: &str) -> Option<&Path> {
        let owns = |file: &File| file.published.as_ref().is_some_and(|published| published.manifest.id == id);
        self.files.iter().find(|(_, file)| owns(file)).map(|(path, _)| path.as_path())
    }

    async fn stage(&self, origin: Origin, bytes: &[u8]) -> Result<Published> {
        let (sandbox, config, bytes) = (self.sandbox.clone(), self.config.clone(), bytes.to_vec());
        run_blocking(move || stage(&sandbox, &config, origin, &bytes)).await
    }
}

async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(refused(format!("loading it failed: {error}"))))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let length = std::fs::metadata(path).map_err(|error| refused(format!("can't read the file: {error}")))?.len();
    if length > LARGEST {
        return Err(refused(format!("the file has {length} bytes; {LARGEST} are the most")));
    }
    std::fs::read(path).map_err(|error| refused(format!("can't read the file: {error}")))
}

/// The plugin files in `directory`; none if it can't be read.
fn list(directory: &Path) -> BTreeMap<PathBuf, Signature> {
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
}

// === impl Entry ===

impl Entry {
    fn of(published: Arc<Published>, file: Option<String>) -> Self {
        Self { origin: published.origin, published: Some(published), file, last_error: None }
    }
}
