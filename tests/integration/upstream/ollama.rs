//! What the vendor says: answers and lines in Ollama's own wire format.

use serde_json::{Value, json};

use super::Answer;

pub const MODEL: &str = "qwen3:8b";

fn line(message: Value, done: bool) -> Value {
    json!({"model": MODEL, "created_at": "2026-01-01T00:00:00.123456789Z", "message": message, "done": done})
}

/// A piece of an answer.
pub fn piece(field: &str, value: Value) -> Value {
    let mut message = json!({"role": "assistant", "content": ""});
    message[field] = value;
    line(message, false)
}

pub fn word(text: &str) -> Value {
    piece("content", json!(text))
}

/// The line that ends an answer, or all of one that comes whole.
pub fn last(text: &str) -> Value {
    let mut last = line(json!({"role": "assistant", "content": text}), true);
    let counts = [("prompt_eval_count", 9), ("eval_count", 12), ("total_duration", 4_883_583_458_u64)];
    last["done_reason"] = json!("stop");
    counts.into_iter().for_each(|(name, count)| last[name] = json!(count));
    last
}

/// A call, which has no id.
pub fn call(name: &str, arguments: Value) -> Value {
    json!({"function": {"name": name, "arguments": arguments}})
}

pub fn stream(lines: &[Value]) -> Answer {
    Answer::lines(lines.iter().map(|line| format!("{line}\n")).collect::<String>())
}
