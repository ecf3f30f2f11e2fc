//! Everything under `/anthropic/v1`, as the vendor's API is documented.

mod count_tokens;
mod messages;
mod models;
mod round_trip;
mod stream;
mod tools;
mod upstream;

use serde_json::{Value, json};

use crate::client::Request;

const PATH: &str = "/anthropic/v1/messages";

/// Where SDKs land whose base URL ends in `/v1` already.
const DOUBLED: &str = "/anthropic/v1/v1/messages";

fn asks(text: &str) -> Value {
    json!({"model": "claude", "max_tokens": 1000, "messages": [{"role": "user", "content": text}]})
}

/// A tool without parameters.
fn tool(name: &str) -> Value {
    json!({"name": name, "description": "A tool.", "input_schema": {"type": "object"}})
}

fn streamed(mut body: Value) -> Request {
    body["stream"] = json!(true);
    Request::new("POST", PATH).json(&body)
}
