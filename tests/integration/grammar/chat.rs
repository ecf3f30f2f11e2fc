//! The native chat stream: `start`, then tokens and tool events, then `end`; a failure stands before the `end`.

use serde_json::Value;

use super::{ensure, exactly, is_timestamp, text};
use crate::client::Event;

/// What a stream told.
#[derive(Debug, Default)]
pub struct Told {
    pub request_id: String,
    pub text: String,
    pub thinking: String,
    /// Why the answer is not simply complete.
    pub stop_reason: Option<String>,
    /// Tool and arguments.
    pub calls: Vec<(String, Value)>,
    /// Tool result events, whole.
    pub results: Vec<Value>,
    /// The failure, whole.
    pub error: Option<Value>,
}

pub(super) fn read(events: &[Event]) -> Result<Told, String> {
    let mut told = Told::default();
    let (mut tokens, mut ended) = (0, false);
    for (number, event) in events.iter().enumerate() {
        let data: Value = serde_json::from_str(&event.data).map_err(|error| format!("no JSON: {error}"))?;
        let kind = text(&data, "type")?;
        ensure(event.name.as_deref() == Some(kind), format!("the event {:?} is of type `{kind}`", event.name))?;
        ensure((number == 0) == (kind == "start"), "`start` is the first event and no other")?;
        ensure(!ended, "nothing follows `end`")?;
        ensure(told.error.is_none() || kind == "end", "only `end` follows `error`")?;
        match kind {
            "start" => {
                exactly(&data, &["type", "request_id", "timestamp"])?;
                told.request_id = text(&data, "request_id")?.into();
                ensure(told.request_id.starts_with("req-"), "a request's id begins with `req-`")?;
                ensure(is_timestamp(text(&data, "timestamp")?), "the timestamp is not RFC 3339")?;
            }
            "token" => {
                exactly(&data, &["type", "content", "index"])?;
                let content = text(&data, "content")?;
                ensure(!content.is_empty(), "a token is never empty")?;
                ensure(data["index"] == tokens, format!("token {tokens} has the index {}", data["index"]))?;
                tokens += 1;
                told.text += content;
            }
            "tool_call" => {
                ensure(data["arguments"].is_object(), "a tool's arguments are an object")?;
                told.calls.push((text(&data, "tool")?.into(), data["arguments"].clone()));
            }
            "tool_result" => told.results.push(data),
            "error" => {
                ensure(!text(&data, "error")?.is_empty(), "a failure has a message")?;
                let code = text(&data, "error_code")?;
                ensure(code.chars().all(|c| c.is_ascii_uppercase() || c == '_'), format!("no error code: `{code}`"))?;
                told.error = Some(data);
            }
            // No part of the answer, and so without an index.
            "thinking" => {
                exactly(&data, &["type", "content"])?;
                told.thinking += text(&data, "content")?;
            }
            "end" => {
                let cut = data.get("stop_reason").map(|_| "stop_reason");
                exactly(&data, &["type", "request_id", "timestamp"].into_iter().chain(cut).collect::<Vec<_>>())?;
                told.stop_reason = data["stop_reason"].as_str().map(str::to_owned);
                ensure(data["request_id"] == *told.request_id, "`end` tells the id of `start`")?;
                ensure(is_timestamp(text(&data, "timestamp")?), "the timestamp is not RFC 3339")?;
                ended = true;
            }
            other => return Err(format!("no such event: `{other}`")),
        }
    }
    ensure(ended, "the stream ends without `end`")?;
    Ok(told)
}

#[test]
fn a_good_stream_is_read() {
    let start = r#"start|{"type":"start","request_id":"req-1","timestamp":"2025-01-07T10:30:00Z"}"#;
    let token = r#"token|{"type":"token","content":"def","index":0}"#;
    let call = r#"tool_call|{"type":"tool_call","tool":"write_file","arguments":{"path":"sort.py"}}"#;
    let error = r#"error|{"type":"error","error":"gone","error_code":"PROVIDER_ERROR"}"#;
    let end = r#"end|{"type":"end","request_id":"req-1","timestamp":"2025-01-07T10:30:05Z"}"#;
    let read = |lines: &[&str]| read(&super::written(lines));
    let told = read(&[start, token, call, end]).unwrap();
    assert_eq!((told.text.as_str(), told.calls.len(), told.error), ("def", 1, None));
    assert!(read(&[start, token, error, end]).unwrap().error.is_some());

    let second = &token.replace(":0", ":1");
    assert!(read(&[start, token, second, end]).is_ok());
    let bare = r#"{"type":"token","content":"def","index":0}"#;
    let bad: &[&[&str]] = &[
        &[],
        &[start],
        &[token, end],
        &[start, end, token],
        &[start, end, end],
        &[start, start, end],
        &[start, second, end],
        &[start, token, token, end],
        &[start, error],
        &[start, error, token, end],
        &[start, bare, end],
        &[start, &token.replace("token|", "text|"), end],
        &[start, &token.replace("def", ""), end],
        &[start, &call.replace(r#"{"path":"sort.py"}"#, r#""{}""#), end],
        &[start, &error.replace("PROVIDER_ERROR", "oops"), end],
        &[start, token, &end.replace("req-1", "req-2")],
        &[&start.replace("T10", " 10"), token, end],
        &[start, token, end, "[DONE]"],
    ];
    for lines in bad {
        assert!(read(lines).is_err(), "{lines:?}");
    }
}
