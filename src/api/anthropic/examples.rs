//! Bodies of Anthropic's API that the API document shows.

use serde_json::{Value, json};

pub(super) fn message_request() -> Value {
    json!({
        "model": "echo/echo",
        "max_tokens": 200,
        "system": "Answer briefly.",
        "messages": [{"role": "user", "content": "Hello, Mortise!"}],
    })
}

pub(super) fn message() -> Value {
    json!({
        "id": "msg_0198c0a1b2c37d4e8f90a1b2c3d4e5f6",
        "type": "message",
        "role": "assistant",
        "model": "echo",
        "content": [{"type": "text", "text": "Hello, Mortise!"}],
        "stop_reason": "end_turn",
        "stop_sequence": null,
        "usage": {
            "input_tokens": 4,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 2,
        },
    })
}

pub(super) fn event() -> Value {
    let delta = json!({
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "Hello"},
    });
    json!({"event": "content_block_delta", "data": delta.to_string()})
}

pub(super) fn count_request() -> Value {
    json!({"model": "echo/echo", "messages": [{"role": "user", "content": "Hello, Mortise!"}]})
}

pub(super) fn count() -> Value {
    json!({"input_tokens": 2})
}

pub(super) fn models() -> Value {
    json!({"data": [model()], "has_more": false, "first_id": "echo/echo", "last_id": "echo/echo"})
}

pub(super) fn model() -> Value {
    json!({
        "type": "model",
        "id": "echo/echo",
        "display_name": "Echo",
        "created_at": "1970-01-01T00:00:00Z",
        "max_input_tokens": null,
        "max_tokens": null,
    })
}
