//! How often each caller may ask: requests and tokens, by surface, over sliding windows.
//!
//! Every request passes [`Limiter::admit`], before anything is done for it. Tokens are not known then: [`Limiter::reserve`]
//! takes what a turn will probably use, and [`Reservation`] settles it with what it did use, however the turn ends.
//!
//! Memory is bounded by the number of callers that are remembered. A stranger who asks once pushes out other strangers who
//! asked once, not those who ask often.

mod window;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;

pub use self::window::Standing;
pub(in crate::service) use self::window::Window;
use super::Clock;
use crate::config::{Per, Rate, RateClass, RateLimit, SurfaceLimit};
use crate::model::caller::{Caller, Identity, network};
use crate::model::{Error, Kind, Result};

/// Counts what callers use.
pub struct Limiter {
    surfaces: HashMap<&'static str, Arc<SurfaceLimit>>,
    classes: HashMap<String, Arc<SurfaceLimit>>,
    callers: Cache<Counted, Arc<Used>>,
    clock: Clock,
}

/// Where, and who.
type Counted = (&'static str, Who);

/// Where those are counted who have a class of their own: everywhere together.
const CLASS: &str = "class";

/// Who is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    /// Whoever asks from there without a key, where that has rates of its own.
    Stranger(IpAddr),
    /// Whoever asks from there.
    Address(IpAddr),
    Key(Arc<str>),
}

/// What one caller has used, window by window.
struct Used(Mutex<Windows>);

struct Windows {
    requests: Box<[Window]>,
    tokens: Box<[Window]>,
}

/// A refusal, and how the caller stands.
pub struct Refusal {
    /// What the caller is told.
    pub error: Error,
    /// The window that is full.
    pub standing: Standing,
}

/// Tokens that a turn will probably use, until it is known what it did use. Dropped, it gives them back.
pub struct Reservation {
    used: Arc<Used>,
    limit: Arc<SurfaceLimit>,
    clock: Clock,
    /// In which aligned window of each rate.
    at: Box<[u64]>,
    taken: u64,
    spent: u64,
}

/// The surfaces that can be limited.
const SURFACES: [&str; 7] = ["chat", "platform", "prompt", "agent", "openai", "anthropic", "mcp"];

// === impl Limiter ===

impl Limiter {
    /// A limiter of what the operator set.
    pub fn new(settings: &RateLimit, clock: Clock) -> Self {
        let limits = SURFACES.into_iter().filter_map(|name| Some((name, Arc::new(settings.of(name)?))));
        let class = |(name, class): (&String, &RateClass)| {
            let (requests, tokens) = (class.requests.clone(), class.tokens.clone());
            (name.clone(), Arc::new(SurfaceLimit { per: Per::Caller, requests, anonymous: None, tokens }))
        };
        let classes = settings.classes.iter().filter(|_| settings.enabled).map(class).collect();
        Self { surfaces: limits.collect(), classes, callers: Cache::new(settings.callers.max(1)), clock }
    }

    /// Counts a request of `caller`, and tells how the caller stands with the tightest window; nothing where there is no limit.
    ///
    /// # Errors
    /// If a window is full; nothing is counted then.
    pub fn admit(&self, caller: &Caller) -> Result<Option<Standing>, Box<Refusal>> {
        self.count(caller, 1)
    }

    /// How `caller` stands, without counting anything.
    pub fn look(&self, caller: &Caller) -> Option<Standing> {
        self.count(caller, 0).ok().flatten()
    }

    fn count(&self, caller: &Caller, cost: u64) -> Result<Option<Standing>, Box<Refusal>> {
        let Some((limit, key)) = self.limit(caller) else { return Ok(None) };
        let rates = limit.rates(caller);
        if rates.is_empty() {
            return Ok(None);
        }
        let (now, used) = (self.clock.now(), self.used(limit, key, caller));
        let mut windows = used.lock();
        let waits = rates.iter().zip(&mut windows.requests).map(|(rate, window)| {
            // A trial: it is taken from all windows or from none.
            let mut trial = *window;
            let outcome = trial.take(*rate, cost, now);
            (*rate, window, trial, outcome)
        });
        let mut trials: Vec<_> = waits.collect();
        let fullest = trials.iter().filter_map(|(rate, _, trial, outcome)| Some((*rate, *trial, outcome.err()?)));
        if let (Some((rate, mut window, wait)), true) = (fullest.max_by_key(|(_, _, wait)| *wait), cost > 0) {
            return Err(Box::new(Refusal { error: refused(rate, wait), standing: window.standing(rate, now) }));
        }
        let standings = trials.iter_mut().map(|(rate, window, trial, _)| {
            **window = *trial;
            trial.standing(*rate, now)
        });
        Ok(standings.min_by(|a, b| a.share().total_cmp(&b.share())))
    }

