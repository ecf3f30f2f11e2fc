//! Typed records on an ordered key space.
//!
//! The contract is [`engine`], the engines stand beside it. What each key holds is written where its space is declared
//! ([`spaces`]); there is one file of them for the whole house, so that no number is given twice.

pub mod age;
pub mod backup;
pub mod codec;
#[cfg(test)]
mod contract;
mod effects;
pub mod engine;
pub mod key;
pub mod memory;
pub mod message;
mod migrate;
pub mod redb;
pub mod response;
pub mod runs;
pub mod session;
pub mod spaces;
pub mod template;
pub mod workspace;

use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use codec::Record;
pub use engine::{Batch, Committed, Engine, Health, StoreError};
pub use key::{Key, Space};

use self::backup::Packer;
use self::engine::{Expect, Scan, counter};
use self::redb::Redb;
use crate::config::{self, StoreEngine};
use crate::model::{Error, Result};
use crate::telemetry::metrics::StoreCounts;

/// How many damaged keys are named.
const EXAMPLES: usize = 20;

/// See the module.
#[derive(Clone)]
pub struct Store {
    engine: Arc<dyn Engine>,
}

/// A record as it was read: what a change of it expects to find.
#[derive(Clone, Debug)]
pub struct Stored<R> {
    /// What it holds.
    pub record: R,
    key: Vec<u8>,
    bytes: Vec<u8>,
}

/// What stands under a key that says all.
#[derive(Serialize, Deserialize)]
struct Mark {}

impl Record for Mark {}

/// Changes that are to be made at once, in the making.
#[derive(Debug, Default)]
pub struct Change {
    batch: Batch,
}

/// What [`Store::check`] found.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Checked {
    /// Of all that is stored.
    pub version: i64,
    /// How many there are, counters included.
    pub records: u64,
    /// Of their keys and values.
    pub bytes: u64,
    /// How many of them can't be read.
    pub damaged: u64,
    /// The first of their keys, in hexadecimal.
    pub examples: Vec<String>,
}

// === impl Store ===

impl Store {
    /// Records in `engine`.
    pub fn new(engine: impl Engine) -> Self {
        Self { engine: Arc::new(engine) }
    }

    /// What `config` says, in the version of this program; what happens to it is counted in `counts`.
    ///
    /// # Errors
    /// If it can't be opened, with the cure.
    pub async fn open(config: &config::Store, counts: Arc<StoreCounts>) -> Result<Self> {
        let store = match config.engine {
            StoreEngine::Memory => Self::in_memory(),
            StoreEngine::Redb => {
                let config = config.clone();
                let opened = tokio::task::spawn_blocking(move || Redb::open(&config, counts)).await;
                Self::new(opened.map_err(Error::internal)??)
            }
        };
        migrate::migrate(&store).await?;
        Ok(store)
    }

    /// Records that are gone with the process.
    pub fn in_memory() -> Self {
        Self::new(memory::Memory::default())
    }

