//! Tools as callers meet them, and hostile ones.
//!
//! Each is contained, nobody else feels it, and the operator reads what happened and what would allow it.
//!
//! The guests stand in `tests/guests/tool-*`; what each does stands in its first lines.

mod calls;
mod files;
mod limits;
mod network;
mod programs;

use serde_json::{Value, json};

use crate::client::Reply;
use crate::harness::Server;
use crate::shape;

/// A server with these guests; `yaml` grants them what a test gives them.
async fn server(guests: &[&str], yaml: &str) -> Server {
    Server::configured(|home| {
        for name in guests {
            std::fs::write(home.join(format!("plugins/{name}.wasm")), test_guests::get(name)).unwrap();
        }
        format!("providers: {{echo: {{}}}}\n{yaml}\n")
    })
    .await
}

async fn call(server: &Server, tool: &str, arguments: Value) -> Reply {
    server.client.post(&format!("/api/v1/tools/{tool}/call"), &json!({"arguments": arguments})).await
}

/// What the tool answered.
async fn output(server: &Server, tool: &str, arguments: Value) -> String {
    let answer = call(server, tool, arguments).await.expect(200);
    answer["output"].as_str().unwrap().to_owned()
}

/// What the tool's failure says, which has this status and code.
async fn failure(server: &Server, tool: &str, arguments: Value, status: u16, code: &str) -> String {
    let reply = call(server, tool, arguments).await;
    let body = shape::native(&reply, status, code);
    body["error"].as_str().unwrap().to_owned()
}

/// What a tool was kept from: the caller reads the cure, and so does the operator.
async fn denied(server: &Server, guest: &str, tool: &str, arguments: Value, words: &[&str]) {
    let told = failure(server, tool, arguments.clone(), 403, "FORBIDDEN").await;
    let seen = plugin(server, guest).await;
    let shown = seen["last_denial"].as_str().unwrap_or_default();
    for word in words {
        assert!(told.contains(word), "{tool} {arguments}: {word:?} isn't in {told:?}");
        assert!(shown.contains(word), "{tool} {arguments}: {word:?} isn't in {shown:?}");
    }
}

async fn plugin(server: &Server, id: &str) -> Value {
    let list = server.client.get("/api/v1/plugins").await.expect(200);
    let plugins = list["plugins"].as_array().unwrap();
    plugins.iter().find(|plugin| plugin["id"] == id).unwrap_or_else(|| panic!("no {id} in {list}")).clone()
}
