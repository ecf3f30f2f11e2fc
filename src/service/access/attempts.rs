//! How often passwords may be tried: for one account, and from one address.
//!
//! An attempt is counted before it is made, so that many at once don't pass; one that was right is given back. Names without an
//! account are counted like others, so that the refusal tells nothing. Memory is bounded, as that of [`crate::service::limit`] is.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use quick_cache::sync::Cache;

use crate::config::{self, Rate};
use crate::model::caller::network;
use crate::model::{Error, Kind, Result};
use crate::service::Clock;
use crate::service::limit::Window;

/// See the module.
pub(super) struct Attempts {
    clock: Clock,
    per_account: Rate,
    per_address: Rate,
    counted: Cache<Who, Arc<Mutex<Window>>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Who {
    Account(String),
    Address(IpAddr),
}

/// An attempt that is counted.
#[must_use]
pub(super) struct Attempt {
    /// What it is counted in, and in which aligned window of it.
    counts: Vec<(Rate, Arc<Mutex<Window>>, u64)>,
    at: Timestamp,
}

/// How many accounts and addresses are remembered.
const REMEMBERED: usize = 50_000;

// === impl Attempts ===

impl Attempts {
    pub(super) fn new(settings: &config::Auth, clock: Clock) -> Self {
        let (per_account, per_address) = (settings.attempts_per_account, settings.attempts_per_address);
        Self { clock, per_account, per_address, counted: Cache::new(REMEMBERED) }
    }

    /// Counts an attempt from `address`, at `account` if there is one.
    ///
    /// # Errors
    /// If there were too many.
    pub(super) fn count(&self, account: Option<&str>, address: IpAddr) -> Result<Attempt> {
        let at = self.clock.now();
        let mut attempt = Attempt { counts: Vec::new(), at };
        let account = account.map(|name| (Who::Account(name.to_lowercase()), self.per_account));
        for (who, rate) in [(Who::Address(network(address)), self.per_address)].into_iter().chain(account) {
            let window = self.window(who);
            let taken = {
                let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
                window.take(rate, 1, at).map(|()| window.index())
            };
            match taken {
                Ok(index) => attempt.counts.push((rate, window, index)),
                Err(wait) => {
                    attempt.take_back();
                    let error = Error::caller(Kind::RateLimited, "too many attempts to log in; try again later");
                    let details = serde_json::json!({"limit": rate.limit, "window": rate.window.as_secs()});
                    return Err(error.with_details(details).with_retry_after(Some(wait)));
                }
            }
        }
        Ok(attempt)
    }

    fn window(&self, who: Who) -> Arc<Mutex<Window>> {
        let fresh = || Ok::<_, std::convert::Infallible>(Arc::default());
        match self.counted.get_or_insert_with(&who, fresh) {
            Ok(window) => window,
            Err(never) => match never {},
        }
    }
}

// === impl Attempt ===

impl Attempt {
    /// It was no guess.
    pub(super) fn take_back(self) {
        for (rate, window, index) in self.counts {
            let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
            window.settle(rate, index, 1, 0, self.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn guesses_are_counted_by_account_and_by_address() {
        let rate = |limit| Rate { limit, window: Duration::from_secs(600) };
        let settings =
            config::Auth { attempts_per_account: rate(3), attempts_per_address: rate(5), ..config::Auth::default() };
        let attempts = Attempts::new(&settings, Clock::from_fn(|| Timestamp::from_second(1_700_000_000).unwrap()));
        let (here, there) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        for _ in 0..9 {
            attempts.count(Some("right@example.com"), here).unwrap().take_back();
        }
        for _ in 0..3 {
            drop(attempts.count(Some("A@example.com"), here).unwrap());
        }
        let error = attempts.count(Some("a@EXAMPLE.com"), there).err().unwrap();
        assert_eq!(error.kind(), Kind::RateLimited);
        assert!(error.retry_after().is_some());
        for _ in 0..2 {
            drop(attempts.count(None, here).unwrap());
        }
        assert!(attempts.count(Some("b@example.com"), here).is_err(), "the address has had its five");
        assert!(attempts.count(Some("b@example.com"), there).is_ok(), "and took nothing from the account");
    }
}
