//! What the sandbox costs a tool: one call of a guest that adds two numbers, warm and fresh, with a workspace and without.
//!
//! `cargo bench --bench tool`; it prints, it judges nothing. What it is measured by: a warm call within 50 µs, a fresh one within
//! 150 µs, over the work itself.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench takes the time, prints, and has nobody to tell what went wrong"
)]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mortise::config::Config;
use mortise::plugin::wasm::{Loader, Sandbox};
use mortise::plugin::{Tool, ToolCall};

fn call(workspace: Option<&Path>) -> ToolCall {
    ToolCall {
        name: "add".into(),
        arguments: r#"{"a":2,"b":3}"#.into(),
        session: None,
        run: None,
        call: "call-1".into(),
        principal: "bench".into(),
        workspace: workspace.map(Path::to_owned),
        progress: None,
    }
}

/// The median of many batches: a shared machine makes the mean a tale of its neighbours.
async fn median(tool: &dyn Tool, workspace: Option<&Path>) -> Duration {
    let began = Instant::now();
    let mut batches = Vec::new();
    while began.elapsed() < Duration::from_secs(2) {
        let batch = Instant::now();
        for _ in 0..20 {
            black_box(tool.call(call(workspace)).await.unwrap().unwrap());
        }
        batches.push(batch.elapsed() / 20);
    }
    batches.sort();
    batches[batches.len() / 2]
}

#[tokio::main]
async fn main() {
    let home = std::env::temp_dir().join("mortise-bench-tool");
    let (plugins, workspace) = (home.join("plugins"), home.join("workspace"));
    std::fs::create_dir_all(&plugins).unwrap();
    std::fs::create_dir_all(&workspace).unwrap();
    std::fs::write(plugins.join("tool-well.wasm"), test_guests::get("tool-well")).unwrap();
    println!("{:<42} {:>12}", "tool-well, add", "measured");
    for (isolation, name) in [("warm", "warm"), ("fresh", "fresh")] {
        let yaml =
            format!("plugins: {{grants: {{tool-well: {{workspace: read-write, kv: true, isolation: {isolation}}}}}}}");
        let mut config = Config::from_yaml(&yaml).unwrap().plugins;
        (config.directory, config.cache) = (plugins.clone(), home.join("cache"));
        let loader = Loader::load(Sandbox::new(&config).unwrap(), config, &[]).await.unwrap();
        let snapshot = loader.catalog().snapshot();
        let tool: Arc<dyn Tool> = snapshot.published("tool-well").unwrap().tool().unwrap().clone();
        for (place, path) in [("", None), (" with a workspace", Some(workspace.as_path()))] {
            let took = median(&*tool, path).await;
            println!("{:<42} {:>9.1} µs", format!("call, {name}{place}"), took.as_nanos() as f64 / 1000.0);
        }
    }
}
