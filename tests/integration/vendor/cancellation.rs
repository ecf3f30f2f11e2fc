//! A caller who hangs up: the vendor's connection is closed at once, whatever was going on.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{native, request};
use crate::client::Request;
use crate::harness::Server;
use crate::upstream::openai::{completion, words};
use crate::upstream::{Answer, Gate, Upstream};

/// How long the vendor may still be paid for words that nobody reads.
const AT_ONCE: Duration = Duration::from_millis(100);

/// The same on every surface.
fn everywhere(stream: bool) -> [Request; 4] {
    let message = json!([{"role": "user", "content": "Hello!"}]);
    let post = |path: &str, body: Value| Request::new("POST", path).json(&body);
    [
        request(stream),
        native(stream),
        post(
            "/anthropic/v1/messages",
            json!({"model": "openai/gpt-4o-mini", "max_tokens": 9, "messages": message, "stream": stream}),
        ),
        post("/v1/responses", json!({"model": "openai/gpt-4o-mini", "input": message, "stream": stream})),
    ]
}

async fn hangs_up_while_waiting(answer: Answer, request: &Request) {
    let upstream = Upstream::always(answer).await;
    let server = Server::vendor(&upstream, "").await;
    let mut connection = server.client.connect().await;
    connection.send(request).await;
    upstream.request(0).await;
    assert!(!upstream.is_closed(0));
    let before = Instant::now();
    drop(connection);
    let passed = upstream.closed(0).await.duration_since(before);
    assert!(passed < AT_ONCE, "closed after {passed:?}");
}

#[tokio::test]
async fn before_the_vendors_head() {
    for request in everywhere(false).into_iter().chain(everywhere(true)) {
        hangs_up_while_waiting(Answer::silent(), &request).await;
    }
}

#[tokio::test]
async fn before_the_whole_answer() {
    for request in everywhere(false) {
        hangs_up_while_waiting(Answer::json(&completion("x")).stall(10), &request).await;
    }
}

#[tokio::test]
async fn before_the_first_word() {
    for request in everywhere(true) {
        hangs_up_while_waiting(Answer::text("").stall(0), &request).await;
    }
}

#[tokio::test]
async fn between_two_words() {
    // What this vendor says is no answer to a caller of `/v1/responses`, which is asked in its own dialect.
    for request in everywhere(true).into_iter().take(3) {
        let gate = Gate::new();
        let answer = Answer::stream(&words(&["one", "two"]));
        let at = answer.event(2);
        let upstream = Upstream::always(answer.pause(at, &gate)).await;
        let server = Server::vendor(&upstream, "").await;
        let mut stream = server.client.stream(&request).await;
        while !stream.next().await.unwrap().data.contains("one") {}
        assert!(!upstream.is_closed(0));
        let before = Instant::now();
        drop(stream);
        let passed = upstream.closed(0).await.duration_since(before);
        assert!(passed < AT_ONCE, "closed after {passed:?}");
        // The server is as well as before.
        gate.open();
        assert!(server.client.send(&request).await.text().contains("two"));
    }
}

#[tokio::test]
async fn while_words_are_pouring_in() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    let word = crate::upstream::openai::sse(&[crate::upstream::openai::word(&"x".repeat(1000))]);
    let begin = crate::upstream::openai::sse(&words(&["one"])[..2]);
    upstream.then(Answer::text(begin).endless(&word));
    let mut stream = server.client.stream(&request(true)).await;
    while !stream.next().await.unwrap().data.contains("one") {}
    let before = Instant::now();
    drop(stream);
    let passed = upstream.closed(0).await.duration_since(before);
    assert!(passed < AT_ONCE, "closed after {passed:?}");
}
