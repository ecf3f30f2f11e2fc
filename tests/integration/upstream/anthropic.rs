//! What the vendor says: bodies, events and errors in Anthropic's wire format.

use serde_json::{Value, json};

use super::Answer;

pub const MODEL: &str = "claude-sonnet-4-5-20250929";
const ID: &str = "msg_01XFDUDYJgAACzvnptvVoYEL";

pub fn sse(events: &[Value]) -> String {
    let event = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    events.iter().map(event).collect()
}

/// A whole stream of these events.
pub fn stream(events: &[Value]) -> Answer {
    Answer::text(sse(events))
}

/// The vendor's refusal.
pub fn refusal(status: u16, kind: &str, message: &str) -> Answer {
    Answer::body(status, "application/json", failure(kind, message).to_string())
}

/// An error, as a body or as an event.
pub fn failure(kind: &str, message: &str) -> Value {
    json!({
        "type": "error", "error": {"type": kind, "message": message, "details": null},
        "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy",
    })
}

/// A whole answer. Of what was read, 100 tokens came from the vendor's cache and 20 went there.
pub fn message(content: Value, stop_reason: &str) -> Value {
    json!({
        "id": ID, "type": "message", "role": "assistant", "model": MODEL, "content": content,
        "stop_reason": stop_reason, "stop_sequence": null, "stop_details": null,
        "usage": {
            "input_tokens": 9, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 100, "output_tokens": 12,
            "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 0}, "service_tier": "standard",
        },
    })
}

pub fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

pub fn tool_use(id: &str, name: &str, input: Value) -> Value {
    json!({"type": "tool_use", "id": id, "name": name, "input": input, "caller": {"type": "direct"}})
}

pub fn opening() -> Value {
    let mut message = message(json!([]), "");
    message["stop_reason"] = Value::Null;
    message["usage"]["output_tokens"] = json!(1);
    json!({"type": "message_start", "message": message})
}

/// A block, from its beginning to its end.
pub fn block(index: u32, begin: Value, pieces: &[Value]) -> Vec<Value> {
    let mut events = vec![json!({"type": "content_block_start", "index": index, "content_block": begin})];
    events.extend(pieces.iter().map(|delta| json!({"type": "content_block_delta", "index": index, "delta": delta})));
    events.push(json!({"type": "content_block_stop", "index": index}));
    events
}

pub fn words(index: u32, words: &[&str]) -> Vec<Value> {
    let pieces: Vec<_> = words.iter().map(|word| json!({"type": "text_delta", "text": word})).collect();
    block(index, text(""), &pieces)
}

pub fn thoughts(index: u32, words: &[&str], signature: &str) -> Vec<Value> {
    let mut pieces: Vec<_> = words.iter().map(|word| json!({"type": "thinking_delta", "thinking": word})).collect();
    pieces.push(json!({"type": "signature_delta", "signature": signature}));
    block(index, json!({"type": "thinking", "thinking": "", "signature": ""}), &pieces)
}

pub fn call(index: u32, id: &str, name: &str, pieces: &[&str]) -> Vec<Value> {
    let pieces: Vec<_> =
        pieces.iter().map(|piece| json!({"type": "input_json_delta", "partial_json": piece})).collect();
    block(index, tool_use(id, name, json!({})), &pieces)
}

pub fn closing(stop_reason: &str) -> Vec<Value> {
    let delta = json!({"stop_reason": stop_reason, "stop_sequence": null, "stop_details": null});
    vec![
        json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 12}}),
        json!({"type": "message_stop"}),
    ]
}

/// A whole streamed answer of these blocks.
pub fn answer(blocks: &[Vec<Value>], stop_reason: &str) -> Vec<Value> {
    let mut events = vec![opening(), json!({"type": "ping"})];
    events.extend(blocks.concat());
    events.extend(closing(stop_reason));
    events
}
