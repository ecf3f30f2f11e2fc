//! The tool that behaves: listed, checked, called, and given what it was granted.

use serde_json::json;

use super::{call, denied, failure, output, plugin, server};
use crate::patience::until;
use crate::shape;

const GRANTS: &str =
    "plugins: {grants: {tool-well: {workspace: read-write, kv: true, isolation: warm, limits: {kv: 2KiB}}}}";

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_is_listed_with_its_source_and_its_rights() {
    let server = server(&["tool-well"], GRANTS).await;
    let list = server.client.get("/api/v1/tools").await.expect(200);
    let tools = list["tools"].as_array().unwrap();
    let add = tools.iter().find(|tool| tool["name"] == "add").unwrap();
    assert_eq!(add["category"], "math");
    assert_eq!(add["parameters"]["a"], json!({"type": "number", "description": "The first", "required": true}));
    assert_eq!(add["source"], json!({"plugin": "tool-well", "version": "0.1.0", "origin": "directory"}));
    assert_eq!(add["grants"]["workspace"], "read-write");
    assert_eq!(add["annotations"]["read_only"], true);
    assert!(list["categories"].as_array().unwrap().contains(&json!("math")), "{list}");
    let keep = tools.iter().find(|tool| tool["name"] == "keep").unwrap();
    assert!(
        !keep.to_string().contains("x-aliases"),
        "what is between plugin and server is nobody else's business: {keep}"
    );
    assert_eq!(plugin(&server, "tool-well").await["kind"], "tool");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_gives_text_and_structure() {
    let server = server(&["tool-well"], GRANTS).await;
    let answer = call(&server, "add", json!({"a": 2, "b": 3})).await.expect(200);
    assert_eq!((&answer["output"], &answer["structured"]), (&json!("5"), &json!({"sum": 5.0})), "{answer}");
    assert_eq!(output(&server, "report", json!({})).await, "done");
    assert_eq!(output(&server, "who", json!({})).await, "None None {}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_before_the_tool_is_asked() {
    let server = server(&["tool-well"], GRANTS).await;
    for (arguments, words) in [
        (json!({"a": 1}), "\"b\" is a required property"),
        (json!({"a": 1, "b": "two"}), "`b`: \"two\" is not of type \"number\""),
        (json!({"a": 1, "b": 2, "c": 3}), "'c' was unexpected"),
    ] {
        let told = failure(&server, "add", arguments, 400, "INVALID_VALUE").await;
        assert!(
            told.contains(words) && told.ends_with("it takes a (number, required), b (number, required)"),
            "{told}"
        );
    }
    let told = failure(&server, "ad", json!({}), 404, "NOT_FOUND").await;
    assert!(told.contains("did you mean add?"), "{told}");
    let told = failure(&server, "fail", json!({}), 404, "NOT_FOUND").await;
    assert!(told.contains("nothing to be found"), "{told}");
    let reply = server.client.post("/api/v1/tools/add/call", &json!({"arguments": 1})).await;
    shape::native(&reply, 400, "INVALID_VALUE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_kept_in_the_workspace_by_either_name() {
    let server = server(&["tool-well"], GRANTS).await;
    assert_eq!(output(&server, "keep", json!({"file_path": "a", "content": "one"})).await, "one");
    assert_eq!(output(&server, "keep", json!({"path": "a", "content": "two"})).await, "two");
    assert_eq!(output(&server, "keep", json!({"path": "a", "content": "x", "more": null})).await, "x");
    let told = failure(&server, "keep", json!({"path": "a"}), 422, "TOOL_EXECUTION_FAILED").await;
    assert!(told.contains("/workspace/a"), "each call without a session has files of its own: {told}");
    let left: Vec<_> = std::fs::read_dir(server.home().join("data/scratch")).unwrap().collect();
    until("the files to be gone", async || {
        std::fs::read_dir(server.home().join("data/scratch")).unwrap().next().is_none().then_some(())
    })
    .await;
    drop(left);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_keeps_its_files_from_call_to_call() {
    let server = server(&["tool-well"], GRANTS).await;
    let session = server.client.post("/api/v1/sessions", &json!({"name": "files"})).await.expect(201);
    let id = session["id"].as_str().or(session["session"]["id"].as_str()).unwrap();
    let path = "/api/v1/tools/keep/call";
    let asked = |arguments| json!({"session_id": id, "arguments": arguments});
    server.client.post(path, &asked(json!({"path": "a", "content": "kept"}))).await.expect(200);
    assert_eq!(server.client.post(path, &asked(json!({"path": "a"}))).await.expect(200)["output"], "kept");
    let strange = json!({"session_id": "01234567-89ab-7def-8123-456789abcdef", "arguments": {"path": "a"}});
    assert_eq!(server.client.post(path, &strange).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_remembers_what_it_may() {
    let server = server(&["tool-well"], GRANTS).await;
    assert_eq!(output(&server, "remember", json!({"key": "a", "value": "one"})).await, "one of a");
    assert_eq!(output(&server, "remember", json!({"key": "a"})).await, "one of a");
    let much = json!({"key": "b", "value": "x".repeat(4096)});
    denied(&server, "tool-well", "remember", much, &["Quota", "plugins.limits.kv"][1..]).await;
    assert_eq!(output(&server, "remember", json!({"key": "b", "value": "two"})).await, "two of a,b");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_is_not_there() {
    let server = server(&["tool-well"], "").await;
    denied(&server, "tool-well", "remember", json!({"key": "a"}), &["plugins.grants.tool-well.kv"]).await;
    let told = failure(&server, "keep", json!({"path": "a", "content": "x"}), 422, "TOOL_EXECUTION_FAILED").await;
    assert!(told.contains("/workspace/a"), "{told}");
    let readers = "plugins: {grants: {tool-well: {workspace: read-only}}}";
    let reader = super::server(&["tool-well"], readers).await;
    let told = failure(&reader, "keep", json!({"path": "a", "content": "x"}), 422, "TOOL_EXECUTION_FAILED").await;
    assert!(told.contains("/workspace/a"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_are_shared_as_the_operator_says() {
    for (isolation, kept) in [("warm", true), ("fresh", false)] {
        let yaml = format!("plugins: {{grants: {{tool-well: {{isolation: {isolation}}}}}}}");
        let server = server(&["tool-well"], &yaml).await;
        let mut counts = Vec::new();
        for _ in 0..3 {
            counts.push(output(&server, "count", json!({})).await);
        }
        assert_eq!(counts == ["1", "2", "3"], kept, "{isolation}: {counts:?}");
    }
    // With a workspace, an instance serves only those who share that.
    let server = server(&["tool-well"], GRANTS).await;
    for _ in 0..2 {
        assert_eq!(output(&server, "count", json!({})).await, "1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_holds_no_thread() {
    let server = server(&["tool-well"], "plugins: {instances: 200}").await;
    let mut waiting = tokio::task::JoinSet::new();
    let client = server.client;
    let began = tokio::time::Instant::now();
    for _ in 0..100 {
        waiting.spawn(async move {
            let asked = json!({"arguments": {"ms": 300}});
            client.post("/api/v1/tools/wait/call", &asked).await.expect(200)
        });
    }
    while let Some(answer) = waiting.join_next().await {
        assert_eq!(answer.unwrap()["output"], "waited");
    }
    assert!(began.elapsed().as_secs() < 15, "one after the other would take 30 s: {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_lies_of_its_tools_is_refused() {
    let server = server(&["tool-liar"], "").await;
    let seen = plugin(&server, "tool-liar").await;
    assert_eq!(seen["state"], "failed");
    assert!(seen["last_error"].as_str().unwrap().contains("`not a name` must have a name"), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_checked_when_it_is_loaded() {
    let server = server(&["tool-well"], "plugins: {grants: {tool-well: {settings: {a: 1}}}}").await;
    let seen = plugin(&server, "tool-well").await;
    assert!(seen["last_error"].as_str().unwrap().contains("remove plugins.grants.tool-well.settings"), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_counted() {
    let server = server(&["tool-well"], "").await;
    output(&server, "add", json!({"a": 1, "b": 1})).await;
    call(&server, "remember", json!({"key": "a"})).await;
    let metrics = server.client.get("/metrics").await;
    for line in [
        "mortise_tool_calls_total{plugin=\"tool-well\",tool=\"add\",outcome=\"ok\"} 1",
        "mortise_tool_calls_total{plugin=\"tool-well\",tool=\"remember\",outcome=\"denied\"} 1",
        "mortise_plugin_denials_total{plugin=\"tool-well\",right=\"kv\"} 1",
    ] {
        assert!(metrics.text().contains(line), "{line}\n{}", metrics.text());
    }
}
