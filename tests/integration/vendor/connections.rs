//! Connections to the vendor: kept while they are good, replaced when they are not, shared by nobody at once.

use serde_json::json;
use tokio::task::JoinSet;

use super::{PATH, asks, request};
use crate::client::Request;
use crate::grammar;
use crate::harness::Server;
use crate::shape;
use crate::upstream::openai::{DONE, completion, sse, words};
use crate::upstream::{Answer, Upstream};

#[tokio::test]
async fn connections_are_used_again() {
    let upstream = Upstream::start().await;
    // Each worker has connections of its own.
    let server = Server::vendor(&upstream, "server: {workers: 1}").await;
    // Refusals and streams leave a good connection behind as well.
    for _ in 0..3 {
        upstream.then(Answer::json(&completion("Hi!")));
        assert_eq!(server.client.send(&request(false)).await.status(), 200);
        upstream.then(Answer::error(400, "invalid_request_error", "no"));
        assert_eq!(server.client.send(&request(false)).await.status(), 400);
        upstream.then(Answer::stream(&words(&["Hi!"])));
        grammar::openai(&server.client.send(&request(true)).await.events(), true);
    }
    assert_eq!((upstream.requests().len(), upstream.connections()), (9, 1));
}

#[tokio::test]
async fn a_vendor_that_closes_after_each_answer_is_no_trouble() {
    let whole = Answer::json(&completion("Hi!"));
    let end = whole.len();
    let upstream = Upstream::always(whole.cut(end)).await;
    let server = Server::vendor(&upstream, "").await;
    for number in 0..20 {
        let reply = server.client.send(&request(false)).await;
        assert_eq!(reply.status(), 200, "request {number}: {}", reply.text());
    }
    assert_eq!(upstream.connections(), 20);
}

#[tokio::test]
async fn early_hints_are_no_answer() {
    let body = completion("Hi!").to_string();
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    let upstream = Upstream::always(Answer::raw(format!("{hints}{hints}{head}{body}"))).await;
    let server = Server::vendor(&upstream, "").await;
    let answer = server.client.send(&request(false)).await.expect(200);
    assert_eq!(answer["choices"][0]["message"]["content"], "Hi!");
}

#[tokio::test]
async fn a_body_that_ends_with_its_connection_is_whole() {
    let body = sse(&words(&["Hi!"])) + DONE;
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
    let upstream = Upstream::always(Answer::raw(format!("{head}{body}"))).await;
    let server = Server::vendor(&upstream, "").await;
    assert_eq!(grammar::openai(&server.client.send(&request(true)).await.events(), true).text, "Hi!");
}

#[tokio::test]
async fn a_whole_answer_in_place_of_a_stream_is_not_lost_in_silence() {
    let upstream = Upstream::always(Answer::json(&completion("Hi!"))).await;
    let server = Server::vendor(&upstream, "").await;
    let reply = server.client.send(&request(true)).await;
    if reply.status() == 200 {
        assert_eq!(grammar::openai(&reply.events(), true).text, "Hi!");
    } else {
        shape::openai(&reply, 502, "server_error");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_mixes_with_another() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    let client = server.client;
    let mut all = JoinSet::new();
    for number in 0..150 {
        // One half asks the vendor, who is asked in any order; the other half is echoed.
        upstream.then(Answer::stream(&words(&["same ", "for ", "all"])).split(&[number * 7 + 1]));
        all.spawn(async move {
            let said = grammar::openai(&client.send(&request(true)).await.events(), true);
            assert_eq!(said.text, "same for all");
        });
        all.spawn(async move {
            let text = format!("only for {number}: {}", "ab ".repeat(number));
            let mut body = asks(true);
            (body["model"], body["messages"][0]["content"]) = (json!("echo"), json!(text));
            let said = grammar::openai(&client.send(&Request::new("POST", PATH).json(&body)).await.events(), true);
            assert_eq!(said.text, text);
        });
    }
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
}
