//! Compiled code, kept in a private directory under the digest of the file and of the engine that compiled it.
//!
//! Compiled code is trusted by who loads it, so it is only read from a directory that nobody else can write to, and each
//! file carries a digest of its own against bits that rot. Without such a directory everything still works, without cache.

use std::hash::{Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Files that are kept; the oldest go first.
const MOST: usize = 128;

/// See the module.
pub(super) struct Cache {
    directory: Option<PathBuf>,
    engine: u64,
}

// === impl Cache ===

impl Cache {
    pub(super) fn new(directory: &Path, engine: &Engine) -> Self {
        let directory = match private(directory) {
            Ok(()) => Some(directory.to_owned()),
            Err(reason) => {
                tracing::warn!(directory = %directory.display(), %reason, "compiled plugins are not kept");
                None
            }
        };
        // Stable for one build of the host, which is all that is wanted: another build makes another file.
        let mut hasher = std::hash::DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Self { directory, engine: hasher.finish() }
    }

    /// The component in `bytes`, compiled now or earlier; `digest` is that of `bytes`.
    pub(super) fn compile(&self, engine: &Engine, bytes: &[u8], digest: &str) -> wasmtime::Result<Component> {
        let Some(path) = self.directory.as_ref().map(|path| path.join(format!("{digest}-{:016x}.cwasm", self.engine)))
        else {
            return Component::from_binary(engine, bytes);
        };
        if let Some(component) = read(engine, &path) {
            return Ok(component);
        }
        let component = Component::from_binary(engine, bytes)?;
        if let Err(error) = component.serialize().map_err(std::io::Error::other).and_then(|code| write(&path, &code)) {
            tracing::warn!(file = %path.display(), %error, "a compiled plugin could not be kept");
        }
        Ok(component)
    }
}

fn read(engine: &Engine, path: &Path) -> Option<Component> {
    let bytes = std::fs::read(path).ok()?;
    let (digest, code) = bytes.split_at_checked(32)?;
    if Sha256::digest(code).as_slice() != digest {
        tracing::warn!(file = %path.display(), "a compiled plugin was damaged; compiling it again");
        return None;
    }
    #[expect(
        unsafe_code,
        reason = "the code was written by this server into a directory that only its user can write to"
    )]
    // SAFETY: see the reason; wasmtime itself refuses code of another version or configuration.
    let component = unsafe { Component::deserialize(engine, code) };
    component.inspect_err(|error| tracing::debug!(%error, "a compiled plugin is of another engine")).ok()
}

fn write(path: &Path, code: &[u8]) -> std::io::Result<()> {
    let scratch = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&scratch)?;
    file.write_all(&Sha256::digest(code))?;
    file.write_all(code)?;
    drop(file);
    std::fs::rename(&scratch, path)?;
    path.parent().map_or(Ok(()), prune)
}

/// Removes the oldest files where there are too many: each version of a plugin and of the server leaves one.
fn prune(directory: &Path) -> std::io::Result<()> {
    let mut files: Vec<_> = std::fs::read_dir(directory)?
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let modified = std::fs::symlink_metadata(&path).ok()?.modified().ok()?;
            (path.extension()? == "cwasm").then_some((modified, path))
        })
        .collect();
    files.sort();
    let surplus = files.len().saturating_sub(MOST);
    files.into_iter().take(surplus).try_for_each(|(_, path)| std::fs::remove_file(path))
}

/// Makes the directory if need be, and says why it can't be trusted.
fn private(directory: &Path) -> Result<(), String> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| format!("can't make it: {error}"))?;
    let metadata = std::fs::symlink_metadata(directory).map_err(|error| error.to_string())?;
    if !metadata.is_dir() {
        return Err("it is no directory".into());
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err("it belongs to another user".into());
    }
    if metadata.mode() & 0o022 != 0 {
        return Err("others can write to it; run chmod go-w on it".into());
    }
    Ok(())
}
