//! Bodies of the platform API's sessions that the API document shows.

use serde_json::{Value, json};

pub(super) const SESSION: &str = "6f9619ff-8b86-4d01-b42d-00c04fc964ff";
const MESSAGE: &str = "0198c0a1-b2c3-7d4e-8f90-a1b2c3d4e5f6";
const TIME: &str = "2025-10-19T12:00:00.000Z";

pub(super) fn request() -> Value {
    json!({
        "name": "My Investigation Session",
        "mode": "interactive",
        "sdk_options": {"allowed_tools": ["Read", "Write", "Bash"], "permission_mode": "default"},
    })
}

fn session() -> Value {
    json!({
        "id": SESSION,
        "user_id": "5a0c1f9e-6d7b-4c36-9b0e-0f6a3c1d2e4b",
        "name": "My Investigation Session",
        "description": null,
        "mode": "interactive",
        "status": "created",
        "sdk_options": {"allowed_tools": ["Read", "Write", "Bash"], "permission_mode": "default"},
        "system_prompt": null,
        "working_directory_path": format!("/var/lib/mortise/workspaces/{SESSION}"),
        "backend": null,
        "model": null,
        "template_id": null,
        "parent_session_id": null,
        "is_fork": false,
        "total_messages": 0,
        "total_tool_calls": 0,
        "turn_count": 0,
        "total_cost_usd": 0.0,
        "api_input_tokens": 0,
        "api_output_tokens": 0,
        "error_message": null,
        "metadata": {},
        "created_at": TIME,
        "updated_at": TIME,
        "started_at": null,
        "completed_at": null,
    })
}

pub(super) fn made() -> Value {
    let mut session = session();
    if let Some(session) = session.as_object_mut() {
        session.insert("success".into(), true.into());
    }
    session
}

pub(super) fn change() -> Value {
    json!({"name": "Log analysis"})
}

fn list(path: &str, item: Value) -> Value {
    json!({
        "success": true, "items": [item], "total": 42, "skip": 0, "limit": 1,
        "links": {"next": format!("{path}?skip=1&limit=1"), "prev": null},
    })
}

pub(super) fn sessions() -> Value {
    list("/api/v1/sessions", session())
}

pub(super) fn question() -> Value {
    json!({"message": "Analyze the error logs in /var/log/app.log"})
}

pub(super) fn answer() -> Value {
    json!({
        "success": true,
        "session_id": SESSION,
        "message_id": MESSAGE,
        "content": {"type": "text", "text": "I'll analyze the error logs for you..."},
        "tool_calls": [{"tool_name": "Read", "tool_input": {"path": "/var/log/app.log"}, "status": "success"}],
        "metrics": {"duration_ms": 3250, "input_tokens": 150, "output_tokens": 420, "cost_usd": 0.0012},
    })
}

pub(super) fn event() -> Value {
    json!({"event": "token", "data": json!({"type": "token", "content": "I'll", "index": 0}).to_string()})
}

pub(super) fn messages() -> Value {
    let message = json!({
        "id": MESSAGE, "message_type": "user", "content": {"content": "Hello"}, "sequence_number": 1, "created_at": TIME,
    });
    list(&format!("/api/v1/sessions/{SESSION}/messages"), message)
}

pub(super) fn tool_calls() -> Value {
    let call = json!({
        "id": MESSAGE, "tool_name": "Read", "tool_input": {"path": "/app/test.py"},
        "tool_output": {"content": "def test():\n    pass"}, "status": "success", "duration_ms": 120, "created_at": TIME,
    });
    list(&format!("/api/v1/sessions/{SESSION}/tool-calls"), call)
}

pub(super) fn fork() -> Value {
    json!({"name": "Forked Session"})
}

pub(super) fn archive_request() -> Value {
    json!({"compression": "gzip"})
}

pub(super) fn archive() -> Value {
    json!({
        "success": true,
        "archive_id": MESSAGE,
        "session_id": SESSION,
        "archive_path": format!("/archives/{MESSAGE}.tar.gz"),
        "archive_size_bytes": 1_048_576,
        "file_count": 42,
        "compression": "gzip",
        "status": "completed",
        "error_message": null,
        "download_url": format!("/api/v1/sessions/{SESSION}/archive/download"),
        "created_at": TIME,
        "completed_at": TIME,
    })
}
