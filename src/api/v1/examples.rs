//! Bodies of the native API that the API document shows.

use serde_json::{Value, json};

pub(super) fn chat_request() -> Value {
    json!({"message": "Hello, Mortise!", "provider": "echo", "temperature": 0.7, "max_tokens": 200})
}

pub(super) fn chat_response() -> Value {
    json!({
        "success": true,
        "response": "Hello, Mortise!",
        "provider": "echo",
        "model": "echo",
        "conversation_id": CONVERSATION,
        "tokens_used": {"input": 2, "output": 2, "total": 4},
        "duration_ms": 12,
        "tools_used": [],
    })
}

pub(super) fn chat_event() -> Value {
    json!({"event": "token", "data": json!({"type": "token", "content": "Hello", "index": 0}).to_string()})
}

pub(super) const CONVERSATION: &str = "conv-0198c0a1b2c37d4e8f90a1b2c3d4e5f6";

pub(super) fn conversation_request() -> Value {
    json!({"message": "Create a REST API", "provider": "echo"})
}

pub(super) fn conversation_response() -> Value {
    json!({
        "conversation_id": CONVERSATION,
        "response": "Create a REST API",
        "messages": [
            {"role": "user", "content": "Create a REST API"},
            {"role": "assistant", "content": "Create a REST API"},
        ],
    })
}

pub(super) fn conversation() -> Value {
    json!({
        "conversation_id": CONVERSATION,
        "created_at": "2025-01-07T10:00:00.000Z",
        "updated_at": "2025-01-07T10:05:00.000Z",
        "message_count": 2,
        "messages": [
            {"role": "user", "content": "Create a REST API"},
            {"role": "assistant", "content": "Create a REST API"},
        ],
    })
}

pub(super) fn providers() -> Value {
    json!({"providers": [{
        "name": "echo",
        "models": ["echo"],
        "features": {"tool_calling": true, "streaming": true, "vision": false},
    }]})
}

pub(super) fn tools() -> Value {
    let schema = json!({"type": "string", "description": "Such as 2 * (3 + 4)"});
    json!({
        "tools": [{
            "name": "calculate",
            "description": "Works out an arithmetic expression",
            "category": "math",
            "parameters": {"expression": {"type": "string", "description": "Such as 2 * (3 + 4)", "required": true}},
            "input_schema": {"type": "object", "properties": {"expression": schema}, "required": ["expression"]},
            "annotations": {"read_only": true, "destructive": false, "idempotent": true, "open_world": false},
            "source": {"plugin": "calc", "version": "0.1.0", "origin": "bundled"},
            "grants": {"hosts": [], "workspace": null, "programs": [], "kv": false, "secrets": []},
        }],
        "categories": ["math"],
    })
}

pub(super) fn call_request() -> Value {
    json!({"arguments": {"expression": "2 * (3 + 4)"}})
}

pub(super) fn call_response() -> Value {
    json!({"success": true, "tool": "calculate", "output": "14", "structured": {"value": 14}, "duration_ms": 1})
}

pub(super) fn plugins() -> Value {
    json!({"plugins": [{
        "id": "echo",
        "version": "0.1.0",
        "kind": "provider",
        "description": "Gives back what it is told, word by word",
        "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "state": "ready",
        "origin": "bundled",
        "file": null,
        "asks": {"hosts": [], "workspace": null, "programs": [], "kv": false, "secrets": []},
        "grants": {"hosts": [], "workspace": null, "programs": [], "kv": false, "secrets": []},
        "last_error": null,
        "last_denial": null,
        "confinement": null,
        "traps": 0,
        "instances": 1,
    }]})
}

pub(super) fn status() -> Value {
    json!({
        "version": "0.1.0",
        "uptime_seconds": 3600,
        "requests_total": 1234,
        "requests_active": 1,
        "providers": {"echo": {"healthy": true, "requests": 1000}},
        "cache": {"enabled": false, "size": 0, "hit_rate": 0.0},
    })
}
