//! Sockets: who gets a connection, what it may do, and how it ends.

mod certificates;
mod connections;
mod drain;
mod health;
mod http2;
mod idle;
mod proxy_protocol;
mod takeover;
mod tls;
mod wire;

use serde_json::{Value, json};

use crate::client::Request;
use crate::upstream::openai::words;
use crate::upstream::{Answer, Gate};

/// A chat with the plugin that answers with what it was told.
fn body() -> Value {
    json!({"model": "openai/m", "messages": [{"role": "user", "content": "x"}], "stream": true})
}

fn request() -> Request {
    Request::new("POST", "/v1/chat/completions").json(&body())
}

/// A stream that says nothing more after its first word until the gate opens.
fn held(gate: &Gate) -> Answer {
    let answer = Answer::stream(&words(&["one ", "two"]));
    let at = answer.event(2);
    answer.pause(at, gate)
}
