//! Pages of other origins: what a browser is told, and what such a page can't do without being asked first.

use serde_json::json;

use super::refused;
use crate::client::{Head, Reply, Request};
use crate::harness::{ECHO, Server};

const APP: &str = "https://app.example.com";

async fn with_cors(cors: &str) -> Server {
    Server::start(&format!("{ECHO}server: {{cors: {cors}}}\n")).await
}

fn preflight(path: &str, origin: &str, method: &str) -> Request {
    let request = Request::new("OPTIONS", path).header("Origin", origin);
    request.header("Access-Control-Request-Method", method)
}

fn words_on_origins(head: &Head) -> Vec<&str> {
    head.headers.iter().map(|(name, _)| name.as_str()).filter(|name| name.starts_with("access-control-")).collect()
}

#[track_caller]
fn varies(reply: &Reply, by: &str) -> bool {
    let values = reply.head.headers.iter().filter(|(name, _)| name == "vary").map(|(_, value)| value.to_lowercase());
    values.collect::<Vec<_>>().join(",").split(',').any(|value| value.trim() == by)
}

#[tokio::test]
async fn a_browser_that_asks_first_is_told_what_is_allowed() {
    let server = with_cors(&format!("{{origins: ['{APP}'], max_age_secs: 77}}")).await;
    for path in ["/api/v1/chat", "/v1/chat/completions", "/v1/models", "/health", "/v1/nothing"] {
        let wanted = "authorization, content-type, x-stainless-lang";
        let request = preflight(path, APP, "POST").header("Access-Control-Request-Headers", wanted);
        let reply = server.client.send(&request).await;
        assert_eq!((reply.status(), reply.body.len()), (204, 0), "{path}");
        let header = |name: &str| reply.head.header(name);
        assert_eq!(header("access-control-allow-origin"), Some(APP), "{path}");
        assert_eq!(header("access-control-allow-methods"), Some("GET, POST, PUT, PATCH, DELETE"));
        assert_eq!(header("access-control-allow-headers"), Some(wanted));
        assert_eq!(header("access-control-max-age"), Some("77"));
        assert_eq!(header("access-control-allow-credentials"), None);
        assert!(varies(&reply, "origin"), "{:?}", reply.head);
    }
    let bare = server.client.send(&preflight("/api/v1/chat", APP, "POST")).await;
    assert_eq!(bare.head.header("access-control-allow-headers"), None, "none was asked for");
    for origin in ["https://evil.example", "http://app.example.com", "https://app.example.com.evil.example", "null"] {
        let reply = server.client.send(&preflight("/api/v1/chat", origin, "POST")).await;
        assert_eq!((reply.status(), words_on_origins(&reply.head)), (204, vec![]), "{origin}");
        assert!(varies(&reply, "origin"));
    }
}

#[tokio::test]
async fn a_browser_asks_first_without_a_key_and_without_using_anything_up() {
    let server = Server::configured(|home| {
        std::fs::write(home.join("key"), super::ALICE).unwrap();
        let auth = format!("auth: {{api_key: 'file:{}/key'}}", home.display());
        format!("{ECHO}server: {{{auth}, rate_limit: {{surfaces: {{chat: {{requests: [2/1d]}}}}}}}}\n")
    })
    .await;
    for _ in 0..5 {
        let reply = server.client.send(&preflight("/api/v1/status", "http://localhost:5173", "GET")).await;
        assert_eq!((reply.status(), reply.head.header("access-control-allow-methods").is_some()), (204, true));
    }
    // The refusals that follow can be read by the page, with what they say of limits and keys.
    for status in [401, 401, 429] {
        let request = Request::new("GET", "/api/v1/status").header("Origin", "http://localhost:5173");
        let reply = server.client.send(&request).await;
        assert_eq!(reply.status(), status);
        assert_eq!(reply.head.header("access-control-allow-origin"), Some("http://localhost:5173"));
        let exposed = reply.head.header("access-control-expose-headers").unwrap_or_default().to_lowercase();
        for name in ["x-request-id", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"] {
            assert!(exposed.split(", ").any(|known| known == name), "{name}: {exposed}");
        }
    }
}

