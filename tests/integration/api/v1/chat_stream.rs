//! Tests of `POST /api/v1/chat/stream`.

use serde_json::json;

use crate::client::Request;
use crate::harness::Server;
use crate::{grammar, shape};

const PATH: &str = "/api/v1/chat/stream";

fn says(text: &str) -> Request {
    Request::new("POST", PATH).body(json!({"message": text}).to_string())
}

#[tokio::test]
async fn a_stream_says_what_an_answer_says() {
    let server = Server::echo().await;
    for text in
        ["Write a REST API", "naïve café 日本語 🦀", "event: end\n\ndata: [DONE]\n\n", "one\r\ntwo\u{2028}three"]
    {
        for request in [says(text), says(text).header("Content-Type", "application/json")] {
            let reply = server.client.send(&request).await;
            let told = grammar::chat(&reply.events());
            assert_eq!((told.text.as_str(), told.error), (text, None));
            assert_eq!(reply.head.header("x-request-id"), Some(told.request_id.as_str()));
            assert_eq!(reply.head.header("cache-control"), Some("no-cache"), "{:?}", reply.head);
        }
    }
}

#[tokio::test]
async fn words_come_one_by_one() {
    let server = Server::echo().await;
    let told = server.client.send(&says("one two three")).await.events();
    assert!(told.iter().filter(|event| event.name.as_deref() == Some("token")).count() > 1, "{told:?}");
    // Each word waits a minute: what can be read at once was not held back for the rest.
    let mut stream = server.client.stream(&says("one [[wait 60000]] two")).await;
    assert_eq!(stream.next().await.unwrap().name.as_deref(), Some("start"));
}

#[tokio::test]
async fn thinking_is_not_part_of_the_answer() {
    let server = Server::echo().await;
    let told = grammar::chat(&server.client.send(&says("[[think hard about it]] done")).await.events());
    assert_eq!((told.text.trim(), told.thinking.trim()), ("done", "hard about it"));
}

#[tokio::test]
async fn a_refusal_before_the_first_word_has_a_status() {
    let server = Server::echo().await;
    let refused = server.client.send(&says("[[fail forbidden not for you]]")).await;
    assert_eq!(refused.status(), 403);
    assert!(shape::message(&refused).contains("not for you"));
    let missing = server.client.send(&Request::new("POST", PATH).body("{}")).await;
    shape::native(&missing, 400, "MISSING_FIELD");
    let warm = server.client.post(PATH, &json!({"message": "x", "temperature": 2})).await;
    shape::native(&warm, 400, "INVALID_VALUE");
}

#[tokio::test]
async fn a_failure_after_the_first_word_is_told_in_the_stream() {
    let server = Server::echo().await;
    let reply = server.client.send(&says("one two [[fail overloaded no more today]] three")).await;
    let told = grammar::chat(&reply.events());
    assert_eq!(told.text.trim(), "one two");
    let error = told.error.expect("an error");
    assert!(error["error"].as_str().unwrap().contains("no more today"), "{error}");
    assert_eq!(error["error_code"], "PROVIDER_ERROR");
}
