//! What to do after an attempt that failed: pure, so that every case can be tried.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::config::Routing;
use crate::model::{Error, Fault, Kind};

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::service) enum Verdict {
    /// Ask the same provider again, after a pause.
    Retry {
        /// The pause.
        after: Duration,
    },
    /// Ask the next one, if there is one.
    Next,
    /// Nobody else would answer anything else.
    GiveUp,
}

/// How a request stands when an attempt has failed.
#[derive(Clone, Copy, Debug)]
pub(in crate::service) struct Standing {
    /// How often the provider was asked again already.
    pub(in crate::service) retried: u32,
    /// How often it may be.
    pub(in crate::service) retries: u32,
    /// Attempts that are left in all.
    pub(in crate::service) attempts: u32,
    /// Whether there is somebody else.
    pub(in crate::service) others: bool,
    /// Until the time is up that the provider may take in all.
    pub(in crate::service) left: Duration,
}

/// Longer than this nobody is left alone, whatever the vendor said.
const LONGEST_HOLD: Duration = Duration::from_secs(600);

/// What to do after `error`; `chance` is a number from 0 to 1.
pub(in crate::service) fn decide(error: &Error, standing: &Standing, rules: &Routing, chance: f64) -> Verdict {
    match (error.kind(), error.fault()) {
        // Another model may have room for it, another vendor may know what it asks for or let the operator in.
        (Kind::ContextTooLong | Kind::TooLarge | Kind::Unsupported | Kind::ModelNotFound, _)
        | (Kind::Unauthenticated | Kind::Forbidden, Fault::Upstream) => Verdict::Next,
        (_, Fault::Caller) | (Kind::Refused, _) => Verdict::GiveUp,
        // Who was silent once is likely to be silent again, and a guest that broke its limits breaks them again.
        (Kind::Timeout, _) | (_, Fault::Plugin | Fault::Us) => Verdict::Next,
        (_, Fault::Upstream) => again(error, standing, rules, chance),
    }
}

/// For how long a vendor wants nobody to ask.
pub(in crate::service) fn hold(error: &Error) -> Option<Duration> {
    let kind = matches!(error.kind(), Kind::RateLimited | Kind::Overloaded | Kind::Unavailable);
    let told = error.retry_after().filter(|_| kind && error.fault() == Fault::Upstream);
    told.map(|after| after.min(LONGEST_HOLD))
}

/// The error that a caller is told who was refused with `one` first and `other` later: one that may pass, else the first.
pub(in crate::service) fn telling(one: Error, other: Error) -> Error {
    if !passes(&one) && passes(&other) { other } else { one }
}

fn passes(error: &Error) -> bool {
    let kinds = [Kind::RateLimited, Kind::Overloaded, Kind::Unavailable, Kind::Timeout, Kind::Upstream];
    error.fault() == Fault::Upstream && kinds.contains(&error.kind())
}

fn again(error: &Error, standing: &Standing, rules: &Routing, chance: f64) -> Verdict {
    if standing.attempts == 0 || standing.retried >= standing.retries {
        return Verdict::Next;
    }
    let after = match error.retry_after() {
        // Somebody else can be asked at once.
        Some(_) if standing.others => return Verdict::Next,
        Some(told) if told > rules.max_retry_after => return Verdict::Next,
        Some(told) => told,
        None => longest(standing.retried, rules).mul_f64(chance.clamp(0.0, 1.0)),
    };
    if after < standing.left { Verdict::Retry { after } } else { Verdict::Next }
}

