//! Bodies of the prompt surface that the API document shows.

use serde_json::{Value, json};

pub(super) fn prompt() -> Value {
    json!({"backend": "claude", "prompt": "hello"})
}

fn result(backend: &str) -> Value {
    json!({
        "backend": backend,
        "model": "echo",
        "exit_code": 0,
        "duration_ms": 12,
        "output": "hello",
        "token_usage": {"input_tokens": 1, "output_tokens": 1},
    })
}

pub(super) fn prompt_reply() -> Value {
    json!({"success": true, "data": result("claude")})
}

pub(super) fn line() -> Value {
    json!({
        "type": "message",
        "content": {"text": "hello", "role": "assistant", "is_partial": true},
        "backend": "claude",
        "request_id": "req-0198c0a1b2c37d4e8f90a1b2c3d4e5f6",
        "timestamp": "2026-01-07T10:30:00.000Z",
        "sequence": 1,
    })
}

pub(super) fn parallel() -> Value {
    json!({
        "tasks": [{"backend": "claude", "prompt": "hello"}, {"backend": "gemini", "prompt": "hello"}],
        "max_parallel": 2,
        "fail_fast": false,
    })
}

pub(super) fn parallel_reply() -> Value {
    json!({"success": true, "data": {
        "total_tasks": 2,
        "completed": 2,
        "failed": 0,
        "total_duration_ms": 13,
        "results": [result("claude"), result("gemini")],
    }})
}

pub(super) fn chain() -> Value {
    json!({
        "steps": [
            {"name": "draft", "backend": "claude", "prompt": "Write a haiku about doors"},
            {"name": "review", "backend": "gemini", "prompt": "Improve this: {{previous}}"},
        ],
        "stop_on_failure": true,
    })
}

pub(super) fn chain_reply() -> Value {
    let step = |step: u32, name: &str, backend: &str| {
        let mut value = json!({"step": step, "name": name});
        if let (Some(into), Value::Object(result)) = (value.as_object_mut(), result(backend)) {
            into.extend(result);
        }
        value
    };
    json!({"success": true, "data": {
        "total_steps": 2,
        "completed_steps": 2,
        "total_duration_ms": 24,
        "results": [step(1, "draft", "claude"), step(2, "review", "gemini")],
    }})
}

pub(super) fn compare() -> Value {
    json!({"backends": ["claude", "gemini"], "prompt": "hello"})
}

pub(super) fn compare_reply() -> Value {
    json!({"success": true, "data": {
        "prompt": "hello",
        "backends": ["claude", "gemini"],
        "total_duration_ms": 13,
        "results": [result("claude"), result("gemini")],
    }})
}

pub(super) fn backends_reply() -> Value {
    json!({"success": true, "data": {"backends": [
        {"name": "claude", "available": true, "kind": "provider", "default_model": "echo"},
    ]}})
}
