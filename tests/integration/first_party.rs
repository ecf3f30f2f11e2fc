//! The tools that come with the server, called as callers call them: components in the sandbox, no part of them played.

use serde_json::{Value, json};

use crate::client::Reply;
use crate::harness::Server;
use crate::shape;
use crate::upstream::{Answer, Upstream};

async fn server(grants: &str) -> Server {
    let launcher = env!("CARGO_BIN_EXE_mortise");
    let plugins = format!("plugins: {{process: {{launcher: \"{launcher}\"}}, grants: {{{grants}}}}}");
    Server::start(&format!("providers: {{echo: {{}}}}\n{plugins}\n")).await
}

async fn call(server: &Server, tool: &str, arguments: Value) -> Reply {
    server.client.post(&format!("/api/v1/tools/{tool}/call"), &json!({"arguments": arguments})).await
}

/// What the tool says to models and to programs.
async fn answer(server: &Server, tool: &str, arguments: Value) -> (String, Value) {
    let answer = call(server, tool, arguments).await.expect(200);
    (answer["output"].as_str().unwrap().to_owned(), answer["structured"].clone())
}

/// What its failure says.
async fn failure(server: &Server, tool: &str, arguments: Value, status: u16, code: &str) -> String {
    let reply = call(server, tool, arguments).await;
    shape::native(&reply, status, code)["error"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tool_is_listed_as_the_documents_have_it() {
    let server = server("").await;
    let list = server.client.get("/api/v1/tools").await.expect(200);
    let tools = list["tools"].as_array().unwrap();
    let by_category = |category: &str| -> Vec<&str> {
        let named = tools.iter().filter(|tool| tool["category"] == category && tool["source"]["origin"] == "bundled");
        named.map(|tool| tool["name"].as_str().unwrap()).collect()
    };
    assert_eq!(
        by_category("file_operations"),
        ["apply_patch", "delete", "edit_file", "list_directory", "move", "read_file", "write_file"]
    );
    assert_eq!(by_category("git"), ["git_commit", "git_diff", "git_log", "git_show", "git_status"]);
    assert_eq!(by_category("search"), ["glob", "grep"]);
    assert_eq!(by_category("web"), ["fetch_url", "http_request"]);
    assert_eq!(by_category("shell"), ["terminal"]);
    assert_eq!(by_category("planning"), ["update_plan"]);
    assert_eq!(by_category("utilities"), ["calculate", "convert_time", "current_time", "time_difference"]);
    let read = tools.iter().find(|tool| tool["name"] == "read_file").unwrap();
    assert_eq!(
        (&read["parameters"]["file_path"]["type"], &read["parameters"]["file_path"]["required"]),
        (&json!("string"), &json!(true))
    );
    for tool in tools {
        assert!(!tool.to_string().contains("x-aliases"), "{tool}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_nothing_works_at_once() {
    let server = server("").await;
    let (text, json) = answer(&server, "calculate", json!({"expression": "2^64 + sqrt(16)"})).await;
    assert_eq!((text.as_str(), &json["exact"]), ("18446744073709551620", &json!(true)));
    let (text, _) =
        answer(&server, "convert_time", json!({"time": "2026-07-01T12:00Z", "timezone": "Europe/Berlin"})).await;
    assert_eq!(text, "Wednesday, 2026-07-01T14:00:00+02:00 (Europe/Berlin)");
    let (_, now) = answer(&server, "current_time", json!({"timezone": null})).await;
    assert!(now["unix"].as_i64().unwrap() > 1_700_000_000, "{now}");
    let (_, between) = answer(&server, "time_difference", json!({"from": "2026-01-01", "to": "2026-01-02"})).await;
    assert_eq!(between["seconds"], 86_400);
    let steps = json!([{"description": "look", "status": "completed"}, {"description": "mend"}]);
    let (_, plan) = answer(&server, "update_plan", json!({"plan": steps})).await;
    assert_eq!(plan["steps"][1], json!({"id": "step-2", "description": "mend", "status": "pending"}));
    let told = failure(&server, "calculate", json!({"expression": "1/0"}), 400, "INVALID_VALUE").await;
    assert!(told.contains("a division by zero"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_worked_on_in_the_workspace() {
    let server = server("").await;
    for name in ["path", "file_path"] {
        let (text, json) = answer(&server, "write_file", json!({name: "a/b.txt", "content": "one\n"})).await;
        assert_eq!((text.as_str(), &json["created"]), ("created a/b.txt (1 lines, 4 bytes)", &json!(true)));
    }
    let patch = "*** Begin Patch\n*** Add File: x/y.txt\n+one\n*** End Patch";
    assert_eq!(answer(&server, "apply_patch", json!({"input": patch})).await.0, "added x/y.txt\n");
    assert_eq!(answer(&server, "list_directory", json!({})).await.0, ". is empty");
    assert_eq!(answer(&server, "grep", json!({"pattern": "x"})).await.0, "no match in 0 files");
    assert_eq!(answer(&server, "glob", json!({"pattern": "*"})).await.1["files"], json!([]));
    for (tool, arguments) in [
        ("read_file", json!({"file_path": "nowhere"})),
        ("edit_file", json!({"file_path": "nowhere", "old_string": "a", "new_string": "b"})),
        ("move", json!({"source": "nowhere", "destination": "b"})),
        ("delete", json!({"path": "nowhere"})),
    ] {
        let told = failure(&server, tool, arguments, 404, "NOT_FOUND").await;
        assert!(told.contains("there is no such file or directory"), "{tool}: {told}");
    }
    let told = failure(&server, "read_file", json!({"path": "../../etc/passwd"}), 403, "FORBIDDEN").await;
    assert!(told.contains("outside of the workspace"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_fetched_from_where_the_operator_allows() {
    let page = "<title>T</title><main><h1>Hello</h1><p>See <a href='/more'>more</a>.</main>";
    let upstream = Upstream::start().await;
    upstream.route("/page", Answer::body(200, "text/html", page));
    upstream.route("/old", Answer::body(302, "text/plain", "").header("location", "/page"));
    upstream.route("/api", Answer::json(&json!({"ok": true})));
    let base = format!("http://{}", upstream.address());
    let server = server(&format!("web: {{hosts: [\"{base}\"]}}")).await;
    let (text, json) = answer(&server, "fetch_url", json!({"url": format!("{base}/old")})).await;
    assert_eq!(text, format!("T\n{base}/page\n\n# Hello\n\nSee [more]({base}/more)."));
    assert_eq!((&json["url"], &json["links"][0]["text"]), (&json!(format!("{base}/page")), &json!("more")));
    let (text, json) = answer(&server, "http_request", json!({"url": format!("{base}/api"), "json": {"a": 1}})).await;
    assert!(text.starts_with("200 "), "{text}");
    assert_eq!((&json["status"], &json["body"]), (&json!(200), &json!("{\"ok\":true}")));
    let sent = upstream.requests().pop().unwrap();
    assert_eq!((sent.method.as_str(), sent.json()), ("POST", json!({"a": 1})));

    let none = self::server("").await;
    let told = failure(&none, "fetch_url", json!({"url": base}), 403, "FORBIDDEN").await;
    assert!(told.contains("plugins.grants.web.hosts"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_run_where_the_operator_allows() {
    let server = server("terminal: {programs: [echo, sh]}, git: {programs: [git]}").await;
    let (text, json) = answer(&server, "terminal", json!({"command": "echo 'one  two'"})).await;
    assert_eq!((text.as_str(), &json["exit_code"], &json["status"]), ("one  two\n", &json!(0), &json!("success")));
    let (text, _) = answer(&server, "terminal", json!({"command": "echo a | tr a b; exit 3"})).await;
    assert_eq!(text, "b\n\n[exit code 3]");
    let told = failure(&server, "git_status", json!({}), 404, "NOT_FOUND").await;
    assert!(told.contains("the workspace is no git repository"), "{told}");

    let none = self::server("").await;
    for (tool, arguments, grant) in [
        ("terminal", json!({"command": "echo a"}), "plugins.grants.terminal.programs"),
        ("git_log", json!({}), "plugins.grants.git.programs"),
    ] {
        let told = failure(&none, tool, arguments, 403, "FORBIDDEN").await;
        assert!(told.contains(grant), "{told}");
    }
}
