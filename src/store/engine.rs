//! What a storage engine has to do: ordered byte keys, atomic batches with preconditions, nothing else.
//!
//! Small on purpose, so that an engine is one file, and so that one over a network is possible: nothing here or above assumes
//! that this process is the only one.

use std::future::{Future, ready};
use std::ops::Range;
use std::pin::Pin;

use crate::model::{Error, Fault, Kind};

/// Work of an engine. Whoever drops it may have caused it all the same.
pub type Pending<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// Is shown a key and its value.
pub type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError>;

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Ordered keys with values. What was committed is on disk, if the engine has one.
pub trait Engine: Send + Sync + 'static {
    /// The values of `keys`, in their order.
    fn get(&self, keys: Vec<Vec<u8>>) -> Pending<Vec<Option<Vec<u8>>>>;

    /// Pairs in the order of their keys.
    fn scan(&self, scan: Scan) -> Pending<Vec<Pair>>;

    /// Does all of `batch` or nothing.
    fn commit(&self, batch: Batch) -> Pending<Committed>;

    /// Shows every pair to `visit`, in the order of the keys, as they stand at one moment. Waits for disks: for a thread that may.
    ///
    /// # Errors
    /// If it can't be read, or `visit` fails.
    fn walk(&self, visit: Visit<'_>) -> Result<(), StoreError>;

    /// How it is, as far as it knows without trying.
    fn health(&self) -> Health;

    /// Finishes what was begun, and lets go of its files; what is asked of it later fails.
    fn close(&self) -> Pending<()> {
        Box::pin(ready(Ok(())))
    }
}

/// How an engine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It keeps nothing beyond the process, and can't fail.
    Volatile,
    /// What was asked of it last was done.
    Well,
    /// It reads, but has no room to write.
    Full,
    /// It has found damage in what it keeps; the rest is served.
    Damaged,
    /// It can't be used.
    Down,
}

/// Which pairs to read.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The first key, and the one behind the last.
    pub range: Range<Vec<u8>>,
    /// From the last one on.
    pub backwards: bool,
    /// How many at most.
    pub limit: usize,
}

/// What is to be done at once.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// What must be so; else nothing is done.
    pub expects: Vec<Expect>,
    /// Done in this order.
    pub writes: Vec<Write>,
    /// Whether it takes away more than it adds, or begins to: possible where there is no room for anything else.
    pub removes: bool,
}

/// What must be so before a batch.
#[derive(Clone, Debug)]
pub enum Expect {
    /// There is nothing under this key.
    Absent(Vec<u8>),
    /// Exactly this value stands under this key.
    Is(Vec<u8>, Vec<u8>),
}

/// One change.
#[derive(Clone, Debug)]
pub enum Write {
    /// The value stands under the key, whatever stood there.
    Put(Vec<u8>, Vec<u8>),
    /// Nothing stands under the key.
    Delete(Vec<u8>),
    /// Nothing stands under any key of the range.
    DeleteRange(Range<Vec<u8>>),
    /// The counter under the key is so much more (see [`counter`]); one that isn't there counts from 0. Counters need no
    /// precondition, so that many may count at once.
    Add(Vec<u8>, i64),
}

/// How a batch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Committed {
    /// All of it is done, and kept.
    Done,
    /// Something wasn't as expected; nothing is done.
    Conflict,
}

/// What a store can't do.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no room.
    #[error("the store has no room left: {0}")]
    Full(String),
    /// What was read isn't what was written.
    #[error("the store is damaged: {0}; stop the server and run `mortise store check`")]
    Corrupt(String),
    /// Anything else, with the system's words.
    #[error("the store can't be reached: {0}")]
    Unavailable(String),
}

// === impl StoreError ===

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let public = match error {
            StoreError::Full(_) => {
                "the server's storage is full, so this can't be kept; what isn't needed can still be deleted, which makes room"
            }
            _ => "the server's storage is not available; try again later",
        };
        Self::new(Kind::Storage, Fault::Us, public).with_private(error)
    }
}

// === impl Batch ===

impl Batch {
    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// About how many bytes it holds.
    pub fn weight(&self) -> usize {
        let expects = self.expects.iter().map(|expect| match expect {
            Expect::Absent(key) => key.len(),
            Expect::Is(key, value) => key.len() + value.len(),
        });
        let writes = self.writes.iter().map(|write| match write {
            Write::Put(key, value) => key.len() + value.len(),
            Write::Delete(key) | Write::Add(key, _) => key.len(),
            Write::DeleteRange(range) => range.start.len() + range.end.len(),
        });
        // What stands around them counts too.
        expects.chain(writes).map(|bytes| bytes + 64).sum()
    }

    /// Whether it needs room: what deletes should be possible where there is none.
    pub fn grows(&self) -> bool {
        !self.removes && self.writes.iter().any(|write| matches!(write, Write::Put(..) | Write::Add(..)))
    }
}

/// What a counter's value says; one that isn't there is 0.
///
/// # Errors
/// If it is no counter.
pub fn counter(value: Option<&[u8]>) -> Result<i64, StoreError> {
    let Some(value) = value else { return Ok(0) };
    let bytes = value.try_into().map_err(|_| StoreError::Corrupt("a counter isn't 8 bytes long".into()))?;
    Ok(i64::from_be_bytes(bytes))
}
