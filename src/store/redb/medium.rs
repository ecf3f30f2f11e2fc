//! Where a database stands: a file in the store's directory; in tests also a disk that fails when it is told to.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread::park_timeout;
use std::time::Duration;

use redb::{Builder, ConcurrencyMode, Database, DatabaseError};
use tokio::time::Instant;

use crate::config;
use crate::store::engine::StoreError;

/// The database's file in the store's directory.
const NAME: &str = "mortise.redb";

/// How often a database that another process has open is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(50);

/// What holds a database.
pub(super) trait Medium: Send + Sync + 'static {
    /// Opens the database; made where there is none.
    fn open(&self) -> Result<Database, StoreError>;

    /// How many bytes can still be written that it doesn't hold yet.
    fn room(&self) -> u64;

    /// How many bytes it takes, used or not.
    fn size(&self) -> u64;
}

/// A file.
#[derive(Clone, Debug)]
pub(super) struct DatabaseFile {
    directory: PathBuf,
    path: PathBuf,
    cache: usize,
    /// Whether other processes may have it open at once.
    shared: bool,
    /// How long to wait for another process to let go of it.
    wait: Duration,
}

// === impl DatabaseFile ===

impl DatabaseFile {
    pub(super) fn new(config: &config::Store) -> Self {
        Self {
            directory: config.path.clone(),
            path: config.path.join(NAME),
            cache: config.cache,
            shared: config.shared,
            wait: config.wait,
        }
    }

    /// The same, for who doesn't wait.
    pub(super) fn at_once(mut self) -> Self {
        self.wait = Duration::ZERO;
        self
    }

    /// The same with another extension.
    pub(super) fn beside(mut self, extension: &str) -> Self {
        self.path.set_extension(extension);
        self
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// How the database is opened.
    pub(super) fn builder(&self) -> Builder {
        let mut builder = Builder::new();
        builder.set_cache_size(self.cache);
        if self.shared {
            builder.set_concurrency_mode(ConcurrencyMode::MultiWriter);
        }
        let (path, told) = (self.path.clone(), std::cell::Cell::new(false));
        builder.set_repair_callback(move |_| {
            if !told.replace(true) {
                tracing::warn!(path = %path.display(), "the store was not closed properly; it is being checked and repaired");
            }
        });
        builder
    }

    /// Directory and file, for their owner alone. A database has its name when it is whole, so a crash leaves none that can't
    /// be opened, and its name is on disk before anything is acknowledged.
    fn prepare(&self) -> Result<(), redb::Error> {
        self.make_directory()?;
        match fs::metadata(&self.path) {
            Ok(found) if found.permissions().mode() & 0o077 != 0 => {
                fs::set_permissions(&self.path, Permissions::from_mode(0o600))?;
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.create()?,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    pub(super) fn make_directory(&self) -> io::Result<()> {
        if self.directory.is_dir() {
            return Ok(());
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        self.directory.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
    }

    fn create(&self) -> Result<(), redb::Error> {
        let new = self.path.with_extension(format!("new-{}", std::process::id()));
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        let created = Builder::new().set_cache_size(self.cache).create(&new).map_err(redb::Error::from);
        let created = created.and_then(|database| Ok(database.close()?));
        let named = created.and_then(|()| {
            file.sync_all()?;
            match fs::hard_link(&new, &self.path) {
                // Another process was faster.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                linked => Ok(linked?),
            }
        });
        fs::remove_file(&new)?;
        self.sync_directory()?;
        named
    }

    pub(super) fn sync_directory(&self) -> io::Result<()> {
        File::open(&self.directory)?.sync_all()
    }

    fn taken(&self) -> StoreError {
        StoreError::Unavailable(format!(
            "another process has {} open; stop it, or give this one a store.path of its own (server.reuse_port or store.shared: \
             true, for both of them, lets them have it together)",
            self.path.display()
        ))
    }

    fn explain(&self, error: DatabaseError) -> StoreError {
        match error {
            DatabaseError::DatabaseAlreadyOpen => self.taken(),
            error => located(&self.path, redb::Error::from(error)),
        }
    }

    /// Does `open` until no other process stands in the way.
    pub(super) fn patiently<T>(&self, open: impl Fn() -> Result<T, DatabaseError>) -> Result<T, StoreError> {
        let until = Instant::now() + self.wait;
        let mut told = false;
        loop {
            match catch_unwind(AssertUnwindSafe(&open)) {
                Err(panic) => return Err(StoreError::Corrupt(format!("{}: {}", self.path.display(), words(&*panic)))),
                Ok(Err(DatabaseError::DatabaseAlreadyOpen)) if Instant::now() < until => {
                    if !told {
                        tracing::info!(path = %self.path.display(), "another process has the store open; waiting for it to end");
                        told = true;
                    }
                    park_timeout(TRY_AGAIN);
                }
                Ok(opened) => return opened.map_err(|error| self.explain(error)),
            }
        }
    }
}

impl Medium for DatabaseFile {
    fn open(&self) -> Result<Database, StoreError> {
        if self.directory.starts_with("~") {
            return Err(StoreError::Unavailable(format!(
                "{}: HOME is not set, so ~ is nowhere; set HOME or store.path, or keep nothing (--ephemeral)",
                self.path.display()
            )));
        }
        self.prepare().map_err(|error| located(&self.path, error))?;
        self.patiently(|| self.builder().create(&self.path))
    }

    fn room(&self) -> u64 {
        // Who can't say isn't full.
        rustix::fs::statvfs(&self.directory).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    fn size(&self) -> u64 {
        // Its length is more: what was never written of it takes nothing.
        fs::metadata(&self.path).map_or(0, |file| file.blocks().saturating_mul(512))
    }
}

/// What went wrong, with the file's name.
fn located(path: &Path, error: redb::Error) -> StoreError {
    let path = path.display();
    match fault(error) {
        StoreError::Full(why) => StoreError::Full(format!("{path}: {why}")),
        StoreError::Corrupt(why) => StoreError::Corrupt(format!("{path}: {why}")),
        StoreError::Unavailable(why) => StoreError::Unavailable(format!("{path}: {why}")),
    }
}

/// What went wrong, in the store's words.
pub(super) fn fault(error: impl Into<redb::Error>) -> StoreError {
    use io::ErrorKind::{FileTooLarge, InvalidData, QuotaExceeded, StorageFull};
    match error.into() {
        redb::Error::Io(error) if matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge) => {
            StoreError::Full(error.to_string())
        }
        redb::Error::Io(error) if error.kind() == InvalidData => StoreError::Corrupt(error.to_string()),
        redb::Error::Corrupted(why) => StoreError::Corrupt(why),
        redb::Error::ValueTooLarge(bytes) => StoreError::Unavailable(format!("a value of {bytes} bytes is too long")),
        error => StoreError::Unavailable(error.to_string()),
    }
}

/// What a panic says; the database's library panics where it reads nonsense.
pub(super) fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("what was read makes no sense").to_owned()
}
