//! Bodies of OpenAI's API that the API document shows.

use serde_json::{Value, json};

pub(super) fn chat_request() -> Value {
    json!({
        "model": "echo/echo",
        "messages": [
            {"role": "system", "content": "Answer briefly."},
            {"role": "user", "content": "Hello, Mortise!"},
        ],
        "max_completion_tokens": 200,
    })
}

pub(super) fn chat_response() -> Value {
    json!({
        "id": "chatcmpl-0198c0a1b2c37d4e8f90a1b2c3d4e5f6",
        "object": "chat.completion",
        "created": 1_767_781_800,
        "model": "echo",
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": "Hello, Mortise!", "refusal": null},
            "finish_reason": "stop",
        }],
        "usage": {
            "prompt_tokens": 4,
            "completion_tokens": 2,
            "total_tokens": 6,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    })
}

pub(super) fn chat_event() -> Value {
    let chunk = json!({
        "id": "chatcmpl-0198c0a1b2c37d4e8f90a1b2c3d4e5f6",
        "object": "chat.completion.chunk",
        "created": 1_767_781_800,
        "model": "echo",
        "choices": [{"index": 0, "delta": {"content": "Hello"}, "finish_reason": null}],
    });
    json!({"data": chunk.to_string()})
}

pub(super) fn embedding_request() -> Value {
    json!({"model": "echo/echo-embed", "input": ["one text", "another"]})
}

pub(super) fn embedding_response() -> Value {
    json!({
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.6, -0.8]}],
        "model": "echo-embed",
        "usage": {"prompt_tokens": 2, "total_tokens": 2},
    })
}

pub(super) fn models() -> Value {
    json!({"object": "list", "data": [model()]})
}

pub(super) fn model() -> Value {
    json!({"id": "echo/echo", "object": "model", "created": 0, "owned_by": "echo"})
}
