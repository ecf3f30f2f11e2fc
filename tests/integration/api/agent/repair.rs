//! An agent that mends a project, watched by a client in Python whose connection breaks again and again: `tests/sdk/agent_run.py`.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::json;

use crate::harness::Server;
use crate::sdk_python::{python, root};

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_mends_a_project_and_a_watcher_who_is_cut_off_again_and_again_sees_all_of_it() {
    // It has the model's end too, so it is there before the server.
    let mut script = python()
        .arg(root().join("tests/sdk/agent_run.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(script.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    let port: u16 = line.trim().strip_prefix("listening on ").and_then(|port| port.parse().ok()).expect("a port");
    let server = Server::configured(|home| {
        let key = home.join("key");
        std::fs::write(&key, "sim-key").unwrap();
        let launcher = env!("CARGO_BIN_EXE_mortise");
        format!(
            "providers:\n  openai: {{base_url: \"http://127.0.0.1:{port}/v1\", api_key: \"file:{}\"}}\n\
             store: {{engine: redb}}\n\
             plugins:\n  process: {{launcher: \"{launcher}\"}}\n  \
             grants: {{terminal: {{programs: [python3], workspace: read-write}}}}\n",
            key.display()
        )
    })
    .await;
    let about = json!({"address": server.client.address().to_string(), "data": server.home().join("data")});
    writeln!(script.stdin.take().unwrap(), "{about}").unwrap();
    let ended = tokio::task::spawn_blocking(move || script.wait_with_output()).await.unwrap().unwrap();
    line.clear();
    stdout.read_line(&mut line).unwrap();
    assert!(ended.status.success() && line == "content\n", "\n{line}{}", String::from_utf8_lossy(&ended.stderr));
}
