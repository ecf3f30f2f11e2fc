//! What each form of stream must look like, whoever wrote it: a checker for each, run on every stream of every test.

mod anthropic;
mod chat;
mod openai;
mod query;
mod responses;
mod tasks;

use serde_json::Value;

use crate::client::Event;
pub use anthropic::Message;
pub use chat::Told;
pub use openai::Said;
pub use responses::Answered;

type Fault = Result<(), String>;

/// Checks a stream of `/chat/completions`. `usage`: the caller asked for it.
#[track_caller]
pub fn openai(events: &[Event], usage: bool) -> Said {
    openai::read(events, usage).unwrap_or_else(|fault| panic!("{fault}\n{events:#?}"))
}

/// Checks a stream of `/anthropic/v1/messages`.
#[track_caller]
pub fn anthropic(events: &[Event]) -> Message {
    anthropic::read(events).unwrap_or_else(|fault| panic!("{fault}\n{events:#?}"))
}

/// Checks a stream of `/api/v1/chat/stream`.
#[track_caller]
pub fn chat(events: &[Event]) -> Told {
    chat::read(events).unwrap_or_else(|fault| panic!("{fault}\n{events:#?}"))
}

/// Checks a stream of `/responses`.
#[track_caller]
pub fn responses(events: &[Event]) -> Answered {
    responses::read(events).unwrap_or_else(|fault| panic!("{fault}\n{events:#?}"))
}

/// Checks a stream of the server's, by what was asked for. The client and whoever else reads streams calls it on every one of
/// them, so that none goes unseen; a path without a checker is a fault too.
#[track_caller]
pub fn check(path: &str, asked: &[u8], events: &[Event]) {
    if let Err(fault) = any(path, asked, events) {
        panic!("{path}: {fault}\n{events:#?}");
    }
}

fn any(path: &str, asked: &[u8], events: &[Event]) -> Fault {
    let path = path.split('?').next().unwrap_or_default();
    let ends = |end: &str| path.ends_with(end);
    if ends("/chat/completions") {
        let asked = serde_json::from_slice::<Value>(asked).unwrap_or_default();
        let usage = asked["stream_options"]["include_usage"] == true;
        match openai::read(events, usage) {
            // What no vendor counted is told to nobody.
            Err(_) if usage && openai::read(events, false).is_ok() => Ok(()),
            outcome => outcome.map(drop),
        }
    } else if ends("/v1/messages") {
        anthropic::read(events).map(drop)
    } else if ends("/responses") {
        responses::read(events).map(drop)
    } else if path.starts_with("/api/v1/sessions/") && ends("/query") {
        query::read(events)
    } else if ends("/chat/stream") {
        chat::read(events).map(drop)
    } else if path.starts_with("/api/tasks/") && ends("/events") {
        tasks::read(events).map(drop)
    } else {
        Err("a stream that no checker knows; write one beside those of tests/integration/grammar/".into())
    }
}

fn ensure(holds: bool, fault: impl Into<String>) -> Fault {
    if holds { Ok(()) } else { Err(fault.into()) }
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, String> {
    value[name].as_str().ok_or_else(|| format!("`{name}` is no text in {value}"))
}

/// The fields of an object, which are these and no others.
fn exactly(value: &Value, names: &[&str]) -> Fault {
    let found: Vec<&String> = value.as_object().into_iter().flatten().map(|(name, _)| name).collect();
    let same = found.len() == names.len() && names.iter().all(|name| value.get(name).is_some());
    ensure(same, format!("the fields are {found:?}, not {names:?}"))
}

/// RFC 3339, in UTC, written with `Z`.
pub fn is_timestamp(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let fraction = shape.strip_prefix("0000-00-00T00:00:00").and_then(|rest| rest.strip_suffix('Z'));
    let fraction =
        fraction.map(|rest| rest.is_empty() || rest.starts_with(".0") && rest[1..].chars().all(|c| c == '0'));
    let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().unwrap_or_default();
    fraction == Some(true)
        && (1..=12).contains(&number(5..7))
        && (1..=31).contains(&number(8..10))
        && number(11..13) < 24
        && number(14..16) < 60
        && number(17..19) <= 60
}

#[test]
fn timestamps_are_checked() {
    assert!(["2025-01-07T10:30:00Z", "2025-12-31T23:59:60.123456Z"].into_iter().all(is_timestamp));
    let bad = [
        "",
        "2025-01-07",
        "2025-01-07T10:30:00",
        "2025-01-07T10:30:00+01:00",
        "2025-13-07T10:30:00Z",
        "2025-01-07T10:30:00.Z",
    ];
    assert!(!bad.into_iter().any(is_timestamp));
}

#[test]
fn every_stream_has_its_checker() {
    let chat = written(&[
        r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"a"},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ]);
    let usage = br#"{"stream_options":{"include_usage":true}}"#;
    assert_eq!(any("/v1/chat/completions?a=b", b"{}", &chat), Ok(()));
    assert_eq!(any("/openai/v1/chat/completions", usage, &chat), Ok(()), "nobody counted");
    for path in ["/v1/chat/completions", "/anthropic/v1/messages", "/v1/responses", "/api/v1/chat/stream", "/elsewhere"]
    {
        assert!(any(path, usage, &chat[1..]).is_err(), "{path}");
    }
}

/// Events as a test writes them: `name|data`, or data alone.
#[cfg(test)]
fn written(lines: &[&str]) -> Vec<Event> {
    let event = |line: &&str| match line.split_once('|') {
        Some((name, data)) => Event { name: Some(name.into()), data: data.into() },
        None => Event { name: None, data: (*line).into() },
    };
    lines.iter().map(event).collect()
}
