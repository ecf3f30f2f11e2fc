//! Echo through the SDK's harness, which also holds every answer against the contract.

mod directives;
mod limits;
mod prompts;
mod schemas;
mod vectors;

use mortise_sdk::chat::{Message, Request, Tool};
use mortise_sdk::provider::{Error, Operation};
use mortise_sdk::testing::{Answer, Run};

use crate::client::Echo;

fn request(text: &str) -> Request {
    Request { streaming: true, ..Request::new("echo", vec![Message::user(text)]) }
}

/// A request with two tools.
fn with_tools(text: &str) -> Request {
    let parameters = r#"{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}"#;
    Request { tools: vec![Tool::new("weather", parameters), Tool::new("clock", "{}")], ..request(text) }
}

fn begin(request: Request) -> Run {
    Run::new::<Echo>(Operation::Chat(request), "{}")
}

fn answer(request: Request) -> Answer {
    let mut run = begin(request);
    run.wake_all();
    assert_eq!(run.error(), None);
    assert!(run.finished());
    run.answer()
}

fn said(text: &str) -> String {
    answer(request(text)).text
}

fn error(request: Request) -> Error {
    begin(request).error().expect("an error").clone()
}
