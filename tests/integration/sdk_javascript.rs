//! The vendors' own SDKs for JavaScript: `tests/sdk/js`, with the node that `make test` prepares.

use std::path::Path;
use std::process::Command;

use crate::sdk_python::{root, said};
use crate::simulator::Simulator;

#[tokio::test(flavor = "multi_thread")]
async fn the_sdks_for_javascript_are_content_with_every_pair() {
    let simulator = Simulator::start();
    let server = simulator.server().await;
    let mut command = node("matrix.test.mjs");
    command.env("MORTISE_ROOT", format!("http://{}", server.client.address()));
    check(command).await;
}

/// One that nobody here wrote; it starts a server of its own.
#[tokio::test(flavor = "multi_thread")]
async fn an_independent_simulator_is_understood() {
    let mut command = node("aimock.test.mjs");
    command
        .env("MORTISE_PROGRAM", env!("CARGO_BIN_EXE_mortise"))
        .env("MORTISE_PLUGINS__CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-cache"));
    check(command).await;
}

fn node(tests: &str) -> Command {
    let node = root().join(".venv/bin/node");
    let folder = root().join("tests/sdk/js");
    assert!(node.exists() && folder.join("node_modules").exists(), "no node: run `make test`, which prepares it");
    let mut command = Command::new(node);
    command
        .args(["--test", "--test-reporter=tap", tests])
        .current_dir(folder)
        .env_remove("OPENAI_BASE_URL")
        .env_remove("OPENAI_API_KEY")
        .env_remove("ANTHROPIC_BASE_URL")
        .env_remove("ANTHROPIC_API_KEY")
        .env_remove("ANTHROPIC_AUTH_TOKEN");
    command
}

async fn check(command: Command) {
    let (success, text) = said(command).await;
    let well = success && text.contains("# fail 0") && text.contains("# skipped 0") && !text.contains("# pass 0");
    assert!(well, "\n{text}");
}
