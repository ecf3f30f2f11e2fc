//! Who finds which answer, for how long, and how much is kept.

use std::sync::atomic::AtomicI64;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::model::chat::{Event, Message, Role, Stop, StopReason};
use crate::model::{Error, Kind};
use crate::service::Chosen;
use crate::service::provider::Provider;
use crate::service::route::breaker::Circuit;

const NONE: Choice<'_> = Choice { provider: None, model: Some("m") };
const USE: Wish = Wish { mode: Mode::Use, join: false };
const JOIN: Wish = Wish { mode: Mode::Use, join: true };

fn answers(size: usize) -> (Arc<Answers>, Arc<AtomicI64>) {
    let time = Arc::new(AtomicI64::new(1_700_000_000));
    let now = time.clone();
    let clock = Clock::from_fn(move || Timestamp::from_second(now.load(Ordering::Relaxed)).unwrap());
    (Answers::new(config::Cache { size, ttl: Duration::from_secs(60) }, clock), time)
}

fn from(address: &str) -> Caller {
    Caller::anonymous(address.parse().unwrap(), "openai")
}

fn asks(text: &str) -> Request {
    Request { messages: vec![Message::text(Role::User, text)], ..Request::default() }
}

fn chosen() -> Chosen {
    let state = Err(Error::caller(Kind::NotFound, "x"));
    let circuit = Circuit::new(config::Breaker::default());
    let provider = Provider { name: "p".into(), configured: true, state, circuit, retries: 0 };
    Chosen { provider: Arc::new(provider), model: "m".into() }
}

async fn find(answers: &Arc<Answers>, wish: Wish, request: &Request, caller: &Caller) -> Found {
    answers.find(wish, None, NONE, request, caller).await
}

fn said(length: usize) -> [Event; 2] {
    let stop = Stop { reason: StopReason::Complete, sequence: None };
    [Event::Text { block: 0, text: "w".repeat(length) }, Event::Stopped(stop)]
}

/// Asks, and keeps an answer of so many bytes.
async fn keep(answers: &Arc<Answers>, request: &Request, caller: &Caller, length: usize) {
    let Found::Miss(mut recording) = find(answers, USE, request, caller).await else { panic!("it is there") };
    recording.add(&said(length));
    recording.keep(&chosen());
}

async fn is_there(answers: &Arc<Answers>, request: &Request, caller: &Caller) -> bool {
    matches!(find(answers, USE, request, caller).await, Found::Hit(_))
}

#[tokio::test]
async fn two_callers_share_nothing_unless_the_route_does() {
    let (answers, _) = answers(1 << 20);
    let (alice, bob) = (from("192.0.2.1"), from("192.0.2.2"));
    keep(&answers, &asks("x"), &alice, 10).await;
    assert!(is_there(&answers, &asks("x"), &alice).await && !is_there(&answers, &asks("x"), &bob).await);
    let shared = Some(RouteCache { shared: true, ..RouteCache::default() });
    let Found::Miss(mut recording) = answers.find(Wish::default(), shared, NONE, &asks("x"), &alice).await else {
        panic!("what was hers alone is shared")
    };
    recording.add(&said(10));
    recording.keep(&chosen());
    assert!(matches!(answers.find(Wish::default(), shared, NONE, &asks("x"), &bob).await, Found::Hit(_)));
}

