//! The end of a server: what is under way is finished, and nothing new begins.

use serde_json::json;

use crate::client::Request;
use crate::grammar;
use crate::harness::Server;
use crate::patience::until;
use crate::upstream::openai::{completion, words};
use crate::upstream::{Answer, Gate, Upstream};

fn body(stream: bool) -> serde_json::Value {
    json!({"model": "openai/m", "messages": [{"role": "user", "content": "x"}], "stream": stream})
}

#[tokio::test]
async fn a_stream_in_progress_is_finished() {
    let gate = Gate::new();
    let answer = Answer::stream(&words(&["one ", "two"]));
    let at = answer.event(2);
    let upstream = Upstream::always(answer.pause(at, &gate)).await;
    let mut server = Server::vendor(&upstream, "").await;
    let client = server.client;
    let mut stream = client.stream(&Request::new("POST", "/v1/chat/completions").json(&body(true))).await;
    let mut events = vec![stream.next().await.unwrap()];
    while !events.iter().any(|event| event.data.contains("one")) {
        events.push(stream.next().await.unwrap());
    }
    server.signal();
    until("the door to be shut", async || (!client.is_open().await).then_some(())).await;
    gate.open();
    events.extend(stream.rest().await);
    assert_eq!(grammar::openai(&events, false).text, "one two");
    server.ended().await;
}

#[tokio::test]
async fn a_request_in_progress_is_answered_and_idle_connections_end() {
    let gate = Gate::new();
    let upstream = Upstream::always(Answer::json(&completion("Hi!")).pause_head(&gate)).await;
    let mut server = Server::vendor(&upstream, "").await;
    let mut idle = server.client.connect().await;
    assert_eq!(idle.exchange(&Request::new("GET", "/health")).await.status(), 200);
    let mut busy = server.client.connect().await;
    busy.send(&Request::new("POST", "/v1/chat/completions").json(&body(false))).await;
    gate.reached().await;
    server.signal();
    assert!(idle.reply("GET").await.is_none(), "an idle connection is closed");
    gate.open();
    let reply = busy.reply("POST").await.expect("an answer");
    assert_eq!(reply.expect(200)["choices"][0]["message"]["content"], "Hi!");
    server.ended().await;
}

#[tokio::test]
async fn what_takes_too_long_is_cut() {
    let upstream = Upstream::always(Answer::silent()).await;
    let mut server = Server::vendor(&upstream, "server: {shutdown_timeout_secs: 1}").await;
    let mut busy = server.client.connect().await;
    busy.send(&Request::new("POST", "/v1/chat/completions").json(&body(false))).await;
    upstream.request(0).await;
    server.signal();
    server.ended().await;
    upstream.closed(0).await;
    // Told or cut off, but not answered as if nothing had happened.
    assert!(busy.reply("POST").await.is_none_or(|reply| reply.status() == 503));
}

#[tokio::test]
async fn a_server_without_work_ends_at_once() {
    let mut server = Server::echo().await;
    let before = tokio::time::Instant::now();
    server.signal();
    server.ended().await;
    assert!(before.elapsed().as_secs() < 5, "{:?}", before.elapsed());
}
