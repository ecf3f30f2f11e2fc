//! Paths that lead nowhere, and methods that a path does not know.

use serde_json::json;

use super::logs_are_calm;
use crate::client::Request;
use crate::harness::Server;
use crate::shape;

#[tokio::test]
async fn an_unknown_path_answers_in_its_surfaces_shape() {
    let server = Server::echo().await;
    for path in [
        "/api/v1/nothing",
        "/api/v1",
        "/api/v1/chat/stream/more",
        "/nothing",
        "/",
        "/api/v1/chat/",
        "/%2e%2e/etc/passwd",
    ] {
        let body = shape::native(&server.client.get(path).await, 404, "NOT_FOUND");
        assert!(body["error"].as_str().unwrap().contains(path), "{body}");
    }
    for path in ["/openai/v1/nothing", "/openai/v1", "/v1/nothing", "/openai/v1/chat", "/v1/chat/completions/more"] {
        let error = shape::openai(&server.client.get(path).await, 404, "invalid_request_error");
        assert!(error["message"].as_str().unwrap().contains(path), "{error}");
    }
    logs_are_calm(&server);
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let server = Server::echo().await;
    for (method, path, allow) in [
        ("GET", "/api/v1/chat", "POST"),
        ("DELETE", "/api/v1/chat/stream", "POST"),
        ("POST", "/api/v1/providers", "GET, HEAD"),
        ("PUT", "/api/v1/tools", "GET, HEAD"),
        ("POST", "/api/v1/status", "GET, HEAD"),
        ("PATCH", "/health", "GET, HEAD"),
        ("POST", "/openai/v1/models", "GET, HEAD"),
        ("GET", "/openai/v1/chat/completions", "POST"),
        ("GET", "/v1/embeddings", "POST"),
        ("BREW", "/api/v1/chat", "POST"),
    ] {
        let reply = server.client.send(&Request::new(method, path)).await;
        if path.contains("v1/") && !path.starts_with("/api") {
            shape::openai(&reply, 405, "invalid_request_error");
        } else {
            shape::native(&reply, 405, "METHOD_NOT_ALLOWED");
        }
        let allowed = reply.head.header("allow").unwrap_or_default();
        assert!(allow.split(", ").all(|method| allowed.contains(method)), "{method} {path}: {allowed}");
        assert!(!allowed.contains(method), "{method} {path}: {allowed}");
    }
    logs_are_calm(&server);
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let server = Server::echo().await;
    for path in ["/health", "/api/v1/providers", "/openai/v1/models"] {
        let get = server.client.get(path).await;
        let head = server.client.send(&Request::new("HEAD", path)).await;
        assert_eq!((head.status(), head.body.len()), (200, 0), "{path}");
        assert_eq!(head.head.kind(), get.head.kind(), "{path}");
    }
}

#[tokio::test]
async fn a_query_changes_no_route() {
    let server = Server::echo().await;
    let body = json!({"message": "x"});
    assert_eq!(server.client.post("/api/v1/chat?a=b&%ff=%zz", &body).await.status(), 200);
    assert_eq!(server.client.get("/health?/../").await.status(), 200);
}

#[tokio::test]
async fn one_connection_carries_mistakes_and_requests() {
    let server = Server::echo().await;
    let mut connection = server.client.connect().await;
    for _ in 0..3 {
        let bad = Request::new("POST", "/api/v1/chat").body("{");
        assert_eq!(connection.exchange(&bad).await.status(), 400);
        let good = Request::new("POST", "/api/v1/chat").body(r#"{"message": "still here"}"#);
        assert_eq!(connection.exchange(&good).await.expect(200)["response"], "still here");
        assert_eq!(connection.exchange(&Request::new("GET", "/nothing")).await.status(), 404);
    }
}

#[tokio::test]
async fn options_tells_what_is_allowed() {
    let server = Server::echo().await;
    for (path, method) in [("/api/v1/chat", "POST"), ("/v1/models", "GET")] {
        let reply = server.client.send(&Request::new("OPTIONS", path)).await;
        assert_eq!((reply.status(), reply.body.len()), (204, 0), "{path}");
        assert!(reply.head.header("allow").unwrap_or_default().contains(method), "{path}: {:?}", reply.head);
    }
    assert_eq!(server.client.send(&Request::new("OPTIONS", "/nothing")).await.status(), 404);
}
