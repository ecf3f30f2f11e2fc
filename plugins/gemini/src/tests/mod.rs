//! Gemini through the SDK's harness, which also holds every answer against the contract.

mod answers;
mod conversations;
mod messages;
mod others;
mod requests;
mod splits;
mod streams;
mod thinking;

use mortise_sdk::chat::{Field, Media, MediaSource, Message, Part, Request, Role, ToolCall};
use mortise_sdk::provider::{Error, Operation};
use mortise_sdk::testing::{Answer, Run};
use serde_json::Value;

use crate::client::Gemini;

/// A model of the generation that signs its calls.
const NEW: &str = "gemini-3-flash-preview";
/// One that doesn't.
const OLD: &str = "gemini-2.5-flash";

fn request(messages: Vec<Message>) -> Request {
    Request::new(OLD, messages)
}

fn plain() -> Request {
    request(vec![Message::user("hi")])
}

fn begin(request: Request) -> Run {
    Run::new::<Gemini>(Operation::Chat(request), "{}")
}

/// The body that a request becomes.
fn body(request: Request) -> Value {
    begin(request).sent_json()
}

fn error(request: Request) -> Error {
    begin(request).error().expect("an error").clone()
}

/// A streamed exchange whose response has begun.
fn stream() -> Run {
    stream_of(plain())
}

fn stream_of(request: Request) -> Run {
    let mut run = begin(Request { streaming: true, ..request });
    run.head(200, &[("content-type", "text/event-stream")]);
    run
}

fn events(chunks: &[Value]) -> Vec<u8> {
    chunks.iter().flat_map(|chunk| format!("data: {chunk}\r\n\r\n").into_bytes()).collect()
}

/// A whole stream that ends well.
fn streamed(chunks: &[Value]) -> Answer {
    let mut run = stream();
    run.body(&events(chunks)).end();
    assert_eq!(run.error(), None);
    assert!(run.finished());
    run.answer()
}

fn text(text: &str) -> Part {
    Part::Text(text.into())
}

fn user(parts: Vec<Part>) -> Message {
    Message::new(Role::User, parts)
}

fn assistant(parts: Vec<Part>) -> Message {
    Message::new(Role::Assistant, parts)
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::Call(ToolCall { id: id.into(), name: name.into(), arguments: arguments.into(), extra: Vec::new() })
}

fn signed(id: &str, name: &str, signature: &str) -> Part {
    let extra = vec![Field::new("extra_content", format!(r#"{{"google":{{"thought_signature":"{signature}"}}}}"#))];
    Part::Call(ToolCall { id: id.into(), name: name.into(), arguments: "{}".into(), extra })
}

fn media(mime: &str, source: MediaSource) -> Media {
    Media { mime: mime.into(), source, name: None, detail: None }
}
