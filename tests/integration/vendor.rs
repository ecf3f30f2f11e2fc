//! The server in front of a vendor, well or badly spoken: in OpenAI's wire format, but for those with a file of their own.

mod addresses;
mod answers;
mod anthropic;
mod azure;
mod bedrock;
mod cancellation;
mod connections;
mod cuts;
mod errors;
mod gemini;
mod ollama;
mod presets;
mod pressure;
mod raw;
mod redirects;
mod requests;
mod responses;
mod round_trip;
mod splits;
mod timeouts;

use serde_json::{Value, json};

use crate::client::Request;

const PATH: &str = "/openai/v1/chat/completions";

/// What most tests ask, streamed or whole.
fn asks(stream: bool) -> Value {
    let mut body = json!({"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": "Hello!"}]});
    if stream {
        body["stream"] = json!(true);
        body["stream_options"] = json!({"include_usage": true});
    }
    body
}

fn request(stream: bool) -> Request {
    Request::new("POST", PATH).json(&asks(stream))
}

fn native(stream: bool) -> Request {
    let path = if stream { "/api/v1/chat/stream" } else { "/api/v1/chat" };
    Request::new("POST", path).json(&json!({"message": "Hello!", "model": "gpt-4o-mini", "provider": "openai"}))
}
