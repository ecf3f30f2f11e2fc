//! Typed records on an ordered key space.
//!
//! The contract is [`engine`], the engines stand beside it. What each key holds is written where its space is declared
//! ([`spaces`]); there is one file of them for the whole house, so that no number is given twice.

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
pub mod runs;
pub mod session;
pub mod spaces;
pub mod template;
pub mod workspace;

use std::ops::Range;
use std::sync::Arc;

pub use codec::Record;
pub use engine::{Batch, Committed, Engine, Health, StoreError};
pub use key::{Key, Space};

use self::engine::{Expect, Scan, Write, counter};
use self::redb::Redb;
use crate::config::{self, StoreEngine};
use crate::model::{Error, Result};
use crate::telemetry::metrics::StoreCounts;

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

/// Changes that are to be made at once, in the making.
#[derive(Debug, Default)]
pub struct Change {
    batch: Batch,
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
        self.batch.writes.push(Write::Put(key.into(), codec::encode(record)?));
        Ok(())
    }

    /// `record` stands where `old` must still stand unchanged.
    ///
    /// # Errors
    /// If the record can't be written down.
    pub fn replace<R: Record>(&mut self, old: &Stored<R>, record: &R) -> Result<()> {
        self.expect(old);
        self.batch.writes.push(Write::Put(old.key.clone(), codec::encode(record)?));
        Ok(())
    }

    /// `old` must still stand where it stood.
    pub fn expect<R>(&mut self, old: &Stored<R>) {
        self.batch.expects.push(Expect::Is(old.key.clone(), old.bytes.clone()));
    }

    /// Nothing stands where `old` must still stand.
    pub fn remove<R>(&mut self, old: &Stored<R>) {
        self.expect(old);
        self.batch.writes.push(Write::Delete(old.key.clone()));
    }

    /// Nothing stands under `key`.
    pub fn delete(&mut self, key: Key) {
        self.batch.writes.push(Write::Delete(key.into()));
    }

    /// Nothing stands in `range`.
    pub fn delete_range(&mut self, range: Range<Vec<u8>>) {
        self.batch.writes.push(Write::DeleteRange(range));
    }

    /// The counter under `key` is so much more.
    pub fn add(&mut self, key: Key, more: i64) {
        self.batch.writes.push(Write::Add(key.into(), more));
    }

    /// Nothing may stand under `key`.
    pub fn expect_absent(&mut self, key: Key) {
        self.batch.expects.push(Expect::Absent(key.into()));
    }
}
