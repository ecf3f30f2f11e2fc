//! Compiled code, kept in a private directory under the digest of the file and of the engine that compiled it.
//!
//! Compiled code is trusted by who loads it, so it is only read where nobody but this user and root can write, and each file
//! carries a digest of its own against bits that rot. A directory that can only be read is enough to start from; without any,
//! everything still works, and is compiled at every start.
//!
//! Code is compiled for the processor that it is compiled on, as that says at run time what it can do. The compiler's flags,
//! of which those features are some, are part of the engine's digest, so another processor looks for another file. Should it
//! come upon this one all the same, wasmtime refuses it: the flags stand in the code, and each is compared with what the
//! processor says. Code for all processors of the architecture (`mortise plugin warm --portable`) stands under a name of its
//! own, and is taken where there is none for this one.

use std::hash::{Hash, Hasher};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Once, OnceLock};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::Instant;
use wasmtime::component::Component;
use wasmtime::{Config, Engine};

/// Files that are kept; the oldest go first.
const MOST: usize = 128;
/// A file in the making that is older will never be finished.
const ABANDONED: Duration = Duration::from_hours(1);
/// Given a target, even this one, wasmtime compiles for what all its processors have; only given none it looks at the machine.
pub(super) const TARGET: &str = env!("MORTISE_TARGET");

/// See the module.
pub(super) struct Cache {
    /// Or why there is none.
    directory: Result<PathBuf, String>,
    engine: u64,
    portable: OnceLock<Option<u64>>,
    told: Once,
}

/// What became of a plugin's compiled code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// It was compiled earlier.
    Found,
    /// It was compiled now, and is kept.
    Kept,
    /// It was compiled now, and can't be kept, for this reason.
    Lost(String),
}

// === impl Cache ===

impl Cache {
    pub(super) fn new(directory: &Path, engine: &Engine) -> Self {
        let made = private(directory);
        let directory = made.map(|()| directory.to_owned()).map_err(|why| format!("{}: {why}", directory.display()));
        Self { directory, engine: digest_of(engine), portable: OnceLock::new(), told: Once::new() }
    }

    /// For an engine that compiles for all processors.
    pub(super) fn portable(directory: &Path, engine: &Engine) -> Self {
        let cache = Self::new(directory, engine);
        Self { engine: cache.any_processor().unwrap_or(cache.engine), ..cache }
    }

    /// The component in `bytes`, compiled now or earlier; `digest` is that of `bytes`.
    pub(super) fn compile(&self, engine: &Engine, bytes: &[u8], digest: &str) -> wasmtime::Result<(Component, Code)> {
        if let Ok(directory) = &self.directory {
            let own = || read(engine, &path(directory, digest, self.engine));
            let any = || read(engine, &path(directory, digest, self.any_processor()?));
            if let Some(component) = own().or_else(any) {
                return Ok((component, Code::Found));
            }
        }
        let began = Instant::now();
        let component = Component::from_binary(engine, bytes)?;
        tracing::info!(digest, took_ms = began.elapsed().as_millis() as u64, "a plugin was compiled");
        let code = match self.directory.as_ref().map(|directory| path(directory, digest, self.engine)) {
            Ok(path) => match component.serialize().map_err(io::Error::other).and_then(|code| write(&path, &code)) {
                Ok(()) => Code::Kept,
                Err(error) => Code::Lost(format!("{}: {error}", path.display())),
            },
            Err(why) => Code::Lost(why.clone()),
        };
        if let Code::Lost(why) = &code {
            // Once: what is wrong with one is wrong with all of them.
            self.told.call_once(|| {
                tracing::warn!(%why, "compiled plugins can't be kept, so every start compiles them; see plugins.cache");
            });
        }
        Ok((component, code))
    }

    /// Whether the component of that digest was compiled earlier.
    pub(super) fn has(&self, digest: &str) -> bool {
        let Ok(directory) = &self.directory else { return false };
        let there = |engine: u64| path(directory, digest, engine).is_file();
        there(self.engine) || self.any_processor().is_some_and(there)
    }

    /// Whether code can be kept here and none is yet that this engine could use.
    pub(super) fn is_new(&self) -> bool {
        let Ok(directory) = &self.directory else { return false };
        let ends = [Some(self.engine), self.any_processor()].map(|engine| Some(format!("-{:016x}.cwasm", engine?)));
        let used = |name: &str| ends.iter().flatten().any(|end| name.ends_with(end));
        std::fs::read_dir(directory)
            .is_ok_and(|files| !files.flatten().any(|file| file.file_name().to_str().is_some_and(used)))
    }

