//! Answers kept for who asks exactly the same again.
//!
//! An answer is kept if it is whole and good, under a name made of everything that was asked and, unless its route shares
//! answers, of who asked. Memory is bounded by the bytes of all answers; what isn't asked for goes first. Who wants to be
//! joined with equal requests stands in line: the first one asks, and each of the others finds its answer, or asks in turn if
//! the one before failed or went away.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Clock;
use super::recording::{Kept, Recording};
use super::route::Choice;
use crate::config::{self, RouteCache};
use crate::model::caller::Caller;
use crate::model::chat::Request;

/// See the module.
pub struct Answers {
    kept: Cache<Key, Arc<Kept>, ByBytes>,
    lines: Mutex<HashMap<Key, Arc<Semaphore>>>,
    settings: config::Cache,
    clock: Clock,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// What a caller wants of the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Whether answers are taken from it, and put into it.
    pub mode: Mode,
    /// Whether equal requests at one time are asked once.
    pub join: bool,
}

/// See [`Wish`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// What the route says.
    #[default]
    Route,
    /// Both.
    Use,
    /// Only put into it.
    Refresh,
    /// Neither.
    Bypass,
}

/// How the cache is.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    /// Whether it keeps anything.
    pub enabled: bool,
    /// How many answers it holds.
    pub answers: usize,
    /// How many requests that looked for one found it, from 0 to 1.
    pub hit_rate: f64,
}

/// What was looked for, and what came of it.
pub(super) enum Found {
    /// Nobody wants it looked for.
    Unasked,
    /// It is there.
    Hit(Arc<Kept>),
    /// It isn't; what is said goes here.
    Miss(Box<Recording>),
}

/// A place in the line of those who ask the same.
pub(super) struct Place {
    answers: Arc<Answers>,
    key: Key,
    line: Option<Arc<Semaphore>>,
    turn: Option<OwnedSemaphorePermit>,
}

type Key = [u8; 32];

#[derive(Clone)]
struct ByBytes;

/// Bytes of an answer of the usual length, for a first guess.
const USUAL: usize = 4 << 10;
/// The part of the cache that one answer may take.
const LARGEST: usize = 16;

// === impl Answers ===

impl Answers {
    /// Keeps nothing yet.
    pub fn new(settings: config::Cache, clock: Clock) -> Arc<Self> {
        let bytes = settings.size as u64;
        Arc::new(Self {
            kept: Cache::with_weighter(settings.size / USUAL, bytes, ByBytes),
            lines: Mutex::default(),
            settings,
            clock,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        })
    }

    /// How it is.
    pub fn status(&self) -> Status {
        let (hits, misses) = (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed));
        let hit_rate = hits as f64 / (hits + misses).max(1) as f64;
        Status { enabled: self.settings.size > 0, answers: self.kept.len(), hit_rate }
    }

    /// Looks for the answer to what `caller` asks; who is joined waits for those before.
    pub(super) async fn find(
        self: &Arc<Self>,
        wish: Wish,
        route: Option<RouteCache>,
        choice: Choice<'_>,
        request: &Request,
        caller: &Caller,
    ) -> Found {
        let wanted = match wish.mode {
            Mode::Bypass => false,
            Mode::Use | Mode::Refresh => true,
            Mode::Route => route.is_some() || wish.join,
        };
        if !wanted || self.settings.size == 0 {
            return Found::Unasked;
        }
        let route = route.unwrap_or_default();
        let Some(key) = key(choice, request, (!route.shared).then_some(&*caller.principal)) else {
            return Found::Unasked;
        };
        let place = if wish.join || route.join { self.line(key).await } else { self.place(key) };
        let kept = if wish.mode == Mode::Refresh { None } else { self.get(&key) };
        let (counter, found) = match kept {
            Some(kept) => (&self.hits, Found::Hit(kept)),
            None => {
                let ttl = route.ttl.unwrap_or(self.settings.ttl);
                (&self.misses, Found::Miss(Box::new(Recording::new(place, ttl, self.settings.size / LARGEST))))
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    fn get(&self, key: &Key) -> Option<Arc<Kept>> {
        let kept = self.kept.get(key)?;
        if kept.until > self.clock.now() {
            return Some(kept);
        }
        self.kept.remove_if(key, |other| Arc::ptr_eq(other, &kept));
        None
    }

    fn place(self: &Arc<Self>, key: Key) -> Place {
        Place { answers: self.clone(), key, line: None, turn: None }
    }

    /// Waits until nobody else is asking the same.
    async fn line(self: &Arc<Self>, key: Key) -> Place {
        let line = {
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.entry(key).or_insert_with(|| Arc::new(Semaphore::new(1))).clone()
        };
        // It stands there before it waits, so that it leaves whatever happens.
        let mut place = self.place(key);
        place.line = Some(line.clone());
        // Nobody closes it.
        place.turn = line.acquire_owned().await.ok();
        place
    }
}

/// Everything that an answer hangs on, but whether it comes word by word; nothing where that can't be told.
fn key(choice: Choice<'_>, request: &Request, principal: Option<&str>) -> Option<Key> {
    let mut text = String::new();
    // What is written for people to look for mistakes names every field, and tells every value from every other.
    let plain = Request { raw: None, streaming: false, model: String::new(), ..request.clone() };
    write!(text, "{principal:?} {choice:?} {plain:?}").ok()?;
    let mut hash = Sha256::new_with_prefix(&text);
    if let Some(raw) = &request.raw {
        // The body may say more than was understood.
        let members: std::collections::BTreeMap<String, Box<serde_json::value::RawValue>> =
            serde_json::from_slice(raw).ok()?;
        for (name, value) in members.iter().filter(|(name, _)| !STREAMING.contains(&name.as_str())) {
            hash.update(format!(" {name:?} {:?}", value.get()));
        }
    }
    Some(hash.finalize().into())
}

/// Members of a body that say how an answer comes, not which.
const STREAMING: [&str; 2] = ["stream", "stream_options"];

// === impl Place ===

impl Place {
    /// Keeps what was said for so long.
    pub(super) fn keep(self, mut kept: Kept, ttl: Duration) {
        let now = self.answers.clock.now();
        // An age that no calendar knows keeps nothing.
        if let Ok(until) = now.checked_add(ttl) {
            kept.until = until;
            self.answers.kept.insert(self.key, Arc::new(kept));
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(line) = self.line.take() else { return };
        self.turn = None;
        let mut lines = self.answers.lines.lock().unwrap_or_else(PoisonError::into_inner);
        drop(line);
        if lines.get(&self.key).is_some_and(|line| Arc::strong_count(line) == 1) {
            lines.remove(&self.key);
        }
    }
}

// === impl ByBytes ===

impl Weighter<Key, Arc<Kept>> for ByBytes {
    fn weight(&self, _: &Key, kept: &Arc<Kept>) -> u64 {
        kept.bytes as u64
    }
}

#[cfg(test)]
mod tests;
