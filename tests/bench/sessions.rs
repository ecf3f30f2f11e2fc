//! What sessions cost on disk: pages of long lists, the end of a long session, and many who speak at once.
//!
//! Run it with `cargo bench --bench sessions`; it says what it measured, and fails where a page costs more than a millisecond.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench tells, and fails by panicking"
)]
#![expect(clippy::disallowed_methods, reason = "a bench takes the time")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mortise::config::Config;
use mortise::model::chat::{Message, Role};
use mortise::model::session::{Origin, Status};
use mortise::service::Clock;
use mortise::service::session::{New, Sessions};
use mortise::store::Store;
use mortise::store::session::Filter;
use mortise::telemetry::metrics::Metrics;

const SESSIONS: usize = 100_000;
const MESSAGES: u64 = 100_000;
const ROUNDS: usize = 200;
const OWNER: &str = "alice";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(measure());
}

async fn measure() {
    let home = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.store.path = home.path().join("data");
    let metrics = Metrics::new([]);
    let store = Store::open(&config.store, metrics.store.clone()).await.unwrap();
    let sessions = Arc::new(Sessions::new(store.clone(), Clock::system(), &config));

    let began = Instant::now();
    for _ in 0..SESSIONS / 500 {
        join_all((0..500).map(|_| sessions.create(OWNER, Origin::Platform, New::default()))).await;
    }
    println!("{SESSIONS} sessions made, 500 at once: {:.0}/s", SESSIONS as f64 / began.elapsed().as_secs_f64());

    let filter = Filter { status: Some(Status::Created), ..Filter::default() };
    for (name, filter) in [("all", Filter::default()), ("by status", filter)] {
        let page = || async { sessions.list(OWNER, &filter, None, 0, 20).await.unwrap() };
        let mut after = page().await.next;
        judged(&format!("20 of {SESSIONS} sessions, {name}, the first page"), page).await;
        for _ in 0..50 {
            after = sessions.list(OWNER, &filter, after.as_ref(), 0, 100).await.unwrap().next;
        }
        let page = || async { sessions.list(OWNER, &filter, after.as_ref(), 0, 20).await.unwrap() };
        judged(&format!("20 of {SESSIONS} sessions, {name}, behind 5000 others"), page).await;
    }

    let long = sessions.create(OWNER, Origin::Platform, New::default()).await.unwrap();
    let mut turn = sessions.begin(OWNER, &long.id).await.unwrap();
    for _ in 0..MESSAGES / 1000 {
        turn.append((0..1000).map(|_| Message::text(Role::User, "what was said, in a few words"))).await.unwrap();
    }
    let (long, _) = turn.finish().await.unwrap();
    assert_eq!(long.totals.messages, MESSAGES);
    let page = || async { sessions.messages(&long, MESSAGES - 50, 50).await.unwrap() };
    judged(&format!("the last 50 of {MESSAGES} messages"), page).await;

    let one = speak(&sessions, 1, 100).await;
    let many = speak(&sessions, 256, 20).await;
    println!(
        "messages appended: one after the other {one:.0}/s, 256 at once {many:.0}/s, {:.0} times as many",
        many / one
    );
    store.close().await.unwrap();
}

/// So many who speak at once, each so often; how many messages a second that makes.
async fn speak(sessions: &Arc<Sessions>, who: usize, often: usize) -> f64 {
    let one = || async {
        let session = sessions.create(OWNER, Origin::Platform, New::default()).await.unwrap();
        let mut turn = sessions.begin(OWNER, &session.id).await.unwrap();
        for _ in 0..often {
            turn.append([Message::text(Role::User, "what was said, in a few words")]).await.unwrap();
        }
        turn.finish().await.unwrap();
    };
    let began = Instant::now();
    join_all((0..who).map(|_| one())).await;
    (who * often) as f64 / began.elapsed().as_secs_f64()
}

/// Asks often, and says how long half of them and nearly all of them took at most.
async fn judged<T, F: Future<Output = T>>(what: &str, ask: impl Fn() -> F) {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        ask().await;
        times.push(began.elapsed());
    }
    times.sort();
    let (half, most) = (times[ROUNDS / 2], times[ROUNDS * 99 / 100]);
    println!("{what}: p50 {half:?}, p99 {most:?}");
    assert!(half <= Duration::from_millis(1), "{what} costs too much");
}