#[tokio::test]
async fn only_the_same_is_the_same() {
    let (answers, _) = answers(1 << 20);
    let alice = from("192.0.2.1");
    let asked = Request { temperature: Some(0.5), ..asks("x") };
    keep(&answers, &asked, &alice, 10).await;
    assert!(is_there(&answers, &Request { streaming: true, ..asked.clone() }, &alice).await);
    for other in [
        asks("x"),
        Request { temperature: Some(0.6), ..asks("x") },
        Request { seed: Some(1), ..asked.clone() },
        Request { user: Some("u".into()), ..asked.clone() },
        Request { stop: vec!["x".into()], ..asked.clone() },
        Request { messages: vec![Message::text(Role::System, "x")], ..asked.clone() },
        Request { raw: Some("{\"unknown\":1}".into()), ..asked.clone() },
    ] {
        assert!(!is_there(&answers, &other, &alice).await, "{other:?}");
    }
    let elsewhere = Choice { provider: Some("q"), model: Some("m") };
    assert!(!matches!(answers.find(USE, None, elsewhere, &asked, &alice).await, Found::Hit(_)));
    let raw = |text: &'static str| Request { raw: Some(text.into()), ..asked.clone() };
    keep(&answers, &raw(r#"{"a":1,"b":2,"stream":true}"#), &alice, 10).await;
    assert!(is_there(&answers, &raw(r#"{"b":2,"a":1}"#), &alice).await);
    assert!(!is_there(&answers, &raw(r#"{"b":2,"a":2}"#), &alice).await);
    assert!(matches!(find(&answers, USE, &raw("no JSON"), &alice).await, Found::Unasked));
}

#[tokio::test]
async fn nothing_is_older_than_it_may_be() {
    let (answers, time) = answers(1 << 20);
    let alice = from("192.0.2.1");
    keep(&answers, &asks("x"), &alice, 10).await;
    time.fetch_add(59, Ordering::Relaxed);
    assert!(is_there(&answers, &asks("x"), &alice).await);
    time.fetch_add(1, Ordering::Relaxed);
    assert!(!is_there(&answers, &asks("x"), &alice).await);
    assert_eq!(answers.status().answers, 0);
}

#[tokio::test]
async fn a_caller_may_want_none_or_a_new_one() {
    let (answers, _) = answers(1 << 20);
    let alice = from("192.0.2.1");
    keep(&answers, &asks("x"), &alice, 10).await;
    for (mode, route, expected) in [
        (Mode::Route, None, "unasked"),
        (Mode::Bypass, Some(RouteCache::default()), "unasked"),
        (Mode::Refresh, Some(RouteCache::default()), "miss"),
        (Mode::Route, Some(RouteCache::default()), "hit"),
    ] {
        let wish = Wish { mode, join: false };
        let found = match answers.find(wish, route, NONE, &asks("x"), &alice).await {
            Found::Unasked => "unasked",
            Found::Hit(_) => "hit",
            Found::Miss(_) => "miss",
        };
        assert_eq!(found, expected, "{mode:?}");
    }
    let (none, _) = self::answers(0);
    assert!(matches!(find(&none, JOIN, &asks("x"), &alice).await, Found::Unasked));
}

#[tokio::test]
async fn refusals_and_what_is_too_long_are_not_kept() {
    let (answers, _) = answers(1 << 20);
    let alice = from("192.0.2.1");
    let stopped = |reason| Event::Stopped(Stop { reason, sequence: None });
    for events in [
        vec![Event::Refusal { block: 0, text: "no".into() }, stopped(StopReason::Complete)],
        vec![stopped(StopReason::Refusal)],
        vec![Event::Text { block: 0, text: "w".repeat(1 << 17) }, stopped(StopReason::Complete)],
    ] {
        let Found::Miss(mut recording) = find(&answers, USE, &asks("x"), &alice).await else { panic!() };
        recording.add(&events);
        recording.keep(&chosen());
        assert!(!is_there(&answers, &asks("x"), &alice).await, "{events:?}");
    }
}

#[tokio::test]
async fn whatever_comes_it_holds_no_more_than_it_may() {
    let (answers, _) = answers(1 << 20);
    let alice = from("192.0.2.1");
    for number in 0..5000 {
        keep(&answers, &asks(&number.to_string()), &alice, 1000 + number % 5000).await;
        assert!(answers.kept.weight() <= 1 << 20, "{} after {number}", answers.kept.weight());
    }
    assert!(answers.kept.weight() > 1 << 18, "it keeps hardly anything: {}", answers.kept.weight());
}

#[tokio::test]
async fn equal_requests_wait_for_the_first_and_one_takes_over_if_it_goes() {
    let (answers, _) = answers(1 << 20);
    let (alice, request) = (from("192.0.2.1"), asks("x"));
    let Found::Miss(first) = find(&answers, JOIN, &request, &alice).await else { panic!() };
    let mut second = Box::pin(find(&answers, JOIN, &request, &alice));
    let mut third = Box::pin(find(&answers, JOIN, &request, &alice));
    let mut fourth = Box::pin(find(&answers, JOIN, &request, &alice));
    for waiting in [&mut second, &mut third, &mut fourth] {
        assert!(futures_util::poll!(waiting).is_pending());
    }
    // Another question waits for nobody.
    assert!(matches!(find(&answers, JOIN, &asks("y"), &alice).await, Found::Miss(_)));
    drop(second);
    drop(first);
    let Found::Miss(mut third) = third.await else { panic!("nobody has answered") };
    assert!(futures_util::poll!(&mut fourth).is_pending(), "one takes over, not all");
    third.add(&said(10));
    third.keep(&chosen());
    assert!(matches!(fourth.await, Found::Hit(_)));
    assert!(answers.lines.lock().unwrap().is_empty(), "lines are left behind");
}

proptest! {
    /// However requests come, go and end, nobody is left behind in a line.
    #[test]
    fn lines_end(steps in prop::collection::vec((0u8..4, 0usize..3, 0usize..8), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (answers, _) = answers(1 << 20);
            let alice = from("192.0.2.1");
            let requests = ["x", "y", "z"].map(asks);
            let (mut waiting, mut asking) = (Vec::new(), Vec::new());
            let refresh = Wish { mode: Mode::Refresh, join: true };
            for (step, which, index) in steps {
                match step {
                    0 | 1 => waiting.push(Box::pin(find(&answers, refresh, &requests[which], &alice))),
                    2 if !waiting.is_empty() => drop(waiting.swap_remove(index % waiting.len())),
                    _ if !asking.is_empty() => drop(asking.swap_remove(index % asking.len())),
                    _ => {}
                }
                let mut still = Vec::new();
                for mut one in waiting.drain(..) {
                    match futures_util::poll!(&mut one) {
                        std::task::Poll::Ready(found) => asking.push(found),
                        std::task::Poll::Pending => still.push(one),
                    }
                }
                waiting = still;
                assert!(asking.len() <= requests.len(), "two ask the same");
            }
            drop((waiting, asking));
            assert!(answers.lines.lock().unwrap().is_empty());
        });
    }
}
