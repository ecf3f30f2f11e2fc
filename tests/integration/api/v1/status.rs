//! Tests of `GET /api/v1/status`.

use serde_json::json;

use crate::client::Request;
use crate::harness::Server;
use crate::snapshot;
use crate::upstream::openai::completion;
use crate::upstream::{Answer, Upstream};

#[tokio::test]
async fn the_status_has_the_documented_shape() {
    let server = Server::echo().await;
    snapshot!(server.client.get("/api/v1/status").await, 200);
}

#[tokio::test]
async fn requests_are_counted() {
    let server = Server::echo().await;
    let before = server.client.get("/api/v1/status").await.expect(200);
    for _ in 0..3 {
        server.client.post("/api/v1/chat", &json!({"message": "x", "provider": "claude"})).await.expect(200);
    }
    let slow = Request::new("POST", "/api/v1/chat/stream").body(r#"{"message": "one [[wait 60000]] two"}"#);
    let mut stream = server.client.stream(&slow).await;
    stream.next().await.unwrap();
    let after = server.client.get("/api/v1/status").await.expect(200);
    let count = |status: &serde_json::Value, name: &str| status[name].as_u64().unwrap();
    assert_eq!(count(&after, "requests_total") - count(&before, "requests_total"), 5);
    assert_eq!((count(&before, "requests_active"), count(&after, "requests_active")), (1, 2));
    let asked = |status: &serde_json::Value| status["providers"]["claude"]["requests"].as_u64().unwrap();
    assert_eq!(asked(&after) - asked(&before), 3);
}

#[tokio::test]
async fn the_newest_outcome_says_how_a_provider_is() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    let health = async || {
        let status = server.client.get("/api/v1/status").await.expect(200);
        (status["providers"]["openai"]["healthy"].clone(), status["providers"]["openai"]["error"].clone())
    };
    let ask = async |answer: Answer| {
        upstream.then(answer);
        let body = json!({"message": "x", "provider": "openai", "model": "m"});
        server.client.post("/api/v1/chat", &body).await.status()
    };
    assert_eq!(health().await, (json!(true), json!(null)));
    assert_eq!(ask(Answer::error(503, "overloaded", "too much to do")).await, 503);
    // In a word of ours: what the vendor wrote is for the one who asked.
    assert_eq!(health().await, (json!(false), json!("provider error")));
    // What the caller did wrong says nothing about the vendor.
    assert_eq!(ask(Answer::json(&completion("x"))).await, 200);
    assert_eq!(ask(Answer::error(400, "invalid_request_error", "nonsense")).await, 400);
    assert_eq!(ask(Answer::error(429, "rate_limit_exceeded", "slower")).await, 429);
    assert_eq!(health().await, (json!(true), json!(null)));
}

#[tokio::test]
async fn a_provider_that_cannot_serve_says_what_to_do() {
    let cases = [
        ("api_key: env:MORTISE_TESTS_SET_NO_SUCH_KEY", "MORTISE_TESTS_SET_NO_SUCH_KEY"),
        ("api_key: file:/nonexistent/key", "api_key"),
        ("plugin: no-such-plugin", "no-such-plugin.wasm"),
        ("settings: {models: 7}", "providers.vendor.settings"),
        ("settings: {no_such_setting: 7}", "no_such_setting"),
        ("base_url: ftp://example.com", "base_url"),
        ("base_url: https://user:password@example.com", "api_key"),
    ];
    for (line, cure) in cases {
        let plugin = if line.starts_with("plugin") { "" } else { "plugin: openai, " };
        let server = Server::start(&format!("providers: {{vendor: {{{plugin}{line}}}, echo: {{}}}}")).await;
        let status = server.client.get("/api/v1/status").await.expect(200);
        assert_eq!(status["providers"]["vendor"]["healthy"], false, "{line}: {status}");
        let reply =
            server.client.post("/api/v1/chat", &json!({"message": "x", "provider": "vendor", "model": "m"})).await;
        assert!([500, 503].contains(&reply.status()), "{line}: {}", reply.text());
        assert!(crate::shape::message(&reply).contains(cure), "{line}: {}", reply.text());
        assert!(!reply.text().contains("password@"), "{line}: {}", reply.text());
        let well = server.client.post("/api/v1/chat", &json!({"message": "x", "provider": "echo"})).await;
        assert_eq!(well.status(), 200, "the others go on");
    }
}