    /// The record under `key`.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn get<R: Record>(&self, key: Key) -> Result<Option<R>> {
        Ok(self.read(key).await?.map(|stored| stored.record))
    }

    /// The record under `key`, so that it can be changed.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn read<R: Record>(&self, key: Key) -> Result<Option<Stored<R>>> {
        let key = Vec::from(key);
        let value = self.engine.get(vec![key.clone()]).await?.into_iter().next().flatten();
        Ok(value.map(|bytes| Stored::decode(key, bytes)).transpose()?)
    }

    /// The records under `keys`, in their order.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn get_all<R: Record>(&self, keys: Vec<Key>) -> Result<Vec<Option<R>>> {
        let values = self.engine.get(keys.into_iter().map(Vec::from).collect()).await?;
        let decode = |value: Option<Vec<u8>>| value.map(|bytes| codec::decode(&bytes)).transpose();
        Ok(values.into_iter().map(decode).collect::<Result<_, _>>()?)
    }

    /// At most `limit` records of `range`, from its beginning on, with their keys.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn list<R: Record>(&self, range: Range<Vec<u8>>, limit: usize) -> Result<Vec<Stored<R>>> {
        self.scan(Scan { range, backwards: false, limit }).await
    }

    /// The same from the end on.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn list_back<R: Record>(&self, range: Range<Vec<u8>>, limit: usize) -> Result<Vec<Stored<R>>> {
        self.scan(Scan { range, backwards: true, limit }).await
    }

    async fn scan<R: Record>(&self, scan: Scan) -> Result<Vec<Stored<R>>> {
        let pairs = self.engine.scan(scan).await?;
        Ok(pairs.into_iter().map(|(key, bytes)| Stored::decode(key, bytes)).collect::<Result<_, _>>()?)
    }

    /// The keys of at most `limit` pairs of `range`, whatever they hold.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn keys(&self, range: Range<Vec<u8>>, backwards: bool, limit: usize) -> Result<Vec<Vec<u8>>> {
        let pairs = self.engine.scan(Scan { range, backwards, limit }).await?;
        Ok(pairs.into_iter().map(|(key, _)| key).collect())
    }

    /// The counters under `keys`.
    ///
    /// # Errors
    /// If the store can't be read, or one of them is none.
    pub async fn counters(&self, keys: Vec<Key>) -> Result<Vec<i64>> {
        let values = self.engine.get(keys.into_iter().map(Vec::from).collect()).await?;
        Ok(values.iter().map(|value| counter(value.as_deref())).collect::<Result<_, _>>()?)
    }

    /// Makes all of `change`, or nothing of it if something isn't as it expects.
    ///
    /// # Errors
    /// If the store can't be written; nothing was changed then, as far as it can tell.
    pub async fn commit(&self, change: Change) -> Result<Committed> {
        if change.batch.is_empty() && change.batch.expects.is_empty() {
            return Ok(Committed::Done);
        }
        Ok(self.engine.commit(change.batch).await?)
    }

    /// What `config` names, whatever its version, if nobody else has it open: for commands.
    ///
    /// # Errors
    /// If it can't be opened, with the cure.
    pub fn as_it_is(config: &config::Store) -> Result<Self> {
        let config = config::Store { wait: std::time::Duration::ZERO, ..config.clone() };
        Ok(Self::new(Redb::open(&config, Arc::default())?))
    }

    /// Reads everything. Waits for disks: for a thread that may.
    ///
    /// # Errors
    /// If it can't be read at all.
    pub fn check(&self) -> Result<Checked> {
        let version = Vec::from(spaces::VERSION.key());
        let mut checked = Checked::default();
        self.engine.walk(&mut |key, value| {
            checked.records += 1;
            checked.bytes += (key.len() + value.len()) as u64;
            if key == version {
                checked.version = counter(Some(value))?;
            } else if !codec::is_sound(value) {
                checked.damaged += 1;
                if checked.examples.len() < EXAMPLES {
                    checked.examples.push(key.iter().map(|byte| format!("{byte:02x}")).collect());
                }
            }
            Ok(())
        })?;
        Ok(checked)
    }

    /// Writes everything, as it stands at one moment, to `out`; says how many records that are. Waits for disks.
    ///
    /// # Errors
    /// If it can't be read or written.
    pub fn backup(&self, out: impl Write) -> Result<u64> {
        let wrong = |error: io::Error| StoreError::Unavailable(format!("the backup can't be written: {error}"));
        let mut packer = Packer::new(out).map_err(wrong)?;
        self.engine.walk(&mut |key, value| packer.push(key, value).map_err(wrong))?;
        Ok(packer.finish().map_err(wrong)?)
    }

    /// How it is, as far as it knows without trying.
    pub fn health(&self) -> Health {
        self.engine.health()
    }

    /// Finishes what was begun, and lets go of its files; what is asked of it later fails.
    ///
    /// # Errors
    /// If that can't be done properly. What was acknowledged is kept all the same.
    pub async fn close(&self) -> Result<()> {
        Ok(self.engine.close().await?)
    }
}

// === impl Stored ===

impl<R: Record> Stored<R> {
    fn decode(key: Vec<u8>, bytes: Vec<u8>) -> Result<Self, StoreError> {
        Ok(Self { record: codec::decode(&bytes)?, key, bytes })
    }
}

impl<R> Stored<R> {
    /// Where it stands.
    pub fn key(&self) -> &[u8] {
        &self.key
    }
}

// === impl Change ===

impl Change {
    /// Changes that take away more than they add, or begin to, such as what is said of it in the audit log: they are made where
    /// there is no room for others.
    pub fn removal() -> Self {
        Self { batch: Batch { removes: true, ..Batch::default() } }
    }

    /// Nothing may stand under `key`, where `record` then stands.
    ///
    /// # Errors
    /// If the record can't be written down.
    pub fn insert<R: Record>(&mut self, key: Key, record: &R) -> Result<()> {
        self.batch.expects.push(Expect::Absent(key.clone().into()));
        self.put(key, record)
    }

    /// `record` stands under `key`, whatever stood there.
    ///
    /// # Errors
    /// If the record can't be written down.
    pub fn put<R: Record>(&mut self, key: Key, record: &R) -> Result<()> {
        self.batch.writes.push(engine::Write::Put(key.into(), codec::encode(record)?));
        Ok(())
    }

    /// `record` stands where `old` must still stand unchanged.
    ///
    /// # Errors
    /// If the record can't be written down.
    pub fn replace<R: Record>(&mut self, old: &Stored<R>, record: &R) -> Result<()> {
        self.expect(old);
        self.batch.writes.push(engine::Write::Put(old.key.clone(), codec::encode(record)?));
        Ok(())
    }

    /// `old` must still stand where it stood.
    pub fn expect<R>(&mut self, old: &Stored<R>) {
        self.batch.expects.push(Expect::Is(old.key.clone(), old.bytes.clone()));
    }

    /// Nothing stands where `old` must still stand.
    pub fn remove<R>(&mut self, old: &Stored<R>) {
        self.expect(old);
        self.batch.writes.push(engine::Write::Delete(old.key.clone()));
    }

    /// Nothing stands under `key`.
    pub fn delete(&mut self, key: Key) {
        self.batch.writes.push(engine::Write::Delete(key.into()));
    }

    /// Nothing stands in `range`.
    pub fn delete_range(&mut self, range: Range<Vec<u8>>) {
        self.batch.writes.push(engine::Write::DeleteRange(range));
    }

    /// The counter under `key` is so much more.
    pub fn add(&mut self, key: Key, more: i64) {
        self.batch.writes.push(engine::Write::Add(key.into(), more));
    }

    /// Nothing may stand under `key`.
    pub fn expect_absent(&mut self, key: Key) {
        self.batch.expects.push(Expect::Absent(key.into()));
    }
}
