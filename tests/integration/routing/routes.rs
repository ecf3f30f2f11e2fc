//! Names that the operator gave: who stands behind them, and in which order.

use std::collections::BTreeMap;

use mortise::config::Config;
use serde_json::json;

use super::{QUICK, asks, pair, says, served, server, text};
use crate::client::Request;
use crate::harness::{ECHO, Server};
use crate::shape;
use crate::upstream::openai::{embeddings, words};
use crate::upstream::{Answer, Upstream};

async fn always(text: &str) -> Upstream {
    Upstream::always(Answer::json(&says(text, "answered"))).await
}

#[tokio::test]
async fn a_route_is_a_model_on_every_surface() {
    let (one, two) = (Upstream::start().await, always("two").await);
    let server = pair(&one, &two, QUICK).await;
    for model in ["fast", "fast"] {
        one.then(Answer::json(&says("one", "answered")));
        assert_eq!(text(&server.client.send(&asks(model, false)).await), "one");
    }
    assert_eq!(one.request(0).await.json()["model"], "small");
    one.then(Answer::json(&says("one", "answered")));
    let reply = server.client.post("/api/v1/chat", &json!({"message": "x", "model": "fast"})).await;
    assert_eq!((&reply.expect(200)["provider"], served(&reply)), (&json!("one"), ["one", "small", "1"]));
    one.then(Answer::stream(&words(&["one"])));
    let reply = server.client.post("/api/v1/chat/stream", &json!({"message": "x", "model": "fast"})).await;
    assert_eq!((reply.status(), served(&reply)), (200, ["one", "small", "1"]));
    // Who names a provider wants that one's own model of the name.
    two.then(Answer::json(&says("one", "answered")));
    let direct = server.client.post("/api/v1/chat", &json!({"message": "x", "provider": "two", "model": "fast"})).await;
    assert_eq!(served(&direct), ["two", "fast", "1"]);
    one.then(Answer::error(404, "not_found", "no list"));
    two.then(Answer::error(404, "not_found", "no list"));
    let list = server.client.get("/v1/models").await.expect(200);
    let ids: Vec<&str> = list["data"].as_array().unwrap().iter().filter_map(|model| model["id"].as_str()).collect();
    assert!(ids.contains(&"fast"), "{ids:?}");
}

#[tokio::test]
async fn the_caller_sees_who_answered_and_pays_only_for_that() {
    let one = Upstream::always(Answer::error(503, "overloaded", "busy")).await;
    let two = always("two").await;
    let server = pair(&one, &two, QUICK).await;
    let reply = server.client.send(&asks("fast", false)).await;
    let body = reply.expect(200);
    assert_eq!((&body["model"], &body["usage"]["total_tokens"]), (&json!("answered"), &json!(21)));
    assert_eq!(served(&reply), ["two", "large", "4"]);
}

#[tokio::test]
async fn weights_share_the_requests() {
    let (one, two, last) = (always("one").await, always("two").await, Upstream::start().await);
    let routes = "models: {shared: [last/x, {model: one/a, weight: 1}, {model: two/b, weight: 1}]}";
    let server = server(&[("one", &one), ("two", &two), ("last", &last)], routes).await;
    let mut told = BTreeMap::<String, u32>::new();
    // That one of two equals is never drawn in so many happens once in 10¹².
    for _ in 0..40 {
        *told.entry(text(&server.client.send(&asks("shared", false)).await)).or_default() += 1;
    }
    assert_eq!(told.keys().collect::<Vec<_>>(), ["one", "two"], "{told:?}");
}

#[tokio::test]
async fn a_prompt_that_is_too_long_goes_to_who_takes_it() {
    let (one, two) = (always("one").await, always("two").await);
    let routes = "models: {any: [{model: one/a, max_prompt: 10}, {model: two/b, max_prompt: 100}]}";
    let server = server(&[("one", &one), ("two", &two)], routes).await;
    let asks = |length: usize| {
        let body = json!({"model": "any", "messages": [{"role": "user", "content": "x".repeat(length)}]});
        Request::new("POST", "/v1/chat/completions").json(&body)
    };
    // Four bytes a token. Where all are too small, they are asked all the same.
    for (length, expected) in [(40, "one"), (41, "two"), (400, "two"), (401, "one")] {
        assert_eq!(text(&server.client.send(&asks(length)).await), expected, "{length}");
    }
}

#[tokio::test]
async fn what_one_target_does_not_support_another_may() {
    let first = Upstream::always(Answer::error(404, "not_found", "no such model")).await;
    let two = always("two").await;
    let server = pair(&first, &two, QUICK).await;
    let reply = server.client.send(&asks("fast", false)).await;
    assert_eq!((text(&reply).as_str(), served(&reply)), ("two", ["two", "large", "2"]));
}

#[tokio::test]
async fn a_plugin_that_breaks_is_failed_over() {
    let server = Server::configured(|home| {
        std::fs::write(home.join("plugins/trap.wasm"), test_guests::get("trap")).unwrap();
        "providers: {echo: {}, trap: {base_url: \"http://127.0.0.1:9\"}}\nmodels: {safe: [trap/begin, echo]}".to_owned()
    })
    .await;
    let reply = server.client.post("/api/v1/chat", &json!({"message": "Hello!", "model": "safe"})).await;
    assert_eq!((&reply.expect(200)["provider"], served(&reply)[2]), (&json!("echo"), "2"));
}

#[tokio::test]
async fn vectors_of_another_model_are_no_substitute() {
    let one = Upstream::always(Answer::error(503, "overloaded", "busy")).await;
    let (two, three) = (Upstream::start().await, Upstream::always(Answer::json(&embeddings(&[&[0.5]]))).await);
    let routes = format!("models: {{vectors: [one/v1, two/v2, three/v1]}}\n{QUICK}");
    let server = server(&[("one", &one), ("two", &two), ("three", &three)], &routes).await;
    let reply = server.client.post("/v1/embeddings", &json!({"model": "vectors", "input": "x"})).await;
    assert_eq!((reply.status(), served(&reply)), (200, ["three", "v1", "4"]));
}

#[tokio::test]
async fn a_target_whose_provider_is_not_there_is_told_with_the_cure() {
    let server = Server::start(&format!("{ECHO}models: {{fast: [nobody/small], rest: [nobody/small, echo]}}")).await;
    let told = shape::openai(&server.client.send(&asks("fast", false)).await, 503, "server_error");
    let message = told["message"].as_str().unwrap();
    assert!(message.contains("models.fast") && message.contains("`nobody`") && message.contains("echo"), "{message}");
    let reply = server.client.send(&asks("rest", false)).await;
    assert_eq!(served(&reply), ["echo", "echo", "1"]);
    assert!(server.log().contains("a route has a target that nobody serves"));
}

#[test]
fn routes_do_not_follow_each_other() {
    let error = Config::from_yaml("models: {a: [b], b: [echo]}").unwrap_err().to_string();
    assert!(error.contains("models.a") && error.contains("`b` is a route itself"), "{error}");
    let error = Config::from_yaml("models: {a: [a]}").unwrap_err().to_string();
    assert!(error.contains("write provider/model"), "{error}");
    assert!(
        Config::from_yaml("models: {openai/gpt: [azure/gpt, openai/gpt]}").is_ok(),
        "a route may stand for a model"
    );
}
