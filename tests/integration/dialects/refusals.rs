//! A vendor's refusal in every caller's dialect.
//!
//! The status and the kind that the dialect has for it, the vendor's own words, and when to try again.

use super::{CHAT, MESSAGES, server, surfaces};
use crate::shape;
use crate::upstream::{Answer, Upstream, anthropic};

/// What the vendor answers; the status that all dialects share, OpenAI's type, and Anthropic's.
const KINDS: [(u16, u16, &str, &str); 10] = [
    (400, 400, "invalid_request_error", "invalid_request_error"),
    (401, 401, "authentication_error", "authentication_error"),
    (403, 403, "permission_error", "permission_error"),
    (404, 404, "invalid_request_error", "not_found_error"),
    (413, 413, "invalid_request_error", "request_too_large"),
    (429, 429, "rate_limit_error", "rate_limit_error"),
    (500, 502, "server_error", "api_error"),
    (502, 502, "server_error", "api_error"),
    (503, 503, "server_error", "overloaded_error"),
    (529, 503, "server_error", "overloaded_error"),
];

/// How Anthropic calls what has this status.
fn word(status: u16) -> &'static str {
    match status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        _ => "api_error",
    }
}

#[tokio::test]
async fn every_kind_has_its_name_in_every_dialect() {
    for plugin in ["openai", "anthropic"] {
        let upstreams = [Upstream::start().await];
        let server = server(plugin, &upstreams, "routing: {breaker: {failures: 0}}").await;
        for (status, expected, ours, theirs) in KINDS {
            for stream in [false, true] {
                for request in surfaces("p0", stream) {
                    let refusal = match plugin {
                        "openai" => Answer::error(status, "some_type", "not today"),
                        _ => anthropic::refusal(status, word(status), "not today"),
                    };
                    upstreams[0].then(refusal.header("Retry-After", "7"));
                    let reply = server.client.send(&request).await;
                    // Anthropic's API has a status of its own for being overloaded.
                    let overloaded = expected == 503 && request.path == MESSAGES;
                    let expected = if overloaded { 529 } else { expected };
                    match request.path.as_str() {
                        MESSAGES => drop(shape::anthropic(&reply, expected, theirs)),
                        path if path.starts_with("/openai") => drop(shape::openai(&reply, expected, ours)),
                        _ => assert_eq!(reply.status(), expected, "{}", reply.text()),
                    }
                    let case = format!("{plugin} {status}, {}", request.path);
                    assert!(shape::message(&reply).contains("not today"), "{case}: {}", reply.text());
                    // Only who comes too early or too often is told when to come again.
                    let again = matches!(expected, 429 | 503 | 529).then_some("7");
                    assert_eq!(reply.head.header("retry-after"), again, "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_no_answer_in_any_dialect() {
    for plugin in ["openai", "anthropic"] {
        let upstreams = [Upstream::start().await];
        let server = server(plugin, &upstreams, "routing: {breaker: {failures: 0}}").await;
        for body in [
            "{\"choices\": [",
            "{}",
            "[]",
            "null",
            "",
            "<html>welcome</html>",
            "{\"error\": {\"message\": \"in disguise\"}}",
        ] {
            for stream in [false, true] {
                for request in surfaces("p0", stream) {
                    upstreams[0].then(Answer::body(200, "application/json", body));
                    let reply = server.client.send(&request).await;
                    assert_eq!(reply.status(), 502, "{plugin} said {body:?}, {}: {}", request.path, reply.text());
                    assert!(request.path != CHAT || reply.json()["error"].is_object());
                }
            }
        }
    }
}
