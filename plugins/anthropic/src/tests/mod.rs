//! The provider as the host drives it: requests as they go out, answers in the vendor's documented format.

mod answers;
mod describe;
mod media;
mod models;
mod options;
mod raw;
mod splits;
mod streams;
mod thinking;
mod tools;
mod trees;
mod turns;

use mortise_sdk::chat::{Message, Part, Request, Role, ToolCall};
use mortise_sdk::provider::{Error, Operation};
use mortise_sdk::testing::Run;
use serde_json::{Value, json};

use crate::client::Anthropic;

const MODEL: &str = "claude-sonnet-4-5";

fn run(request: Request) -> Run {
    Run::new::<Anthropic>(Operation::Chat(request), "{}")
}

/// A request that says this, from a caller of OpenAI's dialect.
fn asks(messages: Vec<Message>) -> Request {
    Request { dialect: Some("openai".into()), ..Request::new(MODEL, messages) }
}

fn hello() -> Request {
    asks(vec![Message::user("hello")])
}

/// What goes out, but for what every request has.
fn sent(request: Request) -> Value {
    let (model, limit) = (request.model.clone(), request.max_tokens);
    let mut body = run(request).sent_json();
    let members = body.as_object_mut().unwrap();
    assert_eq!(members.remove("model"), Some(json!(model)));
    let written = members.remove("max_tokens");
    assert!(limit.is_none_or(|limit| written == Some(json!(limit))), "{written:?}");
    body
}

/// What goes out of a request that says this.
fn said(messages: Vec<Message>) -> Value {
    sent(asks(messages))
}

/// Why nothing goes out.
fn refused(request: Request) -> Error {
    let run = run(request);
    assert_eq!(run.requests(), 0);
    run.error().unwrap().clone()
}

fn assistant(parts: Vec<Part>) -> Message {
    Message::new(Role::Assistant, parts)
}

fn text(text: &str) -> Part {
    Part::Text(text.into())
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::Call(ToolCall { id: id.into(), name: name.into(), arguments: arguments.into(), extra: Vec::new() })
}

/// A call in the vendor's form.
fn tool_use(id: &str, name: &str, input: Value) -> Value {
    json!({"type": "tool_use", "id": id, "name": name, "input": input})
}

fn tool_result(id: &str, content: &str) -> Value {
    json!({"type": "tool_result", "tool_use_id": id, "content": content})
}
