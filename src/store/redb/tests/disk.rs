//! A disk in memory that loses power and runs full: what wasn't synced may be there, or not, or by half.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use redb::{Builder, Database, StorageBackend};

use super::super::medium::{Medium, fault};
use crate::store::engine::StoreError;

/// What a disk writes at once, or not at all.
const SECTOR: usize = 512;

/// See the module. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    state: Arc<Mutex<State>>,
    /// What was acknowledged so far; noted with every image.
    pub(super) acknowledged: Arc<AtomicU64>,
    /// Bytes that can be written before it is full; `u64::MAX` is endless.
    left: Arc<AtomicU64>,
    /// What the disk says is free, where that isn't what there is; `u64::MAX` where it is.
    claimed: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct State {
    /// As programs see it.
    live: Vec<u8>,
    /// As it certainly is after a loss of power.
    synced: Vec<u8>,
    /// What has been done since, in its order.
    since: Vec<Op>,
    random: Option<fastrand::Rng>,
    images: Vec<Image>,
    broken: bool,
}

#[derive(Clone, Debug)]
enum Op {
    Length(usize),
    Write(usize, Vec<u8>),
}

/// What a loss of power left.
#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) bytes: Vec<u8>,
    /// What had been acknowledged by then.
    pub(super) acknowledged: u64,
}

// === impl Disk ===

impl Disk {
    pub(super) fn new() -> Self {
        let disk = Self::default();
        disk.left.store(u64::MAX, Ordering::Relaxed);
        disk.claim(u64::MAX);
        disk
    }

    /// From now on it keeps images of what a loss of power would leave, now and then.
    pub(super) fn lose_power(&self, seed: u64) {
        self.state().random = Some(fastrand::Rng::with_seed(seed));
    }

    pub(super) fn holding(bytes: Vec<u8>) -> Self {
        let disk = Self::new();
        *disk.state() = State { synced: bytes.clone(), live: bytes, ..State::default() };
        disk
    }

    /// Programs believe that it has so much room.
    pub(super) fn claim(&self, bytes: u64) {
        self.claimed.store(bytes, Ordering::Relaxed);
    }

    /// So many more bytes can be written.
    pub(super) fn leave(&self, bytes: u64) {
        self.left.store(bytes, Ordering::Relaxed);
    }

    /// Whether nothing can be read or written any more.
    pub(super) fn break_down(&self, broken: bool) {
        self.state().broken = broken;
    }

    pub(super) fn images(&self) -> Vec<Image> {
        std::mem::take(&mut self.state().images)
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.state().live.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn usable(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.state();
        if state.broken { Err(io::Error::other("the disk doesn't answer")) } else { Ok(state) }
    }

    fn did(&self, mut state: MutexGuard<'_, State>, op: Op) {
        apply(&mut state.live, &op);
        state.since.push(op);
        if state.random.as_mut().is_some_and(|random| random.u8(..12) == 0) {
            let mut random = state.random.take().unwrap();
            let acknowledged = self.acknowledged.load(Ordering::SeqCst);
            let bytes = state.without_power(&mut random);
            state.images.push(Image { bytes, acknowledged });
            state.random = Some(random);
        }
    }
}

impl State {
    fn without_power(&self, random: &mut fastrand::Rng) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        // Mostly all or nothing of a write reaches the disk, sometimes any of its sectors; in any order.
        let share = random.f64();
        for op in &self.since {
            match op {
                Op::Length(_) => apply(&mut bytes, op),
                Op::Write(offset, data) => {
                    let torn = random.u8(..4) == 0;
                    let whole = random.f64() < share;
                    for (index, sector) in data.chunks(SECTOR).enumerate() {
                        if if torn { random.bool() } else { whole } {
                            apply(&mut bytes, &Op::Write(offset + index * SECTOR, sector.to_vec()));
                        }
                    }
                }
            }
        }
        bytes
    }
}

fn apply(bytes: &mut Vec<u8>, op: &Op) {
    match op {
        Op::Length(length) => bytes.resize(*length, 0),
        Op::Write(offset, data) => {
            if bytes.len() < offset + data.len() {
                bytes.resize(offset + data.len(), 0);
            }
            bytes[*offset..offset + data.len()].copy_from_slice(data);
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.usable()?.live.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        let state = self.usable()?;
        let found = state.live.get(offset..offset + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(found);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.did(self.usable()?, Op::Length(usize::try_from(length).unwrap()));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.usable()?;
        let State { synced, since, .. } = &mut *state;
        since.drain(..).for_each(|op| apply(synced, &op));
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let state = self.usable()?;
        let left = self.left.load(Ordering::Relaxed);
        if left != u64::MAX {
            let rest = left.checked_sub(data.len() as u64).ok_or(io::ErrorKind::StorageFull)?;
            self.left.store(rest, Ordering::Relaxed);
        }
        self.did(state, Op::Write(usize::try_from(offset).unwrap(), data.to_vec()));
        Ok(())
    }
}

impl Medium for Disk {
    fn open(&self) -> Result<Database, StoreError> {
        Builder::new().set_cache_size(1 << 20).create_with_backend(self.clone()).map_err(fault)
    }

    fn size(&self) -> u64 {
        self.state().live.len() as u64
    }

    fn room(&self) -> u64 {
        match self.claimed.load(Ordering::Relaxed) {
            u64::MAX => self.left.load(Ordering::Relaxed),
            claimed => claimed,
        }
    }
}
