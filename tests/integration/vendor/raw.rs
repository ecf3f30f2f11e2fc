//! The same dialect in and out: the caller's bytes reach the vendor as they are, but for what has to change.

use serde_json::json;

use super::PATH;
use crate::client::Request;
use crate::harness::Server;
use crate::upstream::openai::{completion, words};
use crate::upstream::{Answer, Upstream};

/// A body as nobody would write it: blanks, escapes, numbers and an order of its own; fields that nobody here knows, a
/// member beside a tool's `function`.
const ODD: &str = "{ \"messages\" : [ {\"content\" : [{\"text\":\"h\\u00e9\\/ 🦀\",\"type\":\"text\"}] ,\"role\":\"user\"} ],\r\n\
    \t\"tools\":[ {\"function\":{\"parameters\":{\"type\":\"object\"},\"name\":\"f\"},\"type\":\"function\",\"beside\":{\"b\":null}} ],\n\
    \"temperature\":1.00, \"future\":[1e2,{\"z\":1,\"a\":2}],\"model\" :\"MODEL\" }\n";

async fn sent(body: &str, answer: Answer) -> (String, String) {
    let upstream = Upstream::always(answer).await;
    let server = Server::vendor(&upstream, "").await;
    let request = Request::new("POST", PATH).header("Content-Type", "application/json").body(body);
    let reply = server.client.send(&request).await;
    assert_eq!(reply.status(), 200, "{}", reply.text());
    let seen = upstream.request(0).await;
    (String::from_utf8(seen.body).unwrap(), reply.text().to_owned())
}

#[tokio::test]
async fn the_callers_bytes_reach_the_vendor_but_for_the_model() {
    let (seen, said) = sent(&ODD.replace("MODEL", "openai/gpt-4o-mini"), Answer::json(&completion("Hi!"))).await;
    assert_eq!(seen, ODD.replace("MODEL", "gpt-4o-mini"));
    assert!(said.contains("Hi!"), "{said}");
}

#[tokio::test]
async fn a_stream_keeps_them_too_and_asks_for_usage() {
    let body = ODD.replace("MODEL", "openai/gpt-4o-mini").replace("\"temperature\":1.00", "\"stream\" : true");
    let (seen, said) = sent(&body, Answer::stream(&words(&["Hi!"]))).await;
    let asks = ODD.replace("MODEL\" }", "gpt-4o-mini\",\"stream_options\":{\"include_usage\":true} }");
    assert_eq!(seen, asks.replace("\"temperature\":1.00", "\"stream\" : true"));
    assert!(said.contains("Hi!") && said.ends_with("data: [DONE]\n\n"), "{said}");
    assert!(!said.contains("completion_tokens"), "the caller didn't ask for usage: {said}");
}

#[tokio::test]
async fn it_is_metered_and_fails_as_ever() {
    let refusal = Answer::error(400, "invalid_request_error", "the vendor says no");
    let upstream = Upstream::script([Answer::json(&completion("Hi!")), refusal]).await;
    let server = Server::vendor(&upstream, "").await;
    let request = Request::new("POST", PATH).json(&json!({
        "model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": "Hello!"}], "a_field_of_tomorrow": 1,
    }));
    let answer = server.client.send(&request).await.expect(200);
    assert_eq!(answer["usage"]["total_tokens"], 21, "{answer}");
    let metrics = server.client.get("/metrics").await;
    let metrics = metrics.text();
    let counted =
        metrics.lines().any(|line| line.contains("tokens") && line.contains("gpt-4o-mini") && line.ends_with(" 12"));
    assert!(counted, "the answer's tokens are not counted:\n{metrics}");
    let reply = server.client.send(&request).await;
    assert_eq!(reply.status(), 400);
    assert!(reply.text().contains("the vendor says no"), "{}", reply.text());
    assert_eq!(upstream.requests()[0].body, upstream.requests()[1].body);
}

#[tokio::test]
async fn who_must_rewrite_messages_is_given_what_was_read_of_them() {
    let upstream = Upstream::always(Answer::json(&completion("Hi!"))).await;
    let server = Server::vendor(&upstream, "    settings: {developer_role: false}").await;
    let body = json!({"model": "openai/gpt-4o-mini", "a_field_of_tomorrow": 1,
        "messages": [{"role": "developer", "content": "Be kind."}, {"role": "user", "content": "Hello!"}]});
    let reply = server.client.post(PATH, &body).await;
    assert_eq!(reply.status(), 200, "{}", reply.text());
    let seen = upstream.request(0).await.json();
    assert_eq!((&seen["messages"][0]["role"], &seen["a_field_of_tomorrow"]), (&json!("system"), &json!(1)));
}
