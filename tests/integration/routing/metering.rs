//! What calls took: in the log, in the answer, in the metrics. What a vendor counted is taken as it is, the rest is an estimate.

use serde_json::{Value, json};

use super::{QUICK, asks, pair, says, served, server, text};
use crate::exposition::Exposition;
use crate::grammar;
use crate::harness::Server;
use crate::patience::until;
use crate::upstream::openai::{sse, usage, words};
use crate::upstream::{Answer, Gate, Upstream};

/// The log's lines on usage, once there are so many.
async fn lines(server: &Server, number: usize) -> Vec<String> {
    until("the calls to be metered", async || {
        let log = server.log();
        let lines: Vec<String> = log.lines().filter(|line| line.contains("mortise::usage")).map(Into::into).collect();
        (lines.len() == number).then_some(lines)
    })
    .await
}

#[track_caller]
fn holds(line: &str, words: &[&str]) {
    for word in words {
        assert!(line.contains(word), "no {word:?} in {line}");
    }
}

/// A server with a guest whose model has a price: 2 dollars for a million tokens of input, 6 for one of output.
async fn priced() -> Server {
    Server::configured(|home| {
        std::fs::write(home.join("plugins/well.wasm"), test_guests::get("well")).unwrap();
        String::new()
    })
    .await
}

#[tokio::test]
async fn the_cost_is_in_the_answer_in_the_metrics_and_in_the_log() {
    let server = priced().await;
    let reply = server.client.send(&asks("well/any", false)).await;
    assert_eq!(reply.expect(200)["usage"]["cost"], json!(1.4e-5), "one token of input, two of output");
    assert_eq!(reply.head.header("x-mortise-cost"), Some("0.000014000"));
    assert_eq!(reply.head.header("x-mortise-estimated"), None);
    let said = grammar::openai(&server.client.send(&asks("well/any", true)).await.events(), true);
    assert_eq!(said.usage.unwrap()["cost"], json!(1.4e-5));
    let lines = lines(&server, 2).await;
    holds(&lines[0], &["provider=\"well\"", "model=\"any\"", "input=1 output=2", "cost=1.4e-5", "estimated=false"]);
    holds(&lines[1], &["principal=\"127.0.0.1\"", "outcome=\"ok\"", "attempts=1"]);
    let page = Exposition::parse(server.client.get("/metrics").await.text());
    let cost = page.get("mortise_cost_usd_total", &[("provider", "well"), ("model", "any")]).unwrap();
    assert!((cost - 2.8e-5).abs() < 1e-12, "{cost}");
}

#[tokio::test]
async fn an_unknown_price_is_no_price() {
    let upstream = Upstream::always(Answer::json(&says("x", "m"))).await;
    let server = server(&[("one", &upstream)], "").await;
    let reply = server.client.send(&asks("one/small", false)).await;
    assert_eq!((reply.expect(200)["usage"].get("cost"), reply.head.header("x-mortise-cost")), (None, None));
    let line = lines(&server, 1).await.remove(0);
    holds(&line, &["input=9 output=12"]);
    assert!(!line.contains("cost="), "{line}");
}

#[tokio::test]
async fn where_the_vendor_counts_nothing_it_is_an_estimate_and_said_to_be() {
    let mut answer = says(&"w".repeat(40), "m");
    answer["usage"] = Value::Null;
    let upstream = Upstream::script([Answer::json(&answer)]).await;
    let server = server(&[("one", &upstream)], "").await;
    let reply = server.client.send(&asks("one/small", false)).await;
    assert_eq!(reply.head.header("x-mortise-estimated"), Some("true"));
    assert_eq!(reply.expect(200).get("usage"), None, "what nobody counted is not told as if somebody had");
    let mut told = words(&["twelve bytes", "twelve bytes"]);
    told.pop();
    upstream.then(Answer::text(sse(&told)));
    let reply = server.client.post("/api/v1/chat/stream", &json!({"message": "Hello!", "model": "one/small"})).await;
    assert_eq!(grammar::chat(&reply.events()).error, None);
    let lines = lines(&server, 2).await;
    holds(&lines[0], &["input=2 output=10", "estimated=true"]);
    holds(&lines[1], &["input=2 output=6", "estimated=true", "outcome=\"ok\""]);
}

