//! The one thread that writes: it joins what waits into one transaction, and answers when that is on disk.
//!
//! While one transaction is synced, the next batches gather. Where there were many, it waits a moment for those who were just
//! answered to come again: a transaction of all of them takes little longer than one of half. Who is alone waits for nobody. Each
//! batch is judged inside the transaction, behind those before it, and fails alone: also where it finds no room, of which some
//! is kept for what makes room. What fails with the disk fails for all, and the database is closed: its library doesn't trust
//! itself after that. It is then opened again, which brings it back to its last whole transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use redb::{ReadableTable, Table};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use super::medium::{Medium, fault, words};
use super::shared::{RECORDS, Shared};
use crate::store::effects::{Effect, Verdict, judge};
use crate::store::engine::{Batch, Committed, Health, StoreError};
use crate::store::spaces;

/// What one transaction joins at most.
const MOST_JOBS: usize = 1024;
const MOST_BYTES: usize = 16 << 20;

/// How many make a crowd that is waited for, and how long at most.
const CROWD: usize = 8;
const PATIENCE: Duration = Duration::from_micros(200);

/// What must stay free on the disk. The database never overwrites a page that is in use, so even deleting takes some.
const SPARE: u64 = 4 << 20;
/// What must be free before a disk that was full is taken for well: where only little fits, some writes go on to be refused.
const ROOMY: u64 = 2 * SPARE;
/// How many bytes a byte may take: pages are copied, and are not full.
const AMPLIFICATION: u64 = 4;

/// How often it is looked whether a failure is over.
const RETRY: Duration = Duration::from_secs(1);

/// What the thread is told.
pub(super) enum Message {
    Commit(Job),
    /// Something failed; find out whether it lasts.
    Look,
    /// Finish what came before, and end.
    Close(oneshot::Sender<Result<(), StoreError>>),
}

/// A batch, and who waits for it.
pub(super) struct Job {
    pub(super) batch: Batch,
    pub(super) done: oneshot::Sender<Result<Committed, StoreError>>,
    /// Its part of the queue.
    pub(super) room: OwnedSemaphorePermit,
}

/// See the module.
pub(super) struct Writer {
    medium: Arc<dyn Medium>,
    shared: Arc<Shared>,
    messages: Receiver<Message>,
    /// Taken from the queue too early.
    next: Option<Message>,
    /// How many the last transaction joined.
    crowd: usize,
    /// What failed, until it is over.
    trouble: Option<Trouble>,
    spare: Spare,
}

/// What the file holds and doesn't use, in bytes; looked for only where the disk has too little, for it takes reading all of it.
struct Spare {
    bytes: u64,
    /// Whether there may be more, because something was taken out.
    stale: bool,
    /// Not looked for again before.
    next: Instant,
}

struct Trouble {
    error: StoreError,
    retry: Instant,
}

type Outcome = Result<Committed, StoreError>;

// === impl Writer ===

impl Writer {
    pub(super) fn new(medium: Arc<dyn Medium>, shared: Arc<Shared>, messages: Receiver<Message>) -> Self {
        let spare = Spare { bytes: 0, stale: true, next: Instant::now() };
        Self { medium, shared, messages, next: None, crowd: 0, trouble: None, spare }
    }

    /// Works until it is told to end, or nobody is left who could tell it anything.
    pub(super) fn run(mut self) {
        loop {
            match self.receive() {
                Ok(Message::Commit(job)) => self.serve(job),
                Ok(Message::Look) | Err(RecvTimeoutError::Timeout) => self.look(),
                Ok(Message::Close(done)) => {
                    let _ = done.send(self.close());
                    return;
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let _ = self.close();
                    return;
                }
            }
        }
    }

