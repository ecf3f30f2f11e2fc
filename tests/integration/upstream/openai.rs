//! What the vendor says: bodies, chunks and errors in OpenAI's wire format.

use serde_json::{Value, json};

pub const DONE: &str = "data: [DONE]\n\n";
pub const MODEL: &str = "gpt-4o-mini-2024-07-18";
const ID: &str = "chatcmpl-Upstream1";
const CREATED: u64 = 1_736_245_800;

pub fn sse(events: &[Value]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect()
}

pub fn error(kind: &str, message: &str) -> Value {
    json!({"error": {"message": message, "type": kind, "param": null, "code": kind}})
}

pub fn usage(input: u64, output: u64) -> Value {
    json!({
        "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    })
}

/// A tool call as it stands in a whole answer.
pub fn call(id: &str, name: &str, arguments: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
}

fn whole(message: Value, finish: &str) -> Value {
    json!({
        "id": ID, "object": "chat.completion", "created": CREATED, "model": MODEL,
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish}],
        "usage": usage(9, 12), "service_tier": "default", "system_fingerprint": "fp_1",
    })
}

pub fn completion(text: &str) -> Value {
    whole(json!({"role": "assistant", "content": text, "refusal": null}), "stop")
}

pub fn calling(calls: &[Value]) -> Value {
    whole(json!({"role": "assistant", "content": null, "tool_calls": calls}), "tool_calls")
}

fn chunk_of(choices: Value, usage: Value) -> Value {
    json!({
        "id": ID, "object": "chat.completion.chunk", "created": CREATED, "model": MODEL, "system_fingerprint": "fp_1",
        "choices": choices, "usage": usage,
    })
}

pub fn chunk(delta: Value, finish: Option<&str>) -> Value {
    chunk_of(json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]), Value::Null)
}

pub fn usage_chunk(input: u64, output: u64) -> Value {
    chunk_of(json!([]), usage(input, output))
}

pub fn opening() -> Value {
    chunk(json!({"role": "assistant", "content": "", "refusal": null}), None)
}

pub fn word(text: &str) -> Value {
    chunk(json!({"content": text}), None)
}

/// A whole streamed answer: role, words, finish reason, usage.
pub fn words(words: &[&str]) -> Vec<Value> {
    let mut events = vec![opening()];
    events.extend(words.iter().map(|text| word(text)));
    events.extend([chunk(json!({}), Some("stop")), usage_chunk(9, 12)]);
    events
}

/// The first delta of a streamed tool call.
pub fn call_begins(index: usize, id: &str, name: &str) -> Value {
    let call = json!({"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}});
    chunk(json!({"tool_calls": [call]}), None)
}

pub fn call_goes_on(index: usize, arguments: &str) -> Value {
    chunk(json!({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]}), None)
}

/// A whole streamed answer that ends in tool calls; `pieces` stand between the first delta and the finish reason.
pub fn calls(pieces: Vec<Value>) -> Vec<Value> {
    let mut events = vec![chunk(json!({"role": "assistant", "content": null}), None)];
    events.extend(pieces);
    events.extend([chunk(json!({}), Some("tool_calls")), usage_chunk(20, 15)]);
    events
}

pub fn models(ids: &[&str]) -> Value {
    let model = |id: &&str| json!({"id": id, "object": "model", "created": CREATED, "owned_by": "system"});
    json!({"object": "list", "data": ids.iter().map(model).collect::<Vec<_>>()})
}

pub fn embeddings(vectors: &[&[f32]]) -> Value {
    let vector =
        |(index, values): (usize, &&[f32])| json!({"object": "embedding", "index": index, "embedding": values});
    json!({
        "object": "list", "data": vectors.iter().enumerate().map(vector).collect::<Vec<_>>(),
        "model": "text-embedding-3-small", "usage": {"prompt_tokens": 5, "total_tokens": 5},
    })
}