    /// The digest under which code for all processors stands. It knows of wasmtime's version; what else must fit, wasmtime
    /// compares itself.
    fn any_processor(&self) -> Option<u64> {
        *self.portable.get_or_init(|| {
            let mut config = Config::new();
            config.target(TARGET).ok()?;
            Engine::new(&config).ok().map(|engine| digest_of(&engine))
        })
    }
}

fn path(directory: &Path, digest: &str, engine: u64) -> PathBuf {
    directory.join(format!("{digest}-{engine:016x}.cwasm"))
}

/// Stable for one build of the host, which is all that is wanted: another build makes another file.
fn digest_of(engine: &Engine) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

fn read(engine: &Engine, path: &Path) -> Option<Component> {
    let mut file = std::fs::File::open(path).ok()?;
    let trusted = file.metadata().map_err(|error| error.to_string()).and_then(|metadata| trusted(&metadata));
    if let Err(why) = trusted {
        tracing::warn!(file = %path.display(), why, "a compiled plugin is not to be trusted; compiling it again");
        return None;
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    let (digest, code) = bytes.split_at_checked(32)?;
    if Sha256::digest(code).as_slice() != digest {
        tracing::warn!(file = %path.display(), "a compiled plugin was damaged; compiling it again");
        return None;
    }
    #[expect(
        unsafe_code,
        reason = "the code was written by this server into a directory that only its user and root can write to"
    )]
    // SAFETY: see the reason; wasmtime itself refuses code of another version, configuration or processor.
    let component = unsafe { Component::deserialize(engine, code) };
    component.inspect_err(|error| tracing::debug!(%error, "a compiled plugin is of another engine")).ok()
}

fn write(path: &Path, code: &[u8]) -> io::Result<()> {
    let scratch = path.with_extension(format!("{}.tmp", std::process::id()));
    if let Err(error) = fill(&scratch, code).and_then(|()| std::fs::rename(&scratch, path)) {
        // Where the disk is full, its part of the code would only fill it. That it can't be removed changes nothing.
        let _ = std::fs::remove_file(&scratch);
        return Err(error);
    }
    path.parent().map_or(Ok(()), prune)
}

fn fill(scratch: &Path, code: &[u8]) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(scratch)?;
    file.write_all(&Sha256::digest(code))?;
    file.write_all(code)
}

/// Removes the oldest files where there are too many: each version of a plugin and of the server leaves one. Removes too what
/// servers left behind that were killed while they wrote.
fn prune(directory: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)?.flatten() {
        let path = entry.path();
        let Ok(modified) = std::fs::symlink_metadata(&path).and_then(|metadata| metadata.modified()) else { continue };
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("cwasm") => files.push((modified, path)),
            Some("tmp") if modified.elapsed().is_ok_and(|age| age > ABANDONED) => remove(&path)?,
            _ => {}
        }
    }
    files.sort();
    let surplus = files.len().saturating_sub(MOST);
    files.iter().take(surplus).try_for_each(|(_, path)| remove(path))
}

