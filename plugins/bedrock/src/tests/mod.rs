//! What is written, what is read, and what happens when it goes wrong.

mod requests;
mod streams;

use mortise_sdk::chat::{Message, Request};
use mortise_sdk::provider::Operation;
use mortise_sdk::testing::Run;
use serde_json::Value;

use crate::client::Bedrock;

const MODEL: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

fn request(messages: Vec<Message>) -> Request {
    Request::new(MODEL, messages)
}

fn run(request: Request) -> Run {
    Run::new::<Bedrock>(Operation::Chat(request), "{}")
}

/// The body that is sent for a request.
fn written(request: Request) -> Value {
    run(request).sent_json()
}

/// The sentence with which a request is refused before anything is sent.
fn refused(request: Request) -> String {
    run(request).error().unwrap().message.clone()
}
