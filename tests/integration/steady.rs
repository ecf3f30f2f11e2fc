//! Bodies without what differs from run to run, each such value checked for its form before it is taken out.

use serde_json::Value;

use crate::grammar::is_timestamp;

/// The body with a word in place of every value that time or chance has made.
pub fn steady(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(fields.into_iter().map(|(name, value)| field(name, value)).collect()),
        Value::Array(items) => items.into_iter().map(steady).collect(),
        other => other,
    }
}

fn field(name: String, value: Value) -> (String, Value) {
    let text = value.as_str().unwrap_or_default();
    let word = match name.as_str() {
        "timestamp" | "created_at" | "updated_at" | "loaded_at" | "since" if is_timestamp(text) => Some("a time"),
        "expires_at" | "last_used_at" | "last_login_at" if is_timestamp(text) => Some("a time"),
        "id" | "user_id" if uuid::Uuid::parse_str(text).is_ok() => Some("a UUID"),
        "access_token" | "refresh_token" if text.split('.').count() == 3 => Some("a token"),
        "key" if text.starts_with("md_") || text.starts_with("token-") => Some("a key"),
        "key_prefix" if text.len() == 8 => Some("the beginning of a key"),
        "request_id" if text.starts_with("req-") => Some("a request id"),
        "id" | "session_id" | "message_id" | "archive_id" | "parent_session_id" | "template_id"
            if text.len() == 36 && uuid::Uuid::try_parse(text).is_ok() =>
        {
            Some("a UUID")
        }
        "started_at" | "completed_at" if is_timestamp(text) => Some("a time"),
        "working_directory_path" if text.contains("/workspaces/") => Some("a workspace"),
        "conversation_id" if text.starts_with("conv-") => Some("a conversation id"),
        "id" if text.starts_with("chatcmpl-") => Some("a completion id"),
        "id" if text.starts_with("msg_") => Some("a message id"),
        "id" if text.starts_with("resp_") => Some("a response id"),
        "created_at" if value.as_u64().is_some_and(|seconds| seconds > 1_700_000_000) => Some("a time in seconds"),
        "created" if value.as_u64().is_some_and(|seconds| seconds > 1_700_000_000) => Some("a time in seconds"),
        "duration_ms" | "total_duration_ms" | "uptime_seconds" if value.is_u64() => Some("a whole number"),
        "version" if text == env!("CARGO_PKG_VERSION") => Some("the version"),
        "digest" | "sha256" if text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit()) => Some("a digest"),
        _ => None,
    };
    let value = word.map_or_else(|| steady(value), |word| Value::String(format!("[{word}]")));
    (name, value)
}

/// Compares the body of a response of that status with the snapshot of the test.
#[macro_export]
macro_rules! snapshot {
    ($reply:expr, $status:expr) => {
        insta::assert_json_snapshot!($crate::steady::steady($reply.expect($status)))
    };
    ($value:expr) => {
        insta::assert_json_snapshot!($crate::steady::steady($value))
    };
}

#[test]
fn only_good_values_are_taken_out() {
    let good =
        serde_json::json!({"timestamp": "2025-01-07T10:30:00Z", "list": [{"request_id": "req-1"}], "kept": "req-1"});
    let taken =
        serde_json::json!({"timestamp": "[a time]", "list": [{"request_id": "[a request id]"}], "kept": "req-1"});
    assert_eq!(steady(good), taken);
    let bad = serde_json::json!({"timestamp": "yesterday", "request_id": "1", "created": 1.5, "duration_ms": -1});
    assert_eq!(steady(bad.clone()), bad);
}
