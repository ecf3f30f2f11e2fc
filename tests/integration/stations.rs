//! What every request passes on its way to an endpoint, and every answer on its way back.

mod bodies;
mod compression;
mod cors;
mod hosts;
mod keys;
mod limits;
mod overload;
mod process;
mod smuggling;
mod table;
mod tokens;
mod variables;

use serde_json::json;

use crate::client::{Reply, Request};
use crate::shape;

/// Two keys that callers may show.
const ALICE: &str = "alice-0123456789abcdef0123456789abcdef";
const BOB: &str = "bob-fedcba9876543210fedcba9876543210";

/// What has the shape of a JWT, and is none of ours.
const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl";

/// A request for each place that wants a key, each of which is answered with 200 by `echo`.
fn requests() -> Vec<Request> {
    let chat = json!({"model": "echo", "messages": [{"role": "user", "content": "x"}]});
    let mut requests = vec![
        Request::new("POST", "/api/v1/chat").json(&json!({"message": "x"})),
        Request::new("POST", "/api/v1/chat/stream").json(&json!({"message": "x"})),
        Request::new("GET", "/api/v1/providers"),
        Request::new("GET", "/api/v1/tools"),
        Request::new("GET", "/api/v1/plugins"),
        Request::new("GET", "/api/v1/status"),
    ];
    for root in ["/openai/v1", "/v1"] {
        let path = |end: &str| format!("{root}/{end}");
        requests.push(Request::new("POST", &path("chat/completions")).json(&chat));
        requests.push(Request::new("POST", &path("embeddings")).json(&json!({"model": "echo", "input": "x"})));
        requests.push(Request::new("GET", &path("models")));
    }
    requests
}

fn is_openai(path: &str) -> bool {
    path.starts_with("/openai/") || path.starts_with("/v1/")
}

/// Checks that a refusal has the shape of its surface: the native code, or the vendor's type, on which both vendors agree here.
#[track_caller]
fn refused(reply: &Reply, path: &str, status: u16, code: &str, kind: &str) {
    if is_openai(path) {
        shape::openai(reply, status, kind);
    } else if path.starts_with("/ws/") || path.starts_with("/api/") && !path.starts_with("/api/v1/") {
        let code = if status == 401 { "UNAUTHORIZED" } else { code };
        shape::agent(reply, status, code);
    } else if path.starts_with("/anthropic/") {
        shape::anthropic(reply, status, kind);
    } else {
        shape::native(reply, status, code);
    }
}

/// The number in a header.
#[track_caller]
fn number(reply: &Reply, name: &str) -> i64 {
    let value = reply.head.header(name).unwrap_or_else(|| panic!("no {name}: {:?}", reply.head));
    value.parse().unwrap_or_else(|_| panic!("{name} is no number: {value}"))
}