/// The longest pause before the retry of that number, counted from 0.
fn longest(number: u32, rules: &Routing) -> Duration {
    let pauses = ExponentialBuilder::new()
        .with_min_delay(rules.backoff.min(rules.max_backoff))
        .with_max_delay(rules.max_backoff)
        .without_max_times();
    // Long before this it is as long as it may get.
    let number = number.min(64);
    pauses.build().nth(number as usize).unwrap_or(rules.max_backoff)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FRESH: Standing =
        Standing { retried: 0, retries: 2, attempts: 5, others: true, left: Duration::from_secs(600) };

    fn upstream(kind: Kind) -> Error {
        Error::new(kind, Fault::Upstream, "x")
    }

    fn told(kind: Kind, seconds: u64) -> Error {
        upstream(kind).with_retry_after(Some(Duration::from_secs(seconds)))
    }

    fn after(error: &Error, standing: &Standing) -> Verdict {
        decide(error, standing, &Routing::default(), 1.0)
    }

    #[test]
    fn what_may_pass_is_tried_again_and_then_elsewhere() {
        for kind in [Kind::RateLimited, Kind::Overloaded, Kind::Unavailable, Kind::Upstream] {
            let pause = Verdict::Retry { after: Duration::from_millis(250) };
            assert_eq!(after(&upstream(kind), &FRESH), pause);
            let second = Verdict::Retry { after: Duration::from_millis(500) };
            assert_eq!(after(&upstream(kind), &Standing { retried: 1, ..FRESH }), second);
            assert_eq!(after(&upstream(kind), &Standing { retried: 2, ..FRESH }), Verdict::Next);
            assert_eq!(after(&upstream(kind), &Standing { attempts: 0, ..FRESH }), Verdict::Next);
            assert_eq!(after(&upstream(kind), &Standing { left: Duration::from_millis(250), ..FRESH }), Verdict::Next);
        }
    }

    #[test]
    fn what_a_vendor_says_of_time_is_law() {
        let alone = Standing { others: false, ..FRESH };
        assert_eq!(after(&told(Kind::RateLimited, 3), &FRESH), Verdict::Next, "somebody else is there");
        assert_eq!(after(&told(Kind::RateLimited, 3), &alone), Verdict::Retry { after: Duration::from_secs(3) });
        assert_eq!(after(&told(Kind::Overloaded, 10), &alone), Verdict::Retry { after: Duration::from_secs(10) });
        assert_eq!(after(&told(Kind::RateLimited, 11), &alone), Verdict::Next, "longer than routing.max_retry_after");
        assert_eq!(hold(&told(Kind::RateLimited, 11)), Some(Duration::from_secs(11)));
        assert_eq!(hold(&told(Kind::RateLimited, 1 << 40)), Some(LONGEST_HOLD));
        assert_eq!(hold(&upstream(Kind::RateLimited)), None);
    }

    #[test]
    fn nobody_waits_for_who_is_silent_or_breaks() {
        for error in [
            upstream(Kind::Timeout),
            upstream(Kind::Unauthenticated),
            upstream(Kind::Forbidden),
            Error::new(Kind::Plugin, Fault::Plugin, "x"),
            Error::new(Kind::Unavailable, Fault::Us, "x"),
            Error::caller(Kind::ContextTooLong, "x"),
            Error::caller(Kind::Unsupported, "x"),
            Error::caller(Kind::ModelNotFound, "x"),
        ] {
            assert_eq!(after(&error, &FRESH), Verdict::Next, "{error:?}");
        }
        for error in [upstream(Kind::Refused), Error::caller(Kind::InvalidValue, "x")] {
            assert_eq!(after(&error, &FRESH), Verdict::GiveUp, "{error:?}");
        }
    }

    #[test]
    fn the_original_error_is_told_unless_a_later_one_may_pass() {
        let unsupported = || Error::caller(Kind::Unsupported, "x");
        assert_eq!(telling(upstream(Kind::Overloaded), upstream(Kind::Timeout)).kind(), Kind::Overloaded);
        assert_eq!(telling(upstream(Kind::Overloaded), unsupported()).kind(), Kind::Overloaded);
        assert_eq!(telling(unsupported(), upstream(Kind::Overloaded)).kind(), Kind::Overloaded);
        assert_eq!(telling(upstream(Kind::Forbidden), unsupported()).kind(), Kind::Forbidden);
    }

    proptest! {
        /// However errors fall, a provider isn't asked more often than it may be, and never later or sooner than it may be.
        #[test]
        fn pauses_stay_within_their_bounds(
            kind in prop::sample::select(vec![Kind::RateLimited, Kind::Overloaded, Kind::Upstream, Kind::Timeout, Kind::Refused]),
            told in prop::option::of(0u64..100_000), chance in 0.0f64..1.0, retried in 0u32..200, retries in 0u32..200,
            attempts in 0u32..4, others: bool, left in 0u64..100_000, backoff in 0u64..100_000,
        ) {
            let rules = Routing { backoff: Duration::from_millis(backoff), ..Routing::default() };
            let told = told.map(Duration::from_millis);
            let left = Duration::from_millis(left);
            let standing = Standing { retried, retries, attempts, others, left };
            if let Verdict::Retry { after } = decide(&upstream(kind).with_retry_after(told), &standing, &rules, chance) {
                prop_assert!(retried < retries && attempts > 0 && after < left);
                match told {
                    Some(told) => prop_assert!(after == told && told <= rules.max_retry_after && !others),
                    None => prop_assert!(after <= rules.max_backoff),
                }
            }
        }
    }
}
