//! What the vendor says: answers, chunks and errors in the wire format of Google's Generative Language API.

use serde_json::{Value, json};

use super::Answer;

pub const MODEL: &str = "gemini-3-flash-preview";

pub fn usage(input: u64, output: u64) -> Value {
    json!({
        "promptTokenCount": input, "candidatesTokenCount": output, "totalTokenCount": input + output,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": input}],
    })
}

/// An answer of these parts, or a piece of one.
pub fn said(parts: &[Value], finish: Option<&str>) -> Value {
    let mut candidate = json!({"content": {"parts": parts, "role": "model"}, "index": 0});
    if let Some(word) = finish {
        candidate["finishReason"] = json!(word);
    }
    json!({"candidates": [candidate], "usageMetadata": usage(9, 12), "modelVersion": MODEL, "responseId": "Up-1_x"})
}

pub fn text(text: &str) -> Value {
    json!({ "text": text })
}

/// A call as Gemini 3 writes it, signed but nameless to the world.
pub fn call(name: &str, arguments: Value, signature: Option<&str>) -> Value {
    let mut part = json!({"functionCall": {"name": name, "args": arguments}});
    if let Some(signature) = signature {
        part["thoughtSignature"] = json!(signature);
    }
    part
}

/// A whole stream: a chunk for each part, and the reason with the last.
pub fn stream(parts: &[Value]) -> Answer {
    let chunks = parts.iter().enumerate().map(|(at, part)| {
        let finish = (at + 1 == parts.len()).then_some("STOP");
        said(std::slice::from_ref(part), finish)
    });
    Answer::text(chunks.map(|chunk| format!("data: {chunk}\r\n\r\n")).collect::<String>())
}

pub fn error(status: u16, word: &str, message: &str, details: Value) -> Value {
    json!({"error": {"code": status, "message": message, "status": word, "details": details}})
}