#[tokio::test]
async fn pages_of_this_machine_may_ask_unless_others_are_named() {
    let server = Server::echo().await;
    let stream = Request::new("POST", "/api/v1/chat/stream").json(&json!({"message": "x"}));
    let broken = Request::new("POST", "/v1/chat/completions").header("Content-Type", "application/json").body("{");
    for request in [Request::new("GET", "/v1/models"), stream, broken, Request::new("GET", "/nothing")] {
        for origin in ["http://localhost:5173", "http://localhost", "http://127.0.0.1:3000", "http://[::1]:8000"] {
            let reply = server.client.send(&request.clone().header("Origin", origin)).await;
            assert_eq!(reply.head.header("access-control-allow-origin"), Some(origin), "{}", request.path);
            assert!(varies(&reply, "origin"));
        }
        for origin in ["https://evil.example", "http://localhost.evil.example", "null", "http://127.0.0.1.evil.example"]
        {
            let reply = server.client.send(&request.clone().header("Origin", origin)).await;
            assert_eq!(words_on_origins(&reply.head), Vec::<&str>::new(), "{origin}");
            assert!(varies(&reply, "origin"), "a cache must not mix them up");
        }
        let reply = server.client.send(&request).await;
        assert!(words_on_origins(&reply.head).is_empty() && varies(&reply, "origin"), "{:?}", reply.head);
    }
}

#[tokio::test]
async fn all_only_if_all_are_meant() {
    let server = with_cors("{origins: ['*']}").await;
    for origin in ["https://evil.example", "null"] {
        let reply = server.client.send(&Request::new("GET", "/v1/models").header("Origin", origin)).await;
        assert_eq!(reply.head.header("access-control-allow-origin"), Some("*"));
        assert_eq!(reply.head.header("access-control-allow-credentials"), None);
    }
    let server = with_cors(&format!("{{origins: ['{APP}', 'https://*.b.example'], allow_credentials: true}}")).await;
    for (origin, allowed) in [(APP, true), ("https://x.b.example", true), ("https://b.example", false)] {
        let reply = server.client.send(&Request::new("GET", "/v1/models").header("Origin", origin)).await;
        let header = |name: &str| reply.head.header(name);
        assert_eq!(header("access-control-allow-origin"), allowed.then_some(origin));
        assert_eq!(header("access-control-allow-credentials"), allowed.then_some("true"));
    }
    let server = with_cors("{enabled: false}").await;
    for request in [preflight("/v1/models", APP, "GET"), Request::new("GET", "/v1/models").header("Origin", APP)] {
        let reply = server.client.send(&request).await;
        assert!(reply.status() < 300 && words_on_origins(&reply.head).is_empty(), "{:?}", reply.head);
    }
}

#[tokio::test]
async fn a_form_of_another_site_does_nothing() {
    let server = Server::echo().await;
    let here = format!("http://{}", server.client.address());
    for (path, body) in [
        ("/api/v1/chat", json!({"message": "x"})),
        ("/v1/chat/completions", json!({"model": "echo", "messages": [{"role": "user", "content": "x"}]})),
    ] {
        let ask = |origin: Option<&str>, kind: Option<&str>| {
            let mut request = Request::new("POST", path).body(body.to_string());
            if let Some(origin) = origin {
                request = request.header("Origin", origin);
            }
            if let Some(kind) = kind {
                request = request.header("Content-Type", kind);
            }
            request
        };
        let simple = [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("multipart/form-data")];
        for kind in simple.into_iter().chain([Some("text/plain; application/json"), Some("application/jsonx")]) {
            for origin in ["https://evil.example", "null", "http://localhost:1", "caf\u{e9}"] {
                let reply = server.client.send(&ask(Some(origin), kind)).await;
                refused(&reply, path, 415, "UNSUPPORTED_MEDIA_TYPE", "invalid_request_error");
            }
            // Programs send no origin, and this server's own pages send its own.
            for origin in [None, Some(here.as_str())] {
                assert_eq!(server.client.send(&ask(origin, kind)).await.status(), 200, "{origin:?} {kind:?}");
            }
        }
        for kind in ["application/json", "Application/JSON; charset=utf-8"] {
            let reply = server.client.send(&ask(Some("https://evil.example"), Some(kind))).await;
            assert_eq!(reply.status(), 200, "{kind}");
        }
    }
}
