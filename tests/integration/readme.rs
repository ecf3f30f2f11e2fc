//! The plugin that the README shows, word for word: built, dropped into the directory of a server that runs, and asked.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::harness::Server;
use crate::patience::until;

/// The README's block that begins with this comment.
fn block(first: &str) -> String {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once(first).unwrap_or_else(|| panic!("the README has no block {first:?}"));
    let (block, _) = rest.split_once("```").unwrap();
    format!("{first}{block}")
}

/// The README's plugin as a component.
fn build(folder: &Path) -> PathBuf {
    let root = env!("CARGO_MANIFEST_DIR");
    let manifest = block("# Cargo.toml").replace("/path/to/mortise", root);
    // A plugin of a stranger belongs to no workspace of ours.
    std::fs::write(folder.join("Cargo.toml"), format!("{manifest}\n[workspace]\n")).unwrap();
    std::fs::write(folder.join("plugin.toml"), block("# plugin.toml")).unwrap();
    std::fs::create_dir(folder.join("src")).unwrap();
    std::fs::write(folder.join("src/lib.rs"), block("//! src/lib.rs")).unwrap();
    let options = mortise_build::Options {
        crates: vec![folder.to_owned()],
        // The standard library may have to be compiled: once is enough.
        target_dir: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("guests")),
        components: Some(folder.join("components")),
        root: Some(root.into()),
    };
    mortise_build::build(&options).unwrap_or_else(|error| panic!("{error}")).remove(0).path
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readmes_plugin_is_built_and_dropped_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let component = tokio::task::spawn_blocking(move || build(&path)).await.unwrap();
    let lines = block("//! src/lib.rs").lines().count();
    assert!(lines <= 30, "the README's provider has {lines} lines");

    let server = Server::echo().await;
    std::fs::copy(component, server.plugins().join("vendor.wasm")).unwrap();
    let plugin = until("the plugin to be ready", async || {
        let plugins = server.client.get("/api/v1/plugins").await.json();
        let plugins = plugins["plugins"].as_array().unwrap().clone();
        plugins.into_iter().find(|plugin| plugin["id"] == "vendor")
    })
    .await;
    assert_eq!(plugin["state"], "ready", "{plugin}");
    assert_eq!(plugin["grants"]["hosts"], json!([]));
    // It has no rights yet, and the answer says which it would need and where to give them.
    let answer = server.client.post("/api/v1/chat", &json!({"message": "hello", "provider": "vendor"})).await;
    let error = answer.expect(503)["error"].as_str().unwrap().to_owned();
    assert!(error.contains("plugins.grants.vendor.hosts"), "{error}");
}
