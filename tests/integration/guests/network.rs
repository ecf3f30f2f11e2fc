//! Guests that want to go where they may not, or more often than they may.

use mortise_build::Manifest;
use serde_json::json;

use super::{asks, server, stopped};
use crate::harness::{KEY, Server};
use crate::shape;
use crate::upstream::{Answer, Upstream};

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_one_exchange_are_limited() {
    let upstream = Upstream::always(Answer::body(500, "text/plain", "again")).await;
    let yaml = format!(
        "providers: {{well: {{}}, send-loop: {{base_url: \"{}\"}}}}\nplugins: {{limits: {{requests: 3}}}}",
        upstream.base_url()
    );
    let server = server(&["send-loop"], &yaml).await;
    stopped(&server, "send-loop", "any", &["plugins.limits.requests"]).await;
    assert_eq!(upstream.requests().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_nobody_granted_is_refused_with_the_cure() {
    let server = server(&["ungranted-host"], "providers: {well: {}, ungranted-host: {}}").await;
    let (reply, _) = super::beside_others(&server, "ungranted-host", "any").await;
    assert_eq!(reply.status(), 503, "{}", reply.text());
    let message = shape::message(&reply);
    for word in ["ungranted-host", "attacker.example", "plugins.grants.ungranted-host.hosts"] {
        assert!(message.contains(word), "no {word:?} in {message:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_url_cannot_be_left() {
    let upstream = Upstream::always(Answer::body(200, "text/plain", "reached")).await;
    let server = Server::configured(|home| {
        std::fs::write(home.join("plugins/escape-path.wasm"), test_guests::get("escape-path")).unwrap();
        let key = home.join("key");
        std::fs::write(&key, KEY).unwrap();
        let url = upstream.base_url();
        format!("providers: {{escape-path: {{base_url: \"{url}\", api_key: \"file:{}\"}}}}", key.display())
    })
    .await;
    let authority = upstream.address().to_string();
    for attempt in [
        "//evil.example/x",
        "/../admin",
        "/%2e%2e/admin",
        "/a/../../admin",
        "@evil.example/",
        "evil.example",
        "http://evil.example/",
        "\\\\evil.example\\x",
        "/x#y",
        "/x y z",
        "/a\r\nHost: evil.example\r\n\r\nGET /b",
        "CONNECT /",
        "TRACE /",
        "GET\r\nX: /",
        "host: evil.example",
        "Host: evil.example",
        "authorization: Bearer stolen",
        "content-length: 1",
        "transfer-encoding: chunked",
        "connection: close",
        "cookie: a=b",
        "x: a\r\nHost: evil.example",
        "x-forwarded-for: 127.0.0.1",
        "expect: 100-continue",
    ] {
        let before = upstream.requests().len();
        let reply = server.client.post(super::CHAT, &asks("escape-path", attempt)).await;
        let seen = upstream.requests();
        // A path that begins with two slashes is a path below the base URL like any other.
        if let Some(seen) = seen.get(before) {
            assert_eq!(attempt, "//evil.example/x", "{attempt:?} was sent: {seen:?}");
            assert!(seen.path.starts_with("/v1/"), "{attempt:?}: {seen:?}");
            assert_eq!(seen.header("host"), Some(authority.as_str()), "{attempt:?}");
            assert_eq!(seen.header("authorization"), Some(format!("Bearer {KEY}").as_str()), "{attempt:?}");
        } else {
            super::blamed(&reply, "escape-path", attempt, &[]);
        }
        assert!(!reply.text().contains(KEY), "{attempt:?}: {}", reply.text());
    }
}

/// The operator's grant opens a public host, never the machine itself: only a base URL does that.
#[tokio::test(flavor = "multi_thread")]
async fn a_granted_name_for_the_machine_itself_stays_closed() {
    let upstream = Upstream::always(Answer::body(200, "text/plain", "reached")).await;
    let server = Server::configured(|home| {
        let component = test_guests::get("send-loop");
        let mut manifest = Manifest::from_component(component).unwrap();
        manifest.asks.hosts = vec!["http://127.0.0.1:9".into()];
        std::fs::write(home.join("plugins/send-loop.wasm"), manifest.embed(component).unwrap()).unwrap();
        "providers: {send-loop: {}}\nplugins: {grants: {send-loop: {hosts: [\"http://127.0.0.1:9\"]}}}".into()
    })
    .await;
    let reply =
        server.client.post(super::CHAT, &json!({"message": "x", "provider": "send-loop", "model": "any"})).await;
    assert!([403, 503].contains(&reply.status()), "{}", reply.text());
    let message = shape::message(&reply);
    assert!(message.contains("not public") && message.contains("base_url"), "{message}");
    assert!(!message.contains("127.0.0.1"), "{message}");
    assert_eq!(upstream.requests().len(), 0);
}
