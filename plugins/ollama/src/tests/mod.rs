//! Ollama through the SDK's harness, which also holds every answer against the contract.

mod answers;
mod messages;
mod others;
mod requests;
mod splits;

use mortise_sdk::chat::{Message, Part, Request, Role, ToolCall};
use mortise_sdk::provider::{Error, Operation};
use mortise_sdk::testing::{Answer, Run};
use serde_json::{Value, json};

use crate::client::Ollama;

fn request(messages: Vec<Message>) -> Request {
    Request::new("qwen3:8b", messages)
}

fn plain() -> Request {
    request(vec![Message::user("hi")])
}

fn begin(request: Request) -> Run {
    Run::new::<Ollama>(Operation::Chat(request), "{}")
}

fn body_with(request: Request, settings: &str) -> Value {
    Run::new::<Ollama>(Operation::Chat(request), settings).sent_json()
}

fn error(request: Request) -> Error {
    begin(request).error().expect("an error").clone()
}

/// A streamed exchange whose response has begun.
fn stream() -> Run {
    let mut run = begin(Request { streaming: true, ..plain() });
    run.head(200, &[("content-type", "application/x-ndjson")]);
    run
}

fn line(message: Value) -> Value {
    json!({"model": "qwen3:8b", "created_at": "2026-01-01T00:00:00.5Z", "message": message, "done": false})
}

fn last(reason: &str) -> Value {
    json!({
        "model": "qwen3:8b", "created_at": "2026-01-01T00:00:01Z", "message": {"role": "assistant", "content": ""},
        "done_reason": reason, "done": true, "total_duration": 5_000_000, "prompt_eval_count": 26, "eval_count": 298,
    })
}

fn lines(lines: &[Value]) -> Vec<u8> {
    lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect()
}

fn streamed(said: &[Value]) -> Answer {
    let mut run = stream();
    run.body(&lines(said));
    assert_eq!(run.error(), None);
    assert!(run.finished(), "although the body is not over");
    run.answer()
}

fn text(text: &str) -> Part {
    Part::Text(text.into())
}

fn assistant(parts: Vec<Part>) -> Message {
    Message::new(Role::Assistant, parts)
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::Call(ToolCall { id: id.into(), name: name.into(), arguments: arguments.into(), extra: Vec::new() })
}
