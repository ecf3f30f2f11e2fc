//! `/metrics`: right in form, right in number, and bounded whatever callers do.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::client::{Client, Request};
use crate::exposition::Exposition;
use crate::harness::{KEY, Server};
use crate::patience::until;
use crate::shape;
use crate::upstream::openai::{MODEL, completion, embeddings, opening, sse, usage_chunk, word, words};
use crate::upstream::{Answer, Gate, Upstream};

const CHAT: &str = "/openai/v1/chat/completions";
const DURATION: &str = "mortise_request_duration_seconds_bucket";

fn asks(model: &str, stream: bool) -> Request {
    let messages = json!([{"role": "user", "content": "a secret prompt"}]);
    Request::new("POST", CHAT).json(&json!({"model": model, "messages": messages, "stream": stream}))
}

async fn scrape(client: Client) -> Exposition {
    let reply = client.get("/metrics").await;
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.head.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    Exposition::parse(reply.text())
}

/// Scrapes until there is what is looked for: a request is counted once its answer is over, which its caller may notice first.
async fn until_counted(client: Client, what: &str, look: impl Fn(&Exposition) -> bool) -> Exposition {
    until(what, async || Some(scrape(client).await).filter(&look)).await
}

#[tokio::test]
async fn requests_are_counted_by_template_and_status() {
    let server = Server::echo().await;
    for _ in 0..3 {
        server.client.send(&asks("echo", false)).await.expect(200);
    }
    server.client.send(&asks("echo", true)).await.events();
    server.client.send(&asks("nobody", false)).await.expect(404);
    let labels = |status| [("method", "POST"), ("path", CHAT), ("status", status)];
    let told = until_counted(server.client, "five requests", |told| {
        told.get("mortise_requests_total", &labels("200")) == Some(4.0)
            && told.get("mortise_requests_total", &labels("404")) == Some(1.0)
    })
    .await;
    let labels = [("method", "POST"), ("path", CHAT)];
    assert_eq!(told.get("api_requests_total", &labels), Some(5.0));
    assert_eq!(told.get("mortise_request_duration_seconds_count", &labels), Some(5.0));
    for bound in ["0.1", "1.0"] {
        assert!(told.get(DURATION, &[labels[0], labels[1], ("le", bound)]).is_some(), "no bucket {bound}");
    }
    // The scrape itself is in progress.
    assert_eq!(told.get("mortise_requests_active", &[]), Some(1.0));
    for status in ["active", "completed"] {
        assert_eq!(told.get("sessions_total", &[("status", status)]), Some(0.0));
    }
    let served = [("provider", "echo"), ("model", "echo")];
    let ended = |outcome| [served[0], served[1], ("outcome", outcome)];
    assert_eq!(told.get("mortise_provider_requests_total", &ended("ok")), Some(4.0));
    assert_eq!(told.get("mortise_provider_request_duration_seconds_count", &served), Some(4.0));
    assert_eq!(told.get("mortise_first_token_seconds_count", &[("provider", "echo")]), Some(1.0));
    assert_eq!(told.get("mortise_tokens_total", &[served[0], served[1], ("direction", "input")]), Some(12.0));
    let calls = told.get("mortise_plugin_calls_total", &[("plugin", "echo"), ("outcome", "ok")]);
    assert!(calls >= Some(12.0), "an exchange takes three calls at least: {calls:?}");
    assert!(told.get("mortise_plugin_instances", &[("plugin", "echo")]) >= Some(1.0));
    assert_eq!(told.get("mortise_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), Some(1.0));
    let megabytes = told.get("process_resident_memory_bytes", &[]).unwrap() / 1e6;
    assert!((5.0..5000.0).contains(&megabytes), "{megabytes} MB");
    assert!(told.get("process_open_fds", &[]) > Some(3.0) && told.sum("process_start_time_seconds") > 1.6e9);
    // The numbers of the status page are the same ones.
    let status = server.client.get("/api/v1/status").await.expect(200);
    assert!(status["requests_total"].as_u64() > Some(5) && status["requests_active"] == 1, "{status}");
}

#[tokio::test]
async fn counters_never_fall_while_many_ask() {
    let server = Server::echo().await;
    let mut callers = JoinSet::new();
    for caller in 0..4 {
        let client = server.client;
        callers.spawn(async move {
            for _ in 0..10 {
                client.send(&asks("echo", caller % 2 == 0)).await;
            }
        });
    }
    let mut before = scrape(server.client).await;
    while callers.join_next().await.is_some() {
        let now = scrape(server.client).await;
        now.follows(&before);
        before = now;
    }
    let labels = [("method", "POST"), ("path", CHAT), ("status", "200")];
    until_counted(server.client, "all of them", |told| told.get("mortise_requests_total", &labels) == Some(40.0)).await;
}

#[tokio::test]
async fn callers_make_no_labels() {
    let upstream = Upstream::always(Answer::error(404, "not_found", "no such model")).await;
    let server = Server::vendor(&upstream, "").await;
    for number in 0..20 {
        server.client.get(&format!("/invented/{number}?token={KEY}")).await.expect(404);
        server.client.send(&Request::new(&format!("BREW{number}"), "/health")).await.expect(405);
        server.client.send(&asks(&format!("openai/invented-{number}"), false)).await.expect(404);
    }
    // The vendor's own names are known by nobody else, but the vendor vouches for them.
    upstream.route("/v1/chat/completions", Answer::json(&completion("well")));
    server.client.send(&asks("openai/its-alias", false)).await.expect(200);
    let told = until_counted(server.client, "all of them", |told| {
        told.get("mortise_requests_total", &[("method", "POST"), ("path", CHAT), ("status", "200")]) == Some(1.0)
    })
    .await;
    assert_eq!(
        told.get("mortise_requests_total", &[("method", "GET"), ("path", "unmatched"), ("status", "404")]),
        Some(20.0)
    );
    assert_eq!(
        told.get("mortise_requests_total", &[("method", "other"), ("path", "unmatched"), ("status", "405")]),
        Some(20.0)
    );
    let models = told.values("mortise_provider_requests_total", "model");
    assert_eq!(models.into_iter().collect::<Vec<_>>(), [MODEL, "other"]);
    let other = [("provider", "openai"), ("model", "other"), ("outcome", "invalid")];
    assert_eq!(told.get("mortise_provider_requests_total", &other), Some(20.0));
    let text = server.client.get("/metrics").await;
    for secret in ["invented", "token=", KEY, "secret", "BREW"] {
        assert!(!text.text().contains(secret), "{secret} stands in the metrics");
    }
}

#[tokio::test]
async fn what_was_reported_before_a_caller_left_counts() {
    let gate = Gate::new();
    let answer = Answer::stream(&[opening(), word("one"), usage_chunk(9, 4), word("two")]);
    let at = answer.event(3);
    let upstream = Upstream::always(answer.pause(at, &gate)).await;
    let server = Server::vendor(&upstream, "").await;
    let mut stream = server.client.stream(&asks("openai/gpt-4o-mini", true)).await;
    while !stream.next().await.unwrap().data.contains("one") {}
    gate.reached().await;
    // The report has come in once the server has read up to the gate, which nobody can see from outside.
    let served = [("provider", "openai"), ("model", "gpt-4o-mini")];
    tokio::time::timeout(Duration::from_millis(200), stream.next()).await.expect_err("nothing more comes");
    drop(stream);
    let told =
        until_counted(server.client, "the operation's end", |told| told.sum("mortise_provider_requests_total") == 1.0)
            .await;
    assert_eq!(
        told.get("mortise_provider_requests_total", &[served[0], served[1], ("outcome", "cancelled")]),
        Some(1.0)
    );
    for (direction, tokens) in [("input", 9.0), ("output", 4.0)] {
        let counted = told.get("mortise_tokens_total", &[served[0], served[1], ("direction", direction)]);
        assert_eq!(counted, Some(tokens), "{direction}");
    }
    gate.open();
}

#[tokio::test]
async fn outcomes_are_told_apart() {
    let upstream = Upstream::script([
        Answer::json(&completion("well")),
        Answer::error(429, "slow", "later"),
        Answer::error(500, "broken", "oh no"),
        Answer::text(sse(&words(&["a"])[..2])).cut(400),
        Answer::silent(),
    ])
    .await;
    upstream.route("/v1/embeddings", Answer::json(&embeddings(&[&[0.5]])));
    let server = Server::vendor(&upstream, "    timeouts: {head: 1s}").await;
    for stream in [false, false, false, true, false] {
        server.client.send(&asks("openai/gpt-4o-mini", stream)).await;
    }
    let embed = json!({"model": "openai/text-embedding-3-small", "input": "x"});
    server.client.post("/openai/v1/embeddings", &embed).await.expect(200);
    let mut gone = server.client.connect().await;
    upstream.then(Answer::silent());
    gone.send(&asks("openai/gpt-4o-mini", false)).await;
    upstream.request(6).await;
    drop(gone);
    let told =
        until_counted(server.client, "all of them", |told| told.sum("mortise_provider_requests_total") == 7.0).await;
    let count = |model, outcome| {
        told.get("mortise_provider_requests_total", &[("provider", "openai"), ("model", model), ("outcome", outcome)])
    };
    for (outcome, times) in [("ok", 1.0), ("rate_limited", 1.0), ("upstream", 2.0), ("timeout", 1.0)] {
        assert_eq!(count("gpt-4o-mini", outcome), Some(times), "{outcome}");
    }
    assert_eq!(count("text-embedding-3-small", "ok"), Some(1.0));
    let hung_up = [("method", "POST"), ("path", CHAT), ("status", "499")];
    until_counted(server.client, "the caller who hung up", |told| {
        told.get("mortise_requests_total", &hung_up) == Some(1.0)
    })
    .await;
    assert_eq!(count("gpt-4o-mini", "cancelled"), Some(1.0));
}

#[tokio::test]
async fn traps_are_counted_by_plugin() {
    let server = Server::configured(|home| {
        std::fs::write(home.join("plugins/trap.wasm"), test_guests::get("trap")).unwrap();
        std::fs::write(home.join("plugins/garbage.wasm"), b"garbage").unwrap();
        "providers: {trap: {base_url: \"http://127.0.0.1:9\"}}".to_owned()
    })
    .await;
    let ask = json!({"message": "x", "provider": "trap", "model": "begin"});
    shape::native(&server.client.post("/api/v1/chat", &ask).await, 502, "PROVIDER_ERROR");
    let told = scrape(server.client).await;
    assert_eq!(told.get("mortise_plugin_traps_total", &[("plugin", "trap")]), Some(1.0));
    assert_eq!(told.get("mortise_plugin_calls_total", &[("plugin", "trap"), ("outcome", "trap")]), Some(1.0));
    assert_eq!(told.get("mortise_plugin_instances", &[("plugin", "trap")]), Some(0.0));
    assert_eq!(told.get("mortise_plugin_loads_total", &[("outcome", "error")]), Some(1.0));
    let outcomes = told.values("mortise_provider_requests_total", "outcome");
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), ["plugin"]);
}

#[tokio::test]
async fn a_scraper_may_ask_for_openmetrics() {
    let server = Server::echo().await;
    let asked =
        Request::new("GET", "/metrics").header("Accept", "application/openmetrics-text;version=1.0.0,*/*;q=0.1");
    let reply = server.client.send(&asked).await;
    assert_eq!(reply.head.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    let text = reply.text();
    assert!(text.ends_with("# EOF\n") && text.contains("# TYPE sessions counter\n"), "{text}");
    assert!(text.contains("# UNIT process_cpu_seconds seconds\n"), "{text}");
    let head = server.client.send(&Request::new("HEAD", "/metrics")).await;
    assert!(head.status() == 200 && head.body.is_empty());
}

#[tokio::test]
async fn metrics_can_be_switched_off() {
    let server = Server::start(&format!("{}telemetry: {{metrics: false}}\n", crate::harness::ECHO)).await;
    let told = shape::native(&server.client.get("/metrics").await, 404, "NOT_FOUND");
    assert!(told["error"].as_str().unwrap().contains("telemetry.metrics"), "{told}");
}