#[tokio::test]
async fn a_caller_who_hangs_up_is_metered_for_what_was_said() {
    let gate = Gate::new();
    let answer = Answer::stream(&words(&["twelve bytes", "never"]));
    let (before, between) = (answer.event(1), answer.event(2));
    let upstream = Upstream::script([answer.clone().pause(between, &gate)]).await;
    let server = server(&[("one", &upstream)], "").await;
    let mut stream = server.client.stream(&asks("one/small", true)).await;
    while !stream.next().await.unwrap().data.contains("twelve") {}
    drop(stream);
    holds(&lines(&server, 1).await[0], &["input=2 output=3", "estimated=true", "outcome=\"cancelled\""]);
    // Before the first word, too: asking and hanging up is not for free.
    upstream.then(answer.pause(before, &gate));
    let mut connection = server.client.connect().await;
    connection.send(&asks("one/small", true)).await;
    upstream.request(1).await;
    drop(connection);
    holds(&lines(&server, 2).await[1], &["input=2 output=0", "estimated=true", "outcome=\"cancelled\""]);
}

#[tokio::test]
async fn a_stream_that_breaks_is_metered_for_what_was_said() {
    let answer = Answer::stream(&words(&["twelve bytes", "never"]));
    let cut = answer.event(2);
    let upstream = Upstream::always(answer.cut(cut)).await;
    let server = server(&[("one", &upstream)], QUICK).await;
    let said = grammar::openai(&server.client.send(&asks("one/small", true)).await.events(), true);
    assert!(said.error.is_some());
    holds(&lines(&server, 1).await[0], &["input=2 output=3", "estimated=true", "outcome=\"upstream\""]);
}

#[tokio::test]
async fn failed_attempts_are_not_billed() {
    let first = Upstream::always(Answer::error(503, "overloaded", "busy")).await;
    let second = Upstream::script([Answer::json(&says("x", "m"))]).await;
    let server = pair(&first, &second, "routing: {retries: 0}").await;
    let reply = server.client.send(&asks("fast", false)).await;
    assert_eq!((text(&reply).as_str(), served(&reply)[2]), ("x", "2"));
    second.then(Answer::error(500, "server_error", "broken"));
    assert_eq!(server.client.send(&asks("fast", false)).await.status(), 503);
    let lines = lines(&server, 2).await;
    holds(&lines[0], &["provider=\"two\"", "model=\"large\"", "input=9 output=12", "attempts=2", "outcome=\"ok\""]);
    holds(&lines[1], &["input=0 output=0", "estimated=false", "attempts=2", "outcome=\"upstream\""]);
    let page = Exposition::parse(server.client.get("/metrics").await.text());
    let outcome = |provider, outcome| {
        let labels = [("provider", provider), ("model", "other"), ("outcome", outcome)];
        page.get("mortise_provider_requests_total", &labels)
    };
    assert_eq!(outcome("one", "upstream"), Some(2.0), "each attempt is one operation of its provider");
}

#[tokio::test]
async fn the_vendors_count_is_law() {
    let mut answer = says("x", "m");
    answer["usage"] = usage(900, 1);
    let upstream = Upstream::always(Answer::json(&answer)).await;
    let server = server(&[("one", &upstream)], "").await;
    let reply = server.client.send(&asks("one/small", false)).await;
    assert_eq!(reply.expect(200)["usage"]["prompt_tokens"], 900);
    holds(&lines(&server, 1).await[0], &["input=900 output=1", "estimated=false"]);
}
