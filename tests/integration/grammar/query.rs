//! A question's stream in a session: `start`, then tokens, thoughts and calls, then `end` with the whole answer.

use serde_json::Value;

use super::{Fault, ensure, exactly, is_timestamp, text};
use crate::client::Event;

pub(super) fn read(events: &[Event]) -> Fault {
    let (mut tokens, mut said, mut failed, mut ended) = (0, String::new(), false, false);
    for (number, event) in events.iter().enumerate() {
        let data: Value = serde_json::from_str(&event.data).map_err(|error| format!("no JSON: {error}"))?;
        let kind = text(&data, "type")?;
        ensure(event.name.as_deref() == Some(kind), format!("the event {:?} is of type `{kind}`", event.name))?;
        ensure((number == 0) == (kind == "start"), "`start` is the first event and no other")?;
        ensure(!ended && (!failed || kind == "end"), "nothing follows `end`, and only `end` follows `error`")?;
        match kind {
            "start" => {
                exactly(&data, &["type", "request_id", "session_id", "timestamp"])?;
                ensure(is_timestamp(text(&data, "timestamp")?), "the timestamp is not RFC 3339")?;
            }
            "token" => {
                exactly(&data, &["type", "content", "index"])?;
                ensure(data["index"] == tokens, format!("token {tokens} has the index {}", data["index"]))?;
                tokens += 1;
                said += text(&data, "content")?;
            }
            "thinking" => exactly(&data, &["type", "content"])?,
            // What is said before a tool is used is a message of its own.
            "tool_call" => {
                exactly(&data, &["type", "tool_name", "tool_input"])?;
                said.clear();
            }
            "tool_result" => exactly(&data, &["type", "tool_name", "result", "success"])?,
            "error" => {
                exactly(&data, &["type", "error", "error_code"])?;
                failed = true;
            }
            "end" => {
                exactly(&data, &["type", "request_id", "timestamp", "response"])?;
                ensure(failed == data["response"].is_null(), "there is an answer, or why there is none")?;
                let whole = failed || data["response"]["content"]["text"] == *said;
                ensure(whole, "the answer is not what its pieces say")?;
                ended = true;
            }
            other => return Err(format!("an event of type `{other}`")),
        }
    }
    ensure(ended, "the stream has no `end`")
}