/// Another server may have removed it already.
fn remove(path: &Path) -> io::Result<()> {
    std::fs::remove_file(path).or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// Makes the directory if need be, and says why it can't be trusted.
fn private(directory: &Path) -> Result<(), String> {
    if directory.starts_with("~") {
        return Err("HOME is not set, so ~ is nowhere".into());
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| format!("can't make it: {error}"))?;
    let metadata = std::fs::symlink_metadata(directory).map_err(|error| error.to_string())?;
    if !metadata.is_dir() {
        return Err("it is no directory".into());
    }
    trusted(&metadata)
}

/// Root may do as it likes anyway: what it put into an image is as good as our own.
fn trusted(metadata: &std::fs::Metadata) -> Result<(), String> {
    if ![0, rustix::process::geteuid().as_raw()].contains(&metadata.uid()) {
        return Err("it belongs to another user".into());
    }
    if metadata.mode() & 0o022 != 0 {
        return Err("others can write to it; run chmod go-w on it".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const DIGEST: &str = "0000";

    fn engine(change: impl FnOnce(&mut Config)) -> Engine {
        let mut config = Config::new();
        change(&mut config);
        Engine::new(&config).unwrap()
    }

    /// What a fresh cache of `engine` in `directory` does.
    fn compile(directory: &Path, engine: &Engine) -> Code {
        Cache::new(directory, engine).compile(engine, test_guests::get("well"), DIGEST).unwrap().1
    }

    fn files(directory: &Path) -> Vec<PathBuf> {
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// As on a machine whose processor has nothing beyond what all have.
    fn plain() -> Engine {
        engine(|config| {
            config.target(TARGET).unwrap();
            #[expect(unsafe_code, reason = "it says less than is true")]
            // SAFETY: see the reason.
            unsafe {
                config.detect_host_feature(|_| Some(false));
            }
        })
    }

    #[test]
    fn what_is_compiled_once_is_found() {
        let home = tempfile::tempdir().unwrap();
        let (directory, engine) = (home.path().join("deep/cache"), Engine::default());
        assert_eq!(compile(&directory, &engine), Code::Kept);
        assert_eq!(compile(&directory, &engine), Code::Found);
        assert_eq!(std::fs::metadata(&directory).unwrap().mode() & 0o777, 0o700);
        // Bits that rot are noticed, and replaced.
        let file = files(&directory).remove(0);
        let mut bytes = std::fs::read(&file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&file, bytes).unwrap();
        assert_eq!(compile(&directory, &engine), Code::Kept);
        assert_eq!(compile(&directory, &engine), Code::Found);
    }

    #[test]
    fn code_for_another_processor_is_compiled_again() {
        let home = tempfile::tempdir().unwrap();
        let (here, plain) = (Engine::default(), plain());
        assert_eq!(compile(home.path(), &here), Code::Kept);
        assert_eq!(compile(home.path(), &plain), Code::Kept, "another processor, another file");
        assert_eq!(compile(home.path(), &plain), Code::Found);
        // Even under the name that it looks for, foreign code isn't run.
        let name = |engine: &Engine| home.path().join(format!("{DIGEST}-{:016x}.cwasm", digest_of(engine)));
        std::fs::copy(name(&here), name(&plain)).unwrap();
        assert!(read(&here, &name(&plain)).is_some());
        assert!(read(&plain, &name(&plain)).is_none());
        assert_eq!(compile(home.path(), &plain), Code::Kept);
    }

    #[test]
    fn portable_code_is_found_by_every_processor() {
        let home = tempfile::tempdir().unwrap();
        let maker = engine(|config| {
            config.target(TARGET).unwrap();
        });
        let portable = Cache::portable(home.path(), &maker);
        assert_eq!(portable.compile(&maker, test_guests::get("well"), DIGEST).unwrap().1, Code::Kept);
        assert_eq!(compile(home.path(), &Engine::default()), Code::Found);
        assert_eq!(compile(home.path(), &plain()), Code::Found);
        assert_eq!(files(home.path()).len(), 1);
        // But not by an engine with other habits.
        let other = engine(|config| {
            config.epoch_interruption(true);
        });
        assert_eq!(compile(home.path(), &other), Code::Kept);
    }

    #[test]
    fn what_others_can_write_is_not_read() {
        let home = tempfile::tempdir().unwrap();
        let engine = Engine::default();
        assert_eq!(compile(home.path(), &engine), Code::Kept);
        let open = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        let file = files(home.path()).remove(0);
        open(&file, 0o666);
        assert!(read(&engine, &file).is_none());
        open(&file, 0o444);
        assert!(read(&engine, &file).is_some());
        open(home.path(), 0o770);
        assert!(matches!(compile(home.path(), &engine), Code::Lost(why) if why.contains("chmod go-w")));
        open(home.path(), 0o555);
        assert_eq!(compile(home.path(), &engine), Code::Found, "reading is enough");
    }

    #[test]
    fn what_was_never_finished_is_removed() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path();
        // It can't take the place of a directory.
        std::fs::create_dir(directory.join("taken.cwasm")).unwrap();
        assert!(write(&directory.join("taken.cwasm"), b"code").is_err());
        assert_eq!(files(directory), [directory.join("taken.cwasm")]);
        std::fs::remove_dir(directory.join("taken.cwasm")).unwrap();
        for (name, age) in [("old.1.tmp", 2 * ABANDONED), ("new.2.tmp", Duration::ZERO), ("foreign", 2 * ABANDONED)] {
            let file = std::fs::File::create(directory.join(name)).unwrap();
            let modified = file.metadata().unwrap().modified().unwrap() - age;
            file.set_modified(modified).unwrap();
        }
        write(&directory.join("code.cwasm"), b"code").unwrap();
        let mut left = files(directory);
        left.sort();
        assert_eq!(left, ["code.cwasm", "foreign", "new.2.tmp"].map(|name| directory.join(name)));
        remove(&directory.join("gone")).unwrap();
    }

    #[test]
    fn without_a_directory_everything_works() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        std::fs::write(&file, "").unwrap();
        for directory in [file.join("cache"), file, PathBuf::from("~/.mortise/cache")] {
            let code = compile(&directory, &Engine::default());
            assert!(matches!(&code, Code::Lost(why) if why.contains(&*directory.to_string_lossy())), "{code:?}");
        }
    }
}
