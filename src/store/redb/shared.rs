//! The database that is open, if it is, and how it is.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, PoisonError, RwLock, mpsc};

use redb::{Database, ReadTransaction, ReadableDatabase, TableDefinition, WriteTransaction};

use super::medium::fault;
use super::writer::Message;
use crate::store::engine::{Health, StoreError};
use crate::telemetry::metrics::StoreCounts;

/// All records.
pub(super) const RECORDS: TableDefinition<'static, &'static [u8], &'static [u8]> = TableDefinition::new("records");

/// What the threads of one store share.
pub(super) struct Shared {
    /// Absent while it is opened again. Locked only to begin a transaction, so that opening never waits for a reader.
    database: RwLock<Option<Database>>,
    health: AtomicU8,
    /// Whether the writer was asked to look what is wrong.
    asked: AtomicBool,
    pub(super) counts: Arc<StoreCounts>,
    writer: mpsc::Sender<Message>,
}

// === impl Shared ===

impl Shared {
    pub(super) fn new(database: Database, counts: Arc<StoreCounts>, writer: mpsc::Sender<Message>) -> Self {
        let well = AtomicU8::new(code(Health::Well));
        Self { database: RwLock::new(Some(database)), health: well, asked: AtomicBool::new(false), counts, writer }
    }

    pub(super) fn begin_read(&self) -> Result<ReadTransaction, StoreError> {
        self.with(|database| database.begin_read().map_err(fault))
    }

    pub(super) fn begin_write(&self) -> Result<WriteTransaction, StoreError> {
        self.with(|database| database.begin_write().map_err(fault))
    }

    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match &*self.database.read().unwrap_or_else(PoisonError::into_inner) {
            Some(database) => work(database),
            None => Err(StoreError::Unavailable(
                "it is closed after a failure, and opened again when that can be done".into(),
            )),
        }
    }

    /// Puts another database in place of the one that was open, which is handed back.
    pub(super) fn replace(&self, database: Option<Database>) -> Option<Database> {
        let mut place = self.database.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *place, database)
    }

    pub(super) fn is_open(&self) -> bool {
        self.database.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub(super) fn health(&self) -> Health {
        match self.health.load(Ordering::Relaxed) {
            0 => Health::Well,
            1 => Health::Full,
            2 => Health::Damaged,
            _ => Health::Down,
        }
    }

    /// Says how it was before. Damage that was found stays known until the next start.
    pub(super) fn feel(&self, health: Health) -> Health {
        let before = self.health();
        if !(before == Health::Damaged && health == Health::Well) {
            self.health.store(code(health), Ordering::Relaxed);
        }
        before
    }

    /// The writer has looked.
    pub(super) fn looked(&self) {
        self.asked.store(false, Ordering::Relaxed);
    }

    /// A read failed: what is damaged is known from now on; of anything else the writer finds out whether it lasts.
    pub(super) fn failed_to_read(&self, error: &StoreError) {
        self.counts.failed();
        if let StoreError::Corrupt(_) = error {
            self.feel(Health::Damaged);
        } else if self.is_open() && !self.asked.swap(true, Ordering::Relaxed) {
            let _ = self.writer.send(Message::Look);
        }
    }
}

fn code(health: Health) -> u8 {
    match health {
        Health::Well | Health::Volatile => 0,
        Health::Full => 1,
        Health::Damaged => 2,
        Health::Down => 3,
    }
}
