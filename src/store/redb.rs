//! The embedded engine: a `redb` database of one file, which is on disk before anything is acknowledged.
//!
//! One thread writes ([`writer`]), a few read ([`readers`]); no async thread ever waits for a disk. Where the disk is full or
//! fails, requests fail, and the store comes back by itself when it can.

mod medium;
mod readers;
mod shared;
#[cfg(test)]
mod tests;
mod upkeep;
mod writer;

use std::io;
use std::sync::{Arc, mpsc};
use std::thread;

use redb::{Database, ReadableDatabase};
use tokio::sync::{Semaphore, oneshot};

use self::medium::{DatabaseFile, Medium, fault};
use self::readers::{Question, Readers};
use self::shared::{RECORDS, Shared};
pub use self::upkeep::{compact, exists, restore, verify};
use self::writer::{Job, Message, Writer};
use super::engine::{Batch, Committed, Engine, Health, Pair, Pending, Scan, StoreError, Visit};
use crate::config;
use crate::telemetry::metrics::StoreCounts;

/// What may wait to be written, in KiB; who comes later waits for room.
const QUEUE: u32 = 64 << 10;

/// See the module.
pub struct Redb {
    shared: Arc<Shared>,
    writer: mpsc::Sender<Message>,
    readers: Arc<Readers>,
    room: Arc<Semaphore>,
}

// === impl Redb ===

impl Redb {
    /// Opens the database that `config` names; made where there is none. Takes the time of a disk, and longer after a crash.
    ///
    /// # Errors
    /// If it can't be opened, with the cure.
    pub fn open(config: &config::Store, counts: Arc<StoreCounts>) -> Result<Self, StoreError> {
        Self::on(Arc::new(DatabaseFile::new(config)), counts)
    }

    fn on(medium: Arc<dyn Medium>, counts: Arc<StoreCounts>) -> Result<Self, StoreError> {
        let database = medium.open()?;
        found(&database)?;
        let (writer, messages) = mpsc::channel();
        let shared = Arc::new(Shared::new(database, counts, writer.clone()));
        let thread = |error: io::Error| StoreError::Unavailable(format!("no thread can be started: {error}"));
        let readers = Arc::new(Readers::start(&shared).map_err(thread)?);
        let work = Writer::new(medium, shared.clone(), messages);
        thread::Builder::new().name("store-write".into()).spawn(move || work.run()).map_err(thread)?;
        let room = Arc::new(Semaphore::new(QUEUE as usize));
        Ok(Self { shared, writer, readers, room })
    }
}

impl Drop for Redb {
    fn drop(&mut self) {
        // What is queued is done first; nobody waits for the end.
        let _ = self.writer.send(Message::Close(oneshot::channel().0));
    }
}

impl Engine for Redb {
    fn get(&self, keys: Vec<Vec<u8>>) -> Pending<Vec<Option<Vec<u8>>>> {
        let (answer, answered) = oneshot::channel();
        self.readers.ask(Question::Get(keys, answer));
        Box::pin(async { answered.await.map_err(|_| ended())? })
    }

    fn scan(&self, scan: Scan) -> Pending<Vec<Pair>> {
        let (answer, answered) = oneshot::channel();
        self.readers.ask(Question::Scan(scan, answer));
        Box::pin(async { answered.await.map_err(|_| ended())? })
    }

    fn commit(&self, batch: Batch) -> Pending<Committed> {
        let (room, writer) = (self.room.clone(), self.writer.clone());
        Box::pin(async move {
            let weight = u32::try_from(batch.weight() >> 10).unwrap_or(QUEUE).saturating_add(1).min(QUEUE);
            let room = room.acquire_many_owned(weight).await.map_err(|_| ended())?;
            let (done, outcome) = oneshot::channel();
            writer.send(Message::Commit(Job { batch, done, room })).map_err(|_| ended())?;
            outcome.await.map_err(|_| ended())?
        })
    }

    fn walk(&self, visit: Visit<'_>) -> Result<(), StoreError> {
        readers::walk(&self.shared, visit)
    }

    fn health(&self) -> Health {
        self.shared.health()
    }

    fn close(&self) -> Pending<()> {
        let (readers, writer) = (self.readers.clone(), self.writer.clone());
        Box::pin(async move {
            let (done, closed) = oneshot::channel();
            readers.close();
            match writer.send(Message::Close(done)) {
                Ok(()) => closed.await.unwrap_or(Ok(())),
                // It was closed earlier.
                Err(_) => Ok(()),
            }
        })
    }
}

/// Makes the table where it isn't there: readers can't.
fn found(database: &Database) -> Result<(), StoreError> {
    if database.begin_read().and_then(|transaction| Ok(transaction.list_tables()?.next().is_some())).map_err(fault)? {
        return Ok(());
    }
    let transaction = database.begin_write().map_err(fault)?;
    transaction.open_table(RECORDS).map_err(fault)?;
    transaction.commit().map_err(fault)
}

fn ended() -> StoreError {
    StoreError::Unavailable("the server is about to end".into())
}
