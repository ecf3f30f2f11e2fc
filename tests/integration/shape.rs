//! The error body of each surface, field by field.

use serde_json::Value;

use crate::client::Reply;
use crate::grammar::is_timestamp;

/// Checks a refusal of the native surface and gives its body.
#[track_caller]
pub fn native(reply: &Reply, status: u16, code: &str) -> Value {
    let body = reply.expect(status);
    assert_eq!(body["success"], false, "{body}");
    assert_eq!(body["error_code"], code, "{body}");
    assert_eq!(body["error"], body["detail"], "{body}");
    assert!(!body["error"].as_str().unwrap_or_default().is_empty(), "{body}");
    assert!(body["details"].is_object(), "{body}");
    assert!(is_timestamp(body["timestamp"].as_str().unwrap_or_default()), "{body}");
    assert!(body["request_id"].as_str().unwrap_or_default().starts_with("req-"), "{body}");
    assert_eq!(reply.head.header("x-request-id"), body["request_id"].as_str(), "{:?}", reply.head);
    body
}

/// Checks a refusal of the agent surface and gives its body.
#[track_caller]
pub fn agent(reply: &Reply, status: u16, code: &str) -> Value {
    let body = reply.expect(status);
    assert_eq!(body["code"], code, "{body}");
    assert!(!body["detail"].as_str().unwrap_or_default().is_empty(), "{body}");
    assert!(is_timestamp(body["timestamp"].as_str().unwrap_or_default()), "{body}");
    assert_eq!(reply.head.header("x-request-id"), body["request_id"].as_str(), "{:?}", reply.head);
    body
}

/// Checks a refusal of the OpenAI surface and gives what stands in its `error`.
#[track_caller]
pub fn openai(reply: &Reply, status: u16, kind: &str) -> Value {
    let body = reply.expect(status);
    let error = body["error"].clone();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    for name in ["message", "type", "param", "code"] {
        assert!(error.get(name).is_some(), "no `{name}`: {body}");
    }
    assert_eq!(error["type"], kind, "{body}");
    assert!(!error["message"].as_str().unwrap_or_default().is_empty(), "{body}");
    assert!(error["param"].is_null() || error["param"].is_string(), "{body}");
    assert!(error["code"].is_null() || error["code"].is_string(), "{body}");
    assert!(reply.head.header("x-request-id").is_some_and(|id| id.starts_with("req-")), "{:?}", reply.head);
    error
}

/// Checks a refusal of the Anthropic surface and gives what stands in its `error`.
#[track_caller]
pub fn anthropic(reply: &Reply, status: u16, kind: &str) -> Value {
    let body = reply.expect(status);
    assert_eq!((&body["type"], body.as_object().unwrap().len()), (&Value::from("error"), 3), "{body}");
    let error = body["error"].clone();
    assert_eq!(error["type"], kind, "{body}");
    assert!(!error["message"].as_str().unwrap_or_default().is_empty(), "{body}");
    let id = body["request_id"].as_str().unwrap_or_default();
    assert!(id.starts_with("req_"), "{body}");
    assert_eq!(reply.head.header("request-id"), Some(id), "{:?}", reply.head);
    assert_eq!(reply.head.header("x-request-id"), Some(&*id.replace("req_", "req-")), "{:?}", reply.head);
    error
}

/// The message of a refusal, whatever its surface.
#[track_caller]
pub fn message(reply: &Reply) -> String {
    let body = reply.json();
    let message = body["error"]["message"].as_str().or(body["error"].as_str());
    message.unwrap_or_else(|| panic!("no message: {body}")).to_owned()
}