    /// Whether tokens of `caller` are counted.
    pub fn counts_tokens(&self, caller: &Caller) -> bool {
        self.limit(caller).is_some_and(|(limit, _)| !limit.tokens.is_empty())
    }

    /// Takes `estimate` tokens for a turn of `caller`; nothing where there is no limit.
    ///
    /// # Errors
    /// If a window is full.
    pub fn reserve(&self, caller: &Caller, estimate: u64) -> Result<Option<Reservation>> {
        let Some((limit, key)) = self.limit(caller).filter(|(limit, _)| !limit.tokens.is_empty()) else {
            return Ok(None);
        };
        let (now, used) = (self.clock.now(), self.used(limit, key, caller));
        let mut windows = used.lock();
        let mut after = windows.tokens.clone();
        let waits = limit.tokens.iter().zip(&mut after).filter_map(|(rate, window)| {
            let wait = window.take(*rate, estimate, now).err()?;
            Some((*rate, wait))
        });
        if let Some((rate, wait)) = waits.max_by_key(|(_, wait)| *wait) {
            return Err(refused(rate, wait));
        }
        let at = after.iter().map(Window::index).collect();
        windows.tokens = after;
        drop(windows);
        Ok(Some(Reservation { used, limit: limit.clone(), clock: self.clock.clone(), at, taken: estimate, spent: 0 }))
    }

    /// What `caller` is held to, and who is counted where.
    fn limit(&self, caller: &Caller) -> Option<(&Arc<SurfaceLimit>, Counted)> {
        if let Some((class, subject)) = caller.rate_class().filter(|_| SURFACES.contains(&caller.surface))
            && let Some(limit) = self.classes.get(class)
        {
            return Some((limit, (CLASS, Who::Key(subject.into()))));
        }
        let limit = self.surfaces.get(caller.surface)?;
        Some((limit, (caller.surface, Who::of(limit, caller))))
    }

    fn used(&self, limit: &SurfaceLimit, key: Counted, caller: &Caller) -> Arc<Used> {
        let fresh = || {
            let windows = |rates: &[Rate]| vec![Window::default(); rates.len()].into_boxed_slice();
            let windows = Windows { requests: windows(limit.rates(caller)), tokens: windows(&limit.tokens) };
            Ok::<_, std::convert::Infallible>(Arc::new(Used(Mutex::new(windows))))
        };
        match self.callers.get_or_insert_with(&key, fresh) {
            Ok(used) => used,
            Err(never) => match never {},
        }
    }
}

fn refused(rate: Rate, wait: Duration) -> Error {
    Error::caller(Kind::RateLimited, "Rate limit exceeded")
        .with_details(serde_json::json!({"limit": rate.limit, "window": rate.window.as_secs()}))
        .with_retry_after(Some(wait))
}

// === impl SurfaceLimit ===

impl SurfaceLimit {
    /// The rates that hold for requests of `caller`.
    fn rates(&self, caller: &Caller) -> &[Rate] {
        match (&self.anonymous, &caller.identity) {
            (Some(rates), Identity::Anonymous) => rates,
            _ => &self.requests,
        }
    }
}

// === impl Who ===

impl Who {
    fn of(limit: &SurfaceLimit, caller: &Caller) -> Self {
        match (limit.per, &caller.identity, &limit.anonymous) {
            (Per::Caller, Identity::Key | Identity::User(_), _) => Self::Key(caller.principal.clone()),
            (_, Identity::Anonymous, Some(_)) => Self::Stranger(network(caller.address)),
            _ => Self::Address(network(caller.address)),
        }
    }
}

// === impl Standing ===

impl Standing {
    /// The part that is left.
    fn share(&self) -> f64 {
        self.remaining as f64 / (self.rate.limit as f64).max(1.0)
    }
}

// === impl Used ===

impl Used {
    fn lock(&self) -> std::sync::MutexGuard<'_, Windows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Reservation ===

impl Reservation {
    /// The turn has used `tokens` so far; the newest word counts.
    pub fn spent(&mut self, tokens: u64) {
        self.spent = tokens;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let now = self.clock.now();
        let mut windows = self.used.lock();
        for ((rate, window), index) in self.limit.tokens.iter().zip(&mut windows.tokens).zip(&self.at) {
            window.settle(*rate, *index, self.taken, self.spent, now);
        }
    }
}

#[cfg(test)]
mod tests;
