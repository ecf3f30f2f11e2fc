//! Tests of the limiter; the clock is theirs.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

/// A limiter of `yaml`, and its clock in milliseconds.
fn limiter(yaml: &str) -> (Limiter, Arc<AtomicI64>) {
    let settings =
        crate::config::Config::from_yaml(&format!("server:\n  rate_limit: {yaml}\n")).unwrap().server.rate_limit;
    let time = Arc::new(AtomicI64::new(1_700_000_040_000));
    let now = time.clone();
    let clock = Clock::from_fn(move || Timestamp::from_millisecond(now.load(Ordering::Relaxed)).unwrap());
    (Limiter::new(&settings, clock), time)
}

fn from(address: &str, surface: &'static str) -> Caller {
    Caller::anonymous(address.parse().unwrap(), surface)
}

#[test]
fn all_windows_hold_and_the_tightest_is_shown() {
    let (limiter, time) = limiter("{surfaces: {chat: {requests: [5/1m, 7/1d]}}}");
    let caller = from("192.0.2.1", "chat");
    for left in [4, 3, 2, 1, 0] {
        let standing = limiter.admit(&caller).ok().unwrap().unwrap();
        assert_eq!((standing.remaining, standing.rate.limit), (left, 5));
    }
    let refusal = limiter.admit(&caller).err().unwrap();
    assert_eq!(refusal.error.details().unwrap()["window"], 60);
    assert_eq!(refusal.standing.remaining, 0);
    time.fetch_add(120_000, Ordering::Relaxed);
    assert_eq!(limiter.look(&caller).unwrap().remaining, 2);
    for left in [1, 0] {
        let standing = limiter.admit(&caller).ok().unwrap().unwrap();
        assert_eq!((standing.remaining, standing.rate.limit), (left, 7), "the day is tighter now");
    }
    let refusal = limiter.admit(&caller).err().unwrap();
    assert_eq!(refusal.error.details().unwrap()["window"], 86_400);
    assert!(refusal.error.retry_after().unwrap() > Duration::from_secs(3600));
    assert!(limiter.admit(&from("192.0.2.2", "chat")).is_ok(), "others are not concerned");
    assert!(limiter.admit(&from("192.0.2.1", "openai")).unwrap_or_else(|_| panic!()).is_none());
}

#[test]
fn a_key_counts_for_itself_where_callers_are_counted() {
    let (limiter, _) = limiter("{surfaces: {agent: {requests: [3/1m], anonymous: [1/1m]}}}");
    let address = "192.0.2.1".parse().unwrap();
    let keyed = |key: &str| Caller::with_key(key.into(), address, "agent");
    assert!(limiter.admit(&from("192.0.2.1", "agent")).is_ok());
    assert!(limiter.admit(&from("192.0.2.1", "agent")).is_err());
    for key in ["key-a", "key-b"] {
        (0..3).for_each(|_| assert!(limiter.admit(&keyed(key)).is_ok()));
        assert!(limiter.admit(&keyed(key)).is_err());
    }
}

#[test]
fn a_network_of_ipv6_is_one_address() {
    let (limiter, _) = limiter("{surfaces: {chat: {requests: [1/1m]}}}");
    assert!(limiter.admit(&from("2001:db8::1", "chat")).is_ok());
    assert!(limiter.admit(&from("2001:db8::ffff:1", "chat")).is_err());
    assert!(limiter.admit(&from("2001:db8:0:1::1", "chat")).is_ok());
}

#[test]
fn tokens_are_reserved_and_settled() {
    let (limiter, _) = limiter("{surfaces: {openai: {tokens: [1000/1m]}}}");
    let caller = from("192.0.2.1", "openai");
    let mut first = limiter.reserve(&caller, 600).unwrap().unwrap();
    let error = limiter.reserve(&caller, 600).err().unwrap();
    assert_eq!((error.kind(), &error.details().unwrap()["limit"]), (Kind::RateLimited, &1000.into()));
    first.spent(100);
    first.spent(300);
    drop(first);
    drop(limiter.reserve(&caller, 700).unwrap().unwrap());
    let huge = limiter.reserve(&caller, 5000);
    assert!(huge.is_err(), "300 are used, so what is more than all has to wait");
    assert!(limiter.reserve(&from("192.0.2.1", "mcp"), 5000).unwrap().is_none());
}

#[test]
fn a_million_strangers_fill_nothing_and_push_out_nobody_who_asks_often() {
    let (limiter, _) = limiter("{callers: 1000, surfaces: {chat: {requests: [50/1m]}}}");
    let regular = from("192.0.2.1", "chat");
    (0..50).for_each(|_| assert!(limiter.admit(&regular).is_ok()));
    for number in 0..1_000_000u32 {
        let stranger = Caller::anonymous(IpAddr::from((0x0a00_0000 + number).to_be_bytes()), "chat");
        assert!(limiter.admit(&stranger).is_ok());
        if number % 500 == 0 {
            assert!(limiter.admit(&regular).is_err(), "forgotten after {number} strangers");
        }
    }
    assert!(limiter.callers.len() <= 1100, "{}", limiter.callers.len());
}

proptest! {
    /// However turns begin, end and are settled: what is admitted fits into what the settled and the open ones leave, counted
    /// here from a list of them.
    #[test]
    fn tokens_are_never_given_twice(steps in prop::collection::vec((0u64..120, 0usize..8, 0u64..150, 0i64..25_000), 1..150)) {
        const LIMIT: u128 = 100;
        const WINDOW: i64 = 60_000;
        let (limiter, time) = limiter("{surfaces: {openai: {tokens: [100/1m]}}}");
        let caller = from("192.0.2.1", "openai");
        // Charges by the window that they stand in, and open turns: what was taken, and where.
        let mut charges: Vec<(i64, i128)> = Vec::new();
        let mut open: Vec<(Reservation, i128, i64)> = Vec::new();
        for (estimate, which, spent, gap) in steps {
            let now = time.fetch_add(gap, Ordering::Relaxed) + gap;
            let window = now / WINDOW;
            if which < open.len() {
                let (mut turn, taken, at) = open.swap_remove(which);
                turn.spent(spent);
                drop(turn);
                let spent = i128::from(spent);
                // More than was taken counts now, less is given back where it was taken.
                charges.push(if spent > taken { (window, spent - taken) } else { (at, spent - taken) });
            }
            let of = |index| u128::try_from(charges.iter().filter(|(at, _)| *at == index).map(|(_, sum)| sum).sum::<i128>());
            let (current, previous) = (of(window).unwrap(), of(window - 1).unwrap());
            let left = u128::try_from(WINDOW - now % WINDOW).unwrap();
            let cost = u128::from(estimate).min(LIMIT);
            let fits = previous * left + (current + cost) * 60_000 <= LIMIT * 60_000;
            match limiter.reserve(&caller, estimate) {
                Ok(turn) => {
                    prop_assert!(fits, "{estimate} on {current} and {previous}");
                    charges.push((window, i128::from(estimate)));
                    open.push((turn.unwrap(), i128::from(estimate), window));
                }
                Err(_) => prop_assert!(!fits, "{estimate} on {current} and {previous}"),
            }
        }
    }
}
