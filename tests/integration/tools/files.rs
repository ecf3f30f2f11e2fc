//! Guests that look for a way out of their workspace, or fill it.

use serde_json::json;

use super::{call, denied, failure, output, server};
use crate::shape;

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_way_out() {
    let yaml = "plugins: {limits: {tool_cpu: 20s}, grants: {tool-escape: {workspace: read-write}}}";
    let server = server(&["tool-escape"], yaml).await;
    let outside = server.home().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret"), "the operator's").unwrap();
    let file = outside.join("secret");
    assert_eq!(output(&server, "look", json!({"outside": file.to_str().unwrap()})).await, "nothing");
    assert_eq!(output(&server, "race", json!({"outside": outside.to_str().unwrap()})).await, "0");
    for path in ["/etc/passwd", "/proc/self/environ", "/workspace/../../etc/passwd", "/dev/null"] {
        let reply = call(&server, "open", json!({"path": path})).await;
        assert_ne!(reply.status(), 200, "{path}: {}", reply.text());
        let reply = call(&server, "write", json!({"path": path})).await;
        assert_ne!(reply.status(), 200, "{path}: {}", reply.text());
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), "the operator's");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_nothing_to_see() {
    let server = server(&["tool-escape"], "").await;
    assert_eq!(output(&server, "nosy", json!({})).await, "nothing");
    let seen = super::plugin(&server, "tool-escape").await;
    assert!(seen["last_denial"].as_str().unwrap().contains("wasi:http"), "{seen}");
    // Without the right there is no workspace either.
    let reply = call(&server, "write", json!({"path": "/workspace/x"})).await;
    assert_ne!(reply.status(), 200, "{}", reply.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_readers_files_stay_as_they_are() {
    let server = server(&["tool-escape"], "plugins: {grants: {tool-escape: {workspace: read-only}}}").await;
    failure(&server, "write", json!({"path": "/workspace/x"}), 422, "TOOL_EXECUTION_FAILED").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_call_writes_is_bounded() {
    let yaml = "plugins: {limits: {files: 4MiB, tool_cpu: 20s}, grants: {tool-flood: {workspace: read-write}}}";
    let server = server(&["tool-flood"], yaml).await;
    for tool in ["file", "files", "sparse"] {
        denied(&server, "tool-flood", tool, json!({}), &["plugins.limits.files"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_session_keeps_is_bounded() {
    let yaml = "sessions: {workspace_quota: 64KiB}\nplugins: {grants: {tool-well: {workspace: read-write}}}";
    let server = server(&["tool-well"], yaml).await;
    let session = server.client.post("/api/v1/sessions", &json!({})).await.expect(201);
    let keep = async |path: &str, bytes: usize| {
        let arguments = json!({"path": path, "content": "x".repeat(bytes)});
        let asked = json!({"session_id": session["id"], "arguments": arguments});
        server.client.post("/api/v1/tools/keep/call", &asked).await
    };
    for _ in 0..4 {
        // Written over, it takes no more room.
        assert_eq!(keep("a", 40_000).await.status(), 200);
    }
    let told = shape::native(&keep("b", 40_000).await, 403, "FORBIDDEN")["error"].to_string();
    assert!(told.contains("sessions.workspace_quota"), "{told}");
    assert_eq!(keep("c", 1000).await.status(), 200, "there is room for less");
    // Without a session, files are gone with the call.
    assert_eq!(output(&server, "keep", json!({"path": "a", "content": "y".repeat(200_000)})).await.len(), 200_000);
}
