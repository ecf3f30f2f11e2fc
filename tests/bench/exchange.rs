//! What the sandbox costs: one exchange, one frame, one live instance. `make bench` runs it; it prints, it judges nothing.
//!
//! An exchange is what a chat takes: constructor, begin (the guest builds the request's JSON), the response's head, one frame
//! parsed into events, the end of the resource.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench takes the time, prints, and has nobody to tell what went wrong"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mortise::config::{self, Isolation};
use mortise::model::chat::{Message, Request, Role};
use mortise::model::provider::{Frame, Head, Input, Operation};
use mortise::plugin::bundled::BUNDLED;
use mortise::plugin::wasm::{Loader, Sandbox};
use mortise::plugin::{Exchange, Provider, Tenancy};

const FRAME: &str = r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":null}]}"#;

fn operation() -> Operation {
    let said = "Explain in one sentence why the sky is blue, and in another why the sunset is red.";
    let messages = vec![Message::text(Role::System, "You are a helpful assistant."), Message::text(Role::User, said)];
    Operation::Chat(Request {
        model: "m".into(),
        messages,
        temperature: Some(0.5),
        streaming: true,
        dialect: Some("openai".into()),
        ..Request::default()
    })
}

fn head() -> Input {
    Input::Head(Head { status: 200, headers: vec![("content-type".into(), "text/event-stream".into())] })
}

fn frames(count: usize) -> Input {
    Input::Frames((0..count).map(|_| Frame { event: None, data: FRAME.as_bytes().to_vec() }).collect())
}

fn begun(provider: &dyn Provider, tenancy: &Tenancy) -> Box<dyn Exchange> {
    let mut exchange = provider.open(operation(), "{}", tenancy).unwrap();
    black_box(exchange.advance(Input::Begin).unwrap());
    black_box(exchange.advance(head()).unwrap());
    exchange
}

/// The median of many batches: a shared machine makes the mean a tale of its neighbours.
fn median(mut once: impl FnMut() -> u32) -> Duration {
    let began = Instant::now();
    let mut batches = Vec::new();
    while began.elapsed() < Duration::from_secs(2) {
        let batch = Instant::now();
        let done = once();
        batches.push(batch.elapsed() / done);
    }
    batches.sort();
    batches[batches.len() / 2]
}

fn exchanges(provider: &dyn Provider, isolation: Isolation) -> Duration {
    let tenancy = Tenancy { isolation, principal: "bench".into() };
    median(|| {
        for _ in 0..20 {
            let mut exchange = begun(provider, &tenancy);
            black_box(exchange.advance(frames(1)).unwrap());
        }
        20
    })
}

fn frame(provider: &dyn Provider, batch: usize) -> Duration {
    let tenancy = Tenancy { isolation: Isolation::Warm, principal: "bench".into() };
    let mut exchange = begun(provider, &tenancy);
    median(|| {
        for _ in 0..50 {
            black_box(exchange.advance(frames(batch)).unwrap());
        }
        50 * u32::try_from(batch).unwrap()
    })
}

/// Memory that only this process holds, in KiB. What an instance reads of its image is one copy for all.
fn held() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn memory(provider: &dyn Provider) -> usize {
    const LIVE: usize = 500;
    let tenancy = Tenancy { isolation: Isolation::Fresh, principal: "bench".into() };
    // The pool keeps what it once touched: only instances beyond those that were ever live are counted.
    let before = held();
    let live: Vec<_> = (0..LIVE).map(|_| begun(provider, &tenancy)).collect();
    let after = held();
    drop(live);
    (after - before) / LIVE
}

#[tokio::main]
async fn main() {
    let cache = std::env::temp_dir().join("mortise-bench-cache");
    let config = config::Plugins { directory: cache.join("none"), cache, ..config::Plugins::default() };
    let loader = Loader::load(Sandbox::new(&config).unwrap(), config, BUNDLED).await.unwrap();
    let snapshot = loader.catalog().snapshot();
    let openai: Arc<dyn Provider> = snapshot.published("openai").unwrap().provider().unwrap().clone();
    let mut lines = vec![("live instance (fresh, in mid-exchange)", format!("{} KiB", memory(&*openai)), "57 KiB")];
    for (name, isolation, spike) in [
        ("exchange, warm", Isolation::Warm, "6 µs"),
        ("exchange, one caller's own instance", Isolation::Principal, "–"),
        ("exchange, fresh", Isolation::Fresh, "35–48 µs"),
    ] {
        lines.push((name, format!("{:.1} µs", exchanges(&*openai, isolation).as_nanos() as f64 / 1000.0), spike));
    }
    for (name, batch, spike) in [("frame, one by one", 1, "1.8 µs"), ("frame, eight at once", 8, "1.2 µs")] {
        lines.push((name, format!("{:.2} µs", frame(&*openai, batch).as_nanos() as f64 / 1000.0), spike));
    }
    println!("{:<42} {:>12} {:>12}", "openai plugin", "measured", "the spike");
    for (name, measured, spike) in lines {
        println!("{name:<42} {measured:>12} {spike:>12}");
    }
}