    fn receive(&mut self) -> Result<Message, RecvTimeoutError> {
        if let Some(next) = self.next.take() {
            return Ok(next);
        }
        match &self.trouble {
            Some(trouble) => self.messages.recv_timeout(trouble.retry.saturating_duration_since(Instant::now())),
            None if self.shared.health() == Health::Full => self.messages.recv_timeout(RETRY),
            None => self.messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    /// Commits `first` together with what else waits.
    fn serve(&mut self, first: Job) {
        let mut bytes = first.batch.weight();
        let mut jobs = vec![first];
        let until = Instant::now() + PATIENCE;
        while jobs.len() < MOST_JOBS && bytes < MOST_BYTES {
            let message = match self.messages.try_recv() {
                Err(TryRecvError::Empty) if self.crowd >= CROWD && jobs.len() < self.crowd => {
                    self.messages.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
                }
                message => message.ok(),
            };
            match message {
                Some(Message::Commit(job)) => {
                    bytes += job.batch.weight();
                    jobs.push(job);
                }
                other => {
                    self.next = other;
                    break;
                }
            }
        }
        self.crowd = jobs.len();
        if self.trouble.as_ref().is_some_and(|trouble| trouble.retry <= Instant::now()) {
            self.look();
        }
        // Who was dropped in the queue is done all the same: whoever dropped it can't know that it wasn't begun.
        let (batches, waiting): (Vec<_>, Vec<_>) =
            jobs.into_iter().map(|job| (job.batch, (job.done, job.room))).unzip();
        let outcomes = match &self.trouble {
            Some(trouble) => Err(trouble.error.clone()),
            None => self.try_transaction(batches),
        };
        match outcomes {
            Ok(outcomes) => {
                for ((done, _), outcome) in waiting.into_iter().zip(outcomes) {
                    let _ = done.send(outcome);
                }
            }
            Err(error) => {
                let new = self.trouble.is_none();
                if new {
                    tracing::error!(%error, "the store failed; what it was to write is refused");
                    self.feel(&error);
                }
                for (done, _) in waiting {
                    self.shared.counts.failed();
                    let _ = done.send(Err(error.clone()));
                }
                if new {
                    drop(self.shared.replace(None));
                    // What seemed unused could not be used.
                    self.spare.bytes = 0;
                    self.trouble = Some(Trouble { error, retry: Instant::now() });
                    self.look();
                }
            }
        }
    }

    /// One transaction of all `batches`: what became of each, or why there is no transaction.
    fn try_transaction(&mut self, batches: Vec<Batch>) -> Result<Vec<Outcome>, StoreError> {
        let work = AssertUnwindSafe(|| self.transaction(batches));
        catch_unwind(work).unwrap_or_else(|panic| Err(StoreError::Corrupt(words(&*panic))))
    }

    fn transaction(&mut self, batches: Vec<Batch>) -> Result<Vec<Outcome>, StoreError> {
        let wanted = batches.iter().filter(|batch| batch.grows()).map(footprint).sum::<u64>().saturating_add(SPARE);
        let room = self.room(wanted);
        let transaction = self.shared.begin_write()?;
        let mut outcomes = Vec::with_capacity(batches.len());
        let (mut need, mut joined, mut grew, mut refused, mut removed) = (SPARE, 0, false, false, false);
        {
            let mut table = transaction.open_table(RECORDS).map_err(fault)?;
            for batch in batches {
                let (more, grows) = (footprint(&batch), batch.grows());
                if grows && need.saturating_add(more) > room {
                    refused = true;
                    outcomes.push(Err(full(room)));
                    continue;
                }
                let found = |key: &[u8]| Ok::<_, redb::Error>(table.get(key)?.map(|value| value.value().to_vec()));
                let outcome = match judge(batch, found).map_err(fault)? {
                    Verdict::Do(effects) => {
                        need = need.saturating_add(more);
                        joined += u64::from(!effects.is_empty());
                        grew |= grows;
                        removed |= effects.iter().any(|effect| !matches!(effect, Effect::Put(..)));
                        for effect in effects {
                            apply(&mut table, effect).map_err(fault)?;
                        }
                        Ok(Committed::Done)
                    }
                    Verdict::Conflict => Ok(Committed::Conflict),
                    Verdict::Damaged(error) => Err(error),
                };
                outcomes.push(outcome);
            }
        }
        if joined == 0 {
            transaction.abort().map_err(fault)?;
        } else {
            let begun = Instant::now();
            transaction.commit().map_err(fault)?;
            self.shared.counts.committed(joined, begun.elapsed());
            self.spare.bytes = self.spare.bytes.saturating_sub(need - SPARE);
            self.spare.stale |= removed;
        }
        if refused {
            self.shared.counts.failed();
            if self.shared.feel(Health::Full) != Health::Full {
                tracing::error!(
                    free = room,
                    "the store's disk is full: nothing more is written until there is room; make some, or delete what isn't needed"
                );
            }
        } else if grew && room >= ROOMY && self.shared.health() == Health::Full {
            self.recovered();
        }
        Ok(outcomes)
    }

    /// How many bytes can still be written, as far as `wanted` goes: what the disk has, and what the file doesn't use.
    fn room(&mut self, wanted: u64) -> u64 {
        let free = self.medium.room();
        let begun = Instant::now();
        if free.saturating_add(self.spare.bytes) < wanted && self.spare.stale && begun >= self.spare.next {
            // What isn't known can't be used.
            let bytes = self.unused().unwrap_or_default();
            self.spare = Spare { bytes, stale: false, next: Instant::now() + RETRY.max(10 * begun.elapsed()) };
        }
        free.saturating_add(self.spare.bytes)
    }

    /// What the file holds and doesn't use.
    fn unused(&self) -> Result<u64, StoreError> {
        let work = AssertUnwindSafe(|| {
            let transaction = self.shared.begin_write()?;
            let found = transaction.stats().map_err(fault)?;
            transaction.abort().map_err(fault)?;
            let used = found.allocated_pages().saturating_mul(found.page_size() as u64);
            // Not every page fits where another was.
            Ok(self.medium.size().saturating_sub(used) / 2)
        });
        catch_unwind(work).unwrap_or_else(|panic| Err(StoreError::Corrupt(words(&*panic))))
    }

    fn feel(&self, error: &StoreError) {
        self.shared.feel(if matches!(error, StoreError::Full(_)) { Health::Full } else { Health::Down });
    }

    /// Finds out whether a failure is over, by writing.
    fn look(&mut self) {
        self.shared.looked();
        let room = self.room(ROOMY);
        if room < SPARE {
            // There is still something to read, and to delete.
            self.trouble = self.reopen().err().map(|error| Trouble { error, retry: Instant::now() + RETRY });
            self.feel(&full(room));
            return;
        }
        let seen = self.probe().or_else(|_| {
            drop(self.shared.replace(None));
            self.probe()
        });
        let Err(error) = seen else {
            self.trouble = None;
            let over = match self.shared.health() {
                Health::Full => room >= ROOMY,
                health => health == Health::Down,
            };
            if over {
                self.recovered();
            }
            return;
        };
        if self.trouble.is_none() {
            tracing::error!(%error, "the store failed");
        }
        self.feel(&error);
        drop(self.shared.replace(None));
        if matches!(error, StoreError::Full(_)) {
            // What can't be written can perhaps be read.
            let _ = self.reopen();
        }
        self.trouble = Some(Trouble { error, retry: Instant::now() + RETRY });
    }

    fn recovered(&self) {
        self.shared.feel(Health::Well);
        tracing::info!("the store can be written again");
    }

    fn reopen(&self) -> Result<(), StoreError> {
        if !self.shared.is_open() {
            self.shared.replace(Some(self.medium.open()?));
        }
        Ok(())
    }

    /// Writes what stands there already.
    fn probe(&self) -> Result<(), StoreError> {
        self.reopen()?;
        let work = AssertUnwindSafe(|| {
            let transaction = self.shared.begin_write()?;
            {
                let mut table = transaction.open_table(RECORDS).map_err(fault)?;
                let key = Vec::from(spaces::VERSION.key());
                let version = table.get(key.as_slice()).map_err(fault)?.map(|value| value.value().to_vec());
                if let Some(version) = version {
                    table.insert(key.as_slice(), version.as_slice()).map_err(fault)?;
                }
            }
            transaction.commit().map_err(fault)
        });
        catch_unwind(work).unwrap_or_else(|panic| Err(StoreError::Corrupt(words(&*panic))))
    }

    /// Lets go of the file, so that it needs no repair when it is opened next.
    fn close(&self) -> Result<(), StoreError> {
        match self.shared.replace(None) {
            Some(database) => database.close().map_err(fault),
            None => Ok(()),
        }
    }
}

/// How many bytes a batch may take.
fn footprint(batch: &Batch) -> u64 {
    AMPLIFICATION.saturating_mul(batch.weight() as u64)
}

fn full(room: u64) -> StoreError {
    StoreError::Full(format!("{room} bytes are free, {SPARE} must stay so"))
}

fn apply(table: &mut Table<'_, &'static [u8], &'static [u8]>, effect: Effect) -> Result<(), redb::Error> {
    match effect {
        Effect::Put(key, value) => drop(table.insert(key.as_slice(), value.as_slice())?),
        Effect::Delete(key) => drop(table.remove(key.as_slice())?),
        Effect::DeleteRange(range) => {
            table.retain_in::<&[u8], _>(range.start.as_slice()..range.end.as_slice(), |_, _| false)?
        }
    }
    Ok(())
}
