//! Plugins that misbehave, one way each: each is stopped within its limit, is named, and costs nobody else anything.
//!
//! The guests stand in `tests/guests`; what each does stands in its first lines.

mod calls;
mod loading;
mod network;
mod resources;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::client::{Client, Reply};
use crate::harness::Server;
use crate::shape;

const CHAT: &str = "/api/v1/chat";

/// What the caller reads when a plugin has broken its contract or its limits.
const PLUGIN_FAULT: u16 = 502;

/// Any limit's overrun is noticed sooner, also on a loaded machine.
const SOON: Duration = Duration::from_secs(10);

/// A server with these guests, and `well` beside them.
async fn server(guests: &[&str], yaml: &str) -> Server {
    Server::configured(|home| {
        for name in guests.iter().chain(&["well"]) {
            std::fs::write(home.join(format!("plugins/{name}.wasm")), test_guests::get(name)).unwrap();
        }
        // With a vendor of its own, though nobody is there, a provider may be asked for any model.
        let entry = |name: &&str| format!("{name}: {{base_url: \"http://127.0.0.1:9\"}}");
        let names: Vec<String> = guests.iter().map(entry).collect();
        match yaml.contains("providers:") {
            true => yaml.to_owned(),
            false => format!("providers: {{well: {{}}, {}}}\n{yaml}\n", names.join(", ")),
        }
    })
    .await
}

fn asks(guest: &str, model: &str) -> Value {
    json!({"message": "x", "provider": guest, "model": model})
}

/// Asks the guest while others ask `well`; whatever becomes of the guest, they lose nothing.
async fn beside_others(server: &Server, guest: &str, model: &str) -> (Reply, Duration) {
    let mut others = JoinSet::new();
    for _ in 0..4 {
        others.spawn(well_without_end(server.client));
    }
    let before = Instant::now();
    let reply = server.client.post(CHAT, &asks(guest, model)).await;
    let passed = before.elapsed();
    assert!(passed < SOON, "{guest} went on for {passed:?}");
    let failed = others.try_join_next();
    assert!(failed.is_none(), "another caller's request failed beside {guest}: {failed:?}");
    others.abort_all();
    well(server.client).await;
    (reply, passed)
}

async fn well_without_end(client: Client) {
    loop {
        well(client).await;
    }
}

async fn well(client: Client) {
    let answer = client.post(CHAT, &asks("well", "any")).await;
    assert_eq!(answer.expect(200)["response"], "well 1.0.0");
}

/// Checks that the guest is stopped with an error that blames it and holds these words.
async fn stopped(server: &Server, guest: &str, model: &str, words: &[&str]) -> Duration {
    let (reply, passed) = beside_others(server, guest, model).await;
    blamed(&reply, guest, model, words);
    passed
}

#[track_caller]
fn blamed(reply: &Reply, guest: &str, model: &str, words: &[&str]) {
    let told = shape::native(reply, PLUGIN_FAULT, "PROVIDER_ERROR");
    let message = told["error"].as_str().unwrap();
    for word in words.iter().chain(&[guest]) {
        assert!(message.contains(word), "{guest} with the model {model:?}: no {word:?} in {message:?}");
    }
}

/// What `/api/v1/plugins` says of one plugin.
async fn status(server: &Server, id: &str) -> Value {
    let list = server.client.get("/api/v1/plugins").await.expect(200);
    let found = list["plugins"].as_array().unwrap().iter().find(|plugin| plugin["id"] == id);
    found.unwrap_or_else(|| panic!("no plugin {id}: {list}")).clone()
}
