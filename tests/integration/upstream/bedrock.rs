//! What Bedrock says: bodies of its Converse API, and messages of AWS's event stream.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use serde_json::{Value, json};

use super::Answer;

/// A whole answer.
pub fn converse(content: Value, stop: &str) -> Answer {
    Answer::json(&json!({
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": stop,
        "usage": {"inputTokens": 9, "outputTokens": 12, "totalTokens": 21},
        "metrics": {"latencyMs": 100},
    }))
}

/// One message of a stream.
pub fn event(name: &str, payload: &Value) -> Vec<u8> {
    let text = |value: &str| HeaderValue::String(value.to_owned().into());
    let message = Message::new(payload.to_string().into_bytes())
        .add_header(Header::new(":event-type", text(name)))
        .add_header(Header::new(":content-type", text("application/json")))
        .add_header(Header::new(":message-type", text("event")));
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}

/// A whole stream that says `words`.
pub fn words(words: &[&str]) -> Vec<Vec<u8>> {
    let delta = |text: &&str| event("contentBlockDelta", &json!({"contentBlockIndex": 0, "delta": {"text": text}}));
    let mut events = vec![event("messageStart", &json!({"role": "assistant"}))];
    events.extend(words.iter().map(delta));
    events.extend([
        event("contentBlockStop", &json!({"contentBlockIndex": 0})),
        event("messageStop", &json!({"stopReason": "end_turn"})),
        event(
            "metadata",
            &json!({"usage": {"inputTokens": 9, "outputTokens": 12, "totalTokens": 21}, "metrics": {"latencyMs": 1}}),
        ),
    ]);
    events
}

/// A stream of these messages.
pub fn stream(events: &[Vec<u8>]) -> Answer {
    Answer::body(200, "application/vnd.amazon.eventstream", events.concat())
}
