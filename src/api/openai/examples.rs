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

pub(super) fn response_request() -> Value {
    json!({
        "model": "echo/echo",
        "instructions": "Answer briefly.",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "Hello, Mortise!"}]}],
    })
}

pub(super) fn response() -> Value {
    json!({
        "id": "resp_0198c0a1b2c37d4e8f90a1b2c3d4e5f6",
        "object": "response",
        "created_at": 1_767_781_800,
        "status": "completed",
        "background": false,
        "error": null,
        "incomplete_details": null,
        "instructions": "Answer briefly.",
        "max_output_tokens": null,
        "max_tool_calls": null,
        "metadata": {},
        "model": "echo",
        "output": [{
            "type": "message",
            "id": "msg_0198c0a1b2c37d4e8f90a1b2c3d4e5f7",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hello, Mortise!", "annotations": [], "logprobs": []}],
        }],
        "parallel_tool_calls": true,
        "previous_response_id": null,
        "prompt_cache_key": null,
        "reasoning": {"effort": null, "summary": null},
        "safety_identifier": null,
        "service_tier": "default",
        "store": false,
        "temperature": null,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": null,
        "top_p": null,
        "truncation": "disabled",
        "usage": {
            "input_tokens": 4,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 2,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 6,
        },
        "user": null,
    })
}

pub(super) fn response_event() -> Value {
    let delta = json!({
        "type": "response.output_text.delta",
        "sequence_number": 4,
        "item_id": "msg_0198c0a1b2c37d4e8f90a1b2c3d4e5f7",
        "output_index": 0,
        "content_index": 0,
        "delta": "Hello",
        "logprobs": [],
    });
    json!({"event": "response.output_text.delta", "data": delta.to_string()})
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
