//! What `mortise plugin new` writes: it builds as it is, is dropped into the directory of a server that runs, and works.

use std::path::{Path, PathBuf};

use mortise_build::Kind;
use serde_json::{Value, json};

use crate::harness::Server;
use crate::patience::until;

/// A new plugin as a component.
fn build(kind: Kind, folder: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = folder.join(format!("new-{kind}"));
    mortise_build::skeleton(kind, &folder, Some(&root.join("sdk/rust"))).unwrap_or_else(|error| panic!("{error}"));
    let options = mortise_build::Options {
        crates: vec![folder.clone()],
        // What all guests are made of is compiled once.
        target_dir: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("guests")),
        components: Some(folder.join("components")),
        root: Some(root.into()),
    };
    mortise_build::build(&options).unwrap_or_else(|error| panic!("{error}")).remove(0).path
}

async fn dropped_in(kind: Kind) -> (Server, Value) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let component = tokio::task::spawn_blocking(move || build(kind, &path)).await.unwrap();
    let id = format!("new-{kind}");
    let server = Server::echo().await;
    std::fs::copy(component, server.plugins().join(format!("{id}.wasm"))).unwrap();
    let plugin = until("the plugin to be loaded", async || {
        let plugins = server.client.get("/api/v1/plugins").await.json();
        let plugins = plugins["plugins"].as_array().unwrap().clone();
        plugins.into_iter().find(|plugin| plugin["id"] == id.as_str())
    })
    .await;
    (server, plugin)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_provider_is_ready() {
    let (_server, plugin) = dropped_in(Kind::Provider).await;
    assert_eq!((&plugin["state"], &plugin["kind"]), (&json!("ready"), &json!("provider")), "{plugin}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_tool_can_be_called() {
    let (server, plugin) = dropped_in(Kind::Tool).await;
    assert_eq!((&plugin["state"], &plugin["kind"]), (&json!("ready"), &json!("tool")), "{plugin}");
    let answer =
        server.client.post("/api/v1/tools/greet/call", &json!({"arguments": {"name": "Ada"}})).await.expect(200);
    assert_eq!((&answer["output"], &answer["structured"]), (&json!("hello Ada"), &json!({"greeting": "hello Ada"})));
}
