//! Guests that take whatever they can get without end.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{call, denied, failure, output, plugin, server};

/// Any limit's overrun is noticed sooner, also on a loaded machine.
const SOON: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
async fn a_greedy_guest_is_stopped_and_nobody_waits() {
    let yaml = "plugins: {limits: {tool_cpu: 300ms, time: 3s, memory: 32MiB}}";
    let server = server(&["tool-spinner", "tool-well"], yaml).await;
    for (tool, words) in [
        ("loop", "plugins.limits.tool_cpu"),
        ("clock", "plugins.limits.tool_cpu"),
        ("chance", "plugins.limits."),
        ("sleep", "plugins.limits.time"),
        ("memory", "plugins.limits.memory"),
        ("random", "exceeds limit"),
        ("recursion", "recurses without end"),
        ("panic", "panicked"),
        ("exit", ""),
    ] {
        let began = Instant::now();
        let client = server.client;
        let beside = tokio::spawn(async move {
            let asked = json!({"arguments": {"a": 1, "b": 1}});
            for _ in 0..5 {
                client.post("/api/v1/tools/add/call", &asked).await.expect(200);
            }
        });
        let told = failure(&server, tool, json!({}), 422, "TOOL_EXECUTION_FAILED").await;
        assert!(told.contains("tool-spinner") && told.contains(words), "{tool}: {told}");
        assert!(began.elapsed() < SOON, "{tool}: {:?}", began.elapsed());
        beside.await.unwrap();
    }
    assert!(plugin(&server, "tool-spinner").await["traps"].as_u64().unwrap() >= 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_are_dammed() {
    let yaml =
        "plugins: {limits: {output: 1MiB, log: 4KiB, kv: 256KiB, tool_cpu: 20s}, grants: {tool-flood: {kv: true}}}";
    let server = server(&["tool-flood"], yaml).await;
    let told = failure(&server, "answer", json!({}), 422, "TOOL_EXECUTION_FAILED").await;
    assert!(told.contains("plugins.limits.output"), "{told}");
    denied(&server, "tool-flood", "memory", json!({}), &["plugins.limits.kv"]).await;
    for tool in ["log", "print", "progress"] {
        assert_eq!(output(&server, tool, json!({})).await, "nothing stopped me");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_keeps_trapping_is_kept_from_requests() {
    let server = server(&["tool-spinner"], "plugins: {quarantine: {traps: 3, pause: 10m}}").await;
    for _ in 0..3 {
        failure(&server, "panic", json!({}), 422, "TOOL_EXECUTION_FAILED").await;
    }
    assert_eq!(plugin(&server, "tool-spinner").await["state"], "quarantined");
    let reply = call(&server, "panic", json!({})).await;
    assert_eq!(reply.status(), 503, "{}", reply.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_hangs_up_ends_the_call() {
    let server = server(&["tool-spinner"], "plugins: {limits: {concurrency: 1, time: 10m}}").await;
    let client = server.client;
    let calling = tokio::spawn(async move { client.post("/api/v1/tools/sleep/call", &json!({})).await.status() });
    crate::patience::until("the call to begin", async || {
        (plugin(&server, "tool-spinner").await["instances"] == 1).then_some(())
    })
    .await;
    calling.abort();
    crate::patience::until("the call to end", async || {
        (plugin(&server, "tool-spinner").await["instances"] == 0).then_some(())
    })
    .await;
}
