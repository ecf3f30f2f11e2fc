//! The vendors' own SDKs against the server: `tests/sdk`, with the Python that `make test` prepares.

use std::path::Path;
use std::process::Command;

use crate::harness::Server;
use crate::simulator::Simulator;

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

// Every dialect in front of every provider, a few at a time.

#[tokio::test(flavor = "multi_thread")]
async fn words_through_every_pair() {
    matrix("test_matrix_words.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_and_thoughts_through_every_pair() {
    matrix("test_matrix_tools.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn corners_of_every_pair() {
    matrix("test_matrix_corners.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn images_and_documents_through_every_pair() {
    matrix("test_matrix_media.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_through_every_pair() {
    matrix("test_matrix_errors.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn models_embeddings_and_counts_of_every_provider() {
    matrix("test_matrix_lists.py").await;
}

async fn matrix(tests: &str) {
    let simulator = Simulator::start();
    let server = simulator.server().await;
    run(&[tests], format!("http://{}", server.client.address())).await;
}

async fn run(tests: &[&str], base_url: String) {
    let mut command = python();
    command
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .args(tests)
        .current_dir(root().join("tests/sdk"))
        .env("MORTISE_BASE_URL", &base_url)
        .env("MORTISE_ROOT", &base_url)
        .env_remove("OPENAI_BASE_URL")
        .env_remove("OPENAI_API_KEY")
        .env_remove("ANTHROPIC_BASE_URL")
        .env_remove("ANTHROPIC_API_KEY")
        .env_remove("ANTHROPIC_AUTH_TOKEN");
    let (success, text) = said(command).await;
    assert!(success, "\n{text}");
    assert!(text.contains(" passed") && !text.contains("skipped"), "\n{text}");
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The one that `make test` prepares.
pub fn python() -> Command {
    let python = root().join(".venv/bin/python");
    assert!(python.exists(), "no {}: run `make test`, which prepares it", python.display());
    let mut command = Command::new(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Every call in there has a time-out of its own.
pub async fn said(mut command: Command) -> (bool, String) {
    let run = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let (out, error) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    (run.status.success(), format!("{out}\n{error}"))
}
