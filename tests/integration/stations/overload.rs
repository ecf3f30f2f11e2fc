//! More than the server does at once: some wait, the rest are told so, and nothing stays taken.

use serde_json::json;

use super::refused;
use crate::client::{Connection, Reply, Request, Streamed};
use crate::harness::Server;
use crate::patience::until;
use crate::upstream::openai::{completion, words};
use crate::upstream::{Answer, Gate, Upstream};

const PATHS: [&str; 2] = ["/v1/chat/completions", "/api/v1/chat"];

fn asks(path: &str) -> Request {
    let body = match path {
        "/api/v1/chat" => json!({"provider": "openai", "model": "m", "message": "x"}),
        _ => json!({"model": "openai/m", "messages": [{"role": "user", "content": "x"}]}),
    };
    Request::new("POST", path).json(&body)
}

fn streams() -> Request {
    let body = json!({"model": "openai/m", "stream": true, "messages": [{"role": "user", "content": "x"}]});
    Request::new("POST", "/v1/chat/completions").json(&body)
}

/// A server for two requests at once and one that waits; both are streams, the first and second of the vendor's.
async fn full(more: &str) -> (Upstream, Server, [Gate; 2], Vec<Streamed>) {
    let gates = [Gate::new(), Gate::new()];
    let upstream = Upstream::always(Answer::json(&completion("Hi!"))).await;
    let bounds = "max_concurrent_requests: 2, queue_length: 1";
    let server = Server::vendor(&upstream, &format!("server: {{{bounds}, {more}}}")).await;
    let mut held = Vec::new();
    for gate in &gates {
        let answer = Answer::stream(&words(&["one", "two"]));
        let at = answer.event(2);
        upstream.then(answer.pause(at, gate));
        let mut stream = server.client.stream(&streams()).await;
        while !stream.next().await.unwrap().data.contains("one") {}
        held.push(stream);
    }
    (upstream, server, gates, held)
}

/// Asks twice: one waits, the other is turned away.
async fn crowd(server: &Server, path: &str) -> (Reply, Connection) {
    let (mut one, mut two) = (server.client.connect().await, server.client.connect().await);
    one.send(&asks(path)).await;
    two.send(&asks(path)).await;
    let (first, waiting) = tokio::select! {
        reply = one.reply("POST") => (reply, two),
        reply = two.reply("POST") => (reply, one),
    };
    (first.expect("an answer"), waiting)
}

#[track_caller]
fn overloaded(reply: &Reply, path: &str) {
    refused(reply, path, 503, "OVERLOADED", "server_error");
    assert!(super::number(reply, "retry-after") >= 1, "{:?}", reply.head);
}

#[tokio::test]
async fn one_waits_and_the_next_is_turned_away() {
    for path in PATHS {
        let (_upstream, server, gates, held) = full("queue_timeout: 20s").await;
        let (turned_away, mut waiting) = crowd(&server, path).await;
        overloaded(&turned_away, path);
        // Whoever looks after the server still gets in, and mistakes are still told.
        assert_eq!(server.client.get("/health").await.status(), 200);
        assert_eq!(server.client.send(&Request::new("OPTIONS", path)).await.status(), 204);
        assert_eq!(server.client.get("/v1/nothing").await.status(), 404);
        gates[0].open();
        let reply = waiting.reply("POST").await.expect("an answer");
        assert_eq!(reply.status(), 200, "{}", reply.text());
        gates[1].open();
        for stream in held {
            assert!(stream.rest().await.iter().any(|event| event.data.contains("two")));
        }
        assert_eq!(server.client.send(&asks(path)).await.status(), 200);
    }
}

#[tokio::test]
async fn a_wait_in_vain_ends() {
    let (_upstream, server, _gates, _held) = full("queue_timeout: 50ms").await;
    for path in PATHS {
        overloaded(&server.client.send(&asks(path)).await, path);
    }
}

#[tokio::test]
async fn room_comes_back_when_callers_hang_up() {
    let (_upstream, server, _gates, mut held) = full("queue_timeout: 20s").await;
    held.pop();
    assert_eq!(server.client.send(&asks(PATHS[0])).await.status(), 200);
    held.clear();
    for _ in 0..4 {
        let asked = PATHS.map(asks);
        let (one, two) = tokio::join!(server.client.send(&asked[0]), server.client.send(&asked[1]));
        assert_eq!((one.status(), two.status()), (200, 200));
    }
}

#[tokio::test]
async fn a_place_in_the_queue_comes_back_when_its_caller_hangs_up() {
    let (upstream, server, gates, _held) = full("queue_timeout: 20s").await;
    let (turned_away, waiting) = crowd(&server, PATHS[0]).await;
    overloaded(&turned_away, PATHS[0]);
    drop(waiting);
    // Somebody else can wait there now: who is turned away at once tries again.
    let mut next = until("a place in the queue", async || {
        let mut connection = server.client.connect().await;
        connection.send(&asks(PATHS[1])).await;
        let early = tokio::time::timeout(std::time::Duration::from_millis(200), connection.reply("POST")).await;
        early.is_err().then_some(connection)
    })
    .await;
    gates[0].open();
    assert_eq!(next.reply("POST").await.expect("an answer").status(), 200);
    assert_eq!(upstream.requests().len(), 3, "who has gone isn't served");
}

#[tokio::test]
async fn who_sends_slowly_takes_no_room() {
    let upstream = Upstream::always(Answer::json(&completion("Hi!"))).await;
    let server = Server::vendor(&upstream, "server: {max_concurrent_requests: 2, queue_length: 1}").await;
    let mut slow = Vec::new();
    for path in PATHS.repeat(5) {
        let mut connection = server.client.connect().await;
        let whole = asks(path).body;
        let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", whole.len());
        connection.write(&[head.as_bytes(), &whole[..5]].concat()).await.unwrap();
        slow.push((connection, whole));
    }
    for path in PATHS.repeat(5) {
        assert_eq!(server.client.send(&asks(path)).await.status(), 200);
    }
    for (mut connection, whole) in slow {
        connection.write(&whole[5..]).await.unwrap();
        assert_eq!(connection.reply("POST").await.expect("an answer").status(), 200);
    }
}

#[tokio::test]
async fn no_answer_in_time_is_told() {
    let upstream = Upstream::always(Answer::silent()).await;
    let server = Server::vendor(&upstream, "server: {request_timeout_secs: 1}").await;
    for (number, request) in [asks(PATHS[0]), asks(PATHS[1]), streams()].iter().enumerate() {
        let reply = server.client.send(request).await;
        refused(&reply, &request.path, 504, "TIMEOUT", "server_error");
        upstream.closed(number).await;
    }
}
