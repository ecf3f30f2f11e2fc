//! What each form of stream must look like, whoever wrote it: a checker for each, run on every stream of every test.

mod anthropic;
mod chat;
mod openai;
mod responses;

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

/// Events as a test writes them: `name|data`, or data alone.
#[cfg(test)]
fn written(lines: &[&str]) -> Vec<Event> {
    let event = |line: &&str| match line.split_once('|') {
        Some((name, data)) => Event { name: Some(name.into()), data: data.into() },
        None => Event { name: None, data: (*line).into() },
    };
    lines.iter().map(event).collect()
}
