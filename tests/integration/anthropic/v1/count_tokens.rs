//! Tests of `POST /anthropic/v1/messages/count_tokens`.

use serde_json::json;

use super::{DOUBLED, PATH, asks, tool};
use crate::client::Request;
use crate::harness::Server;
use crate::shape;
use crate::upstream::Upstream;

const ESTIMATED: &str = "x-mortise-estimated";

#[tokio::test]
async fn a_provider_that_counts_is_asked() {
    let server = Server::echo().await;
    let mut body = asks("one two three");
    body["system"] = json!("four five");
    body["tools"] = json!([tool("six")]);
    let used = server.client.post(PATH, &body).await.expect(200)["usage"]["input_tokens"].clone();
    body.as_object_mut().unwrap().remove("max_tokens");
    for path in [format!("{PATH}/count_tokens"), format!("{DOUBLED}/count_tokens?beta=true")] {
        let reply = server.client.send(&Request::new("POST", &path).json(&body)).await;
        assert_eq!(reply.expect(200), json!({"input_tokens": used}));
        assert_eq!(reply.head.header(ESTIMATED), None);
    }
}

#[tokio::test]
async fn one_that_cannot_count_is_guessed_for() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    let text = "x".repeat(400);
    let body = json!({"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": text}], "tools": [tool("f")],
        "context_management": {}});
    let reply = server.client.post(&format!("{PATH}/count_tokens"), &body).await;
    let tokens = reply.expect(200)["input_tokens"].as_u64().unwrap();
    assert!((100..150).contains(&tokens), "{tokens}");
    assert_eq!(reply.head.header(ESTIMATED), Some("true"));
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn what_cannot_be_counted_is_refused() {
    let server = Server::echo().await;
    let path = format!("{PATH}/count_tokens");
    let error =
        shape::anthropic(&server.client.post(&path, &json!({"model": "claude"})).await, 400, "invalid_request_error");
    assert_eq!(error["message"], "messages: Field required");
    let body = json!({"model": "no-such-model", "messages": [{"role": "user", "content": "x"}]});
    shape::anthropic(&server.client.post(&path, &body).await, 404, "not_found_error");
}
