//! Bodies of the agent API that the API document shows.

use serde_json::{Value, json};

const ID: &str = "0198c0a1-b2c3-7d4e-8f90-a1b2c3d4e5f6";
const THEN: &str = "2026-01-01T00:00:00.000Z";

pub(super) fn models() -> Value {
    json!({"models": [{
        "id": "gpt-4o", "name": "gpt-4o", "provider": "openai", "context_window": 128000,
        "supports_vision": true, "supports_function_calling": true,
    }]})
}

pub(super) fn providers() -> Value {
    json!({
        "providers": [{"id": "openai", "name": "OpenAI", "configured": true, "models_count": 5}],
        "default_model": "gpt-4o",
    })
}

pub(super) fn session_request() -> Value {
    json!({"name": "New Session", "working_directory": "/path/to/project"})
}

pub(super) fn session_made() -> Value {
    json!({
        "id": ID, "name": "New Session", "status": "active", "working_directory": "/path/to/project",
        "created_at": THEN,
    })
}

pub(super) fn sessions() -> Value {
    json!([{
        "id": ID, "name": "Bug Fix Session", "status": "active", "created_at": THEN, "updated_at": THEN,
        "task_count": 3,
    }])
}

pub(super) fn session() -> Value {
    json!({
        "id": ID, "name": "Bug Fix Session", "status": "active", "working_directory": "/path/to/project",
        "created_at": THEN, "updated_at": THEN,
        "tasks": [{"id": ID, "description": "Fix failing test", "status": "completed"}],
    })
}

pub(super) fn task_request() -> Value {
    json!({"description": "Fix the failing test in tests/test_api.py", "model": "gpt-4o", "run_mode": "offline"})
}

pub(super) fn task_started() -> Value {
    json!({
        "id": ID, "description": "Fix the failing test in tests/test_api.py", "status": "running",
        "created_at": THEN,
    })
}

pub(super) fn tasks() -> Value {
    json!([{
        "id": ID, "description": "Fix the failing test in tests/test_api.py", "status": "completed",
        "created_at": THEN, "completed_at": "2026-01-01T00:30:00.000Z", "iterations": 5,
    }])
}

pub(super) fn task() -> Value {
    json!({
        "id": ID, "description": "Fix the failing test", "status": "completed", "created_at": THEN,
        "completed_at": "2026-01-01T00:30:00.000Z", "iterations": 5,
        "plan": {"steps": [{"id": "step-1", "description": "Read the failing test", "status": "completed"}]},
        "result": {"success": true, "summary": "Fixed the test by updating the expected value"},
        "session_id": ID, "model": "gpt-4o", "tool_calls": 4,
        "usage": {"input_tokens": 5200, "output_tokens": 640, "cost_usd": 0.0194},
        "approval": null,
    })
}

pub(super) fn task_status() -> Value {
    json!({"id": ID, "status": "stopped"})
}

pub(super) fn input_request() -> Value {
    json!({"content": "Yes, proceed with the changes"})
}

pub(super) fn task_goes_on() -> Value {
    json!({"id": ID, "status": "running"})
}

pub(super) fn approvals() -> Value {
    json!([{
        "id": "appr-0198c0a1b2c37d4e8f90a1b2c3d4e5f6", "tool": "write_file",
        "input": {"file_path": "a.txt", "content": "hello"}, "reason": "`write_file` may change something",
        "created_at": THEN,
    }])
}

pub(super) fn approval_request() -> Value {
    json!({"approved": true})
}

pub(super) fn artifacts() -> Value {
    json!([
        {"id": ID, "name": "plan.json", "type": "plan", "size": 1024, "created_at": THEN},
        {"id": ID, "name": "diff.patch", "type": "diff", "size": 2048, "created_at": "2026-01-01T00:30:00.000Z"},
    ])
}

pub(super) fn event() -> Value {
    json!({"event": "token", "data": spoken().to_string()})
}

pub(super) fn spoken() -> Value {
    json!({"sequence": 2, "type": "token", "content": "Let me analyze", "timestamp": THEN})
}

pub(super) fn said() -> Value {
    json!({"type": "input", "content": "Yes, proceed with the changes"})
}
