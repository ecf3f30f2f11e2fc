//! Threads that read: whoever asks waits for an answer, not for a disk.

use std::collections::VecDeque;
use std::io;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, available_parallelism};

use redb::{ReadOnlyTable, ReadableTable};
use tokio::sync::oneshot;

use super::medium::{fault, words};
use super::shared::{RECORDS, Shared};
use crate::store::engine::{Pair, Scan, StoreError, Visit};

/// More threads than this would wait for the same disk.
const MOST: usize = 8;

/// An answer on its way.
type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// What is asked.
pub(super) enum Question {
    Get(Vec<Vec<u8>>, Answer<Vec<Option<Vec<u8>>>>),
    Scan(Scan, Answer<Vec<Pair>>),
}

/// See the module.
pub(super) struct Readers {
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    more: Condvar,
}

#[derive(Default)]
struct Waiting {
    questions: VecDeque<Question>,
    closed: bool,
}

// === impl Readers ===

impl Readers {
    pub(super) fn start(shared: &Arc<Shared>) -> io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let count = available_parallelism().map_or(2, NonZero::get).clamp(2, MOST);
        for number in 0..count {
            let (queue, shared) = (queue.clone(), shared.clone());
            thread::Builder::new().name(format!("store-read-{number}")).spawn(move || {
                while let Some(question) = queue.next() {
                    question.answer(&shared);
                }
            })?;
        }
        Ok(Self { queue })
    }

    /// Puts a question in the queue; one that comes too late is never answered.
    pub(super) fn ask(&self, question: Question) {
        let mut waiting = self.queue.waiting();
        if !waiting.closed {
            waiting.questions.push_back(question);
            self.queue.more.notify_one();
        }
    }

    /// Answers what was asked, and nothing more.
    pub(super) fn close(&self) {
        self.queue.waiting().closed = true;
        self.queue.more.notify_all();
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.close();
    }
}

// === impl Queue ===

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<Question> {
        let idle = |waiting: &mut Waiting| waiting.questions.is_empty() && !waiting.closed;
        let mut waiting = self.more.wait_while(self.waiting(), idle).unwrap_or_else(PoisonError::into_inner);
        waiting.questions.pop_front()
    }
}

// === impl Question ===

impl Question {
    fn answer(self, shared: &Shared) {
        // Nobody may be left who wants to know.
        match self {
            Self::Get(keys, answer) if !answer.is_closed() => {
                let _ = answer.send(read(shared, |table| get(table, &keys)));
            }
            Self::Scan(range, answer) if !answer.is_closed() => {
                let _ = answer.send(read(shared, |table| scan(table, &range)));
            }
            _ => {}
        }
    }
}

/// Shows every pair to `visit`, on this thread.
pub(super) fn walk(shared: &Shared, visit: Visit<'_>) -> Result<(), StoreError> {
    let mut own = None;
    let walked = read(shared, |table| {
        for entry in ReadableTable::iter(table)? {
            let (key, value) = entry?;
            if let Err(error) = visit(key.value(), value.value()) {
                own = Some(error);
                break;
            }
        }
        Ok(())
    });
    walked.and_then(|()| own.map_or(Ok(()), Err))
}

type Table = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// Reads in a transaction of its own.
fn read<T>(shared: &Shared, work: impl FnOnce(&Table) -> Result<T, redb::Error>) -> Result<T, StoreError> {
    let read = AssertUnwindSafe(|| {
        let transaction = shared.begin_read()?;
        let table = transaction.open_table(RECORDS).map_err(fault)?;
        work(&table).map_err(fault)
    });
    let read = catch_unwind(read).unwrap_or_else(|panic| Err(StoreError::Corrupt(words(&*panic))));
    read.inspect_err(|error| shared.failed_to_read(error))
}

fn get(table: &Table, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, redb::Error> {
    let value = |key: &Vec<u8>| Ok(ReadableTable::get(table, key.as_slice())?.map(|value| value.value().to_vec()));
    keys.iter().map(value).collect()
}

fn scan(table: &Table, scan: &Scan) -> Result<Vec<Pair>, redb::Error> {
    if scan.range.start >= scan.range.end {
        return Ok(Vec::new());
    }
    let mut range = ReadableTable::range::<&[u8]>(table, scan.range.start.as_slice()..scan.range.end.as_slice())?;
    let mut pairs = Vec::new();
    while pairs.len() < scan.limit {
        let Some(entry) = (if scan.backwards { range.next_back() } else { range.next() }) else { break };
        let (key, value) = entry?;
        pairs.push((key.value().to_vec(), value.value().to_vec()));
    }
    Ok(pairs)
}
