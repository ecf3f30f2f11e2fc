//! The vendors' own SDKs against the server: `tests/sdk`, with the Python that `make test` prepares.

use std::path::Path;
use std::process::Command;

use crate::harness::Server;

#[tokio::test(flavor = "multi_thread")]
async fn the_openai_sdk_is_content_under_both_roots() {
    let server = Server::echo().await;
    for base in ["openai/v1", "v1"] {
        run(&["test_openai.py", "test_openai_responses.py"], format!("http://{}/{base}", server.client.address()))
            .await;
    }
}

/// The SDK puts `/v1` behind its base URL, also behind one that ends so already.
#[tokio::test(flavor = "multi_thread")]
async fn the_anthropic_sdk_is_content_under_both_roots() {
    let server = Server::echo().await;
    for base in ["anthropic", "anthropic/v1"] {
        run(&["test_anthropic.py"], format!("http://{}/{base}", server.client.address())).await;
    }
}

async fn run(tests: &'static [&'static str], base_url: String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join(".venv/bin/python");
    assert!(python.exists(), "no {}: run `make test`, which prepares it", python.display());
    let mut command = Command::new(python);
    command
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .args(tests)
        .current_dir(root.join("tests/sdk"))
        .env("MORTISE_BASE_URL", base_url)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env_remove("OPENAI_BASE_URL")
        .env_remove("OPENAI_API_KEY")
        .env_remove("ANTHROPIC_BASE_URL")
        .env_remove("ANTHROPIC_API_KEY")
        .env_remove("ANTHROPIC_AUTH_TOKEN");
    // Every call in there has a time-out of its own.
    let run = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let (out, error) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "\n{out}\n{error}");
    assert!(out.contains(" passed") && !out.contains("skipped"), "\n{out}");
}
