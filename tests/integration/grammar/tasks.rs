//! Streams of what happens in a task: numbers without a gap, and an end that is one.

use serde_json::Value;

use super::{Event, ensure, is_timestamp, text};

const OVER: [&str; 4] = ["completed", "failed", "stopped", "interrupted"];

/// What was said, and how the task ended; nothing where the stream was cut short.
pub(super) fn read(events: &[Event]) -> Result<(String, Option<String>), String> {
    let (mut said, mut end, mut newest) = (String::new(), None, None);
    for event in events {
        let data: Value = serde_json::from_str(&event.data).map_err(|error| error.to_string())?;
        let kind = text(&data, "type")?;
        ensure(event.name.as_deref() == Some(kind), format!("{:?} is called {kind}", event.name))?;
        ensure(is_timestamp(text(&data, "timestamp")?), format!("no time in {data}"))?;
        ensure(end.is_none(), format!("after the end comes {data}"))?;
        match (data["sequence"].as_u64(), newest) {
            (Some(number), Some(before)) => ensure(number == before + 1, format!("{number} follows {before}"))?,
            (Some(number), None) => ensure(number > 0, "numbers begin with 1")?,
            (None, _) => ensure(kind == "behind", format!("no number in {data}"))?,
        }
        newest = data["sequence"].as_u64().or(newest);
        match kind {
            "token" => said.push_str(text(&data, "content")?),
            "tool_call" => ensure(data.get("input").is_some() && data["tool"].is_string(), format!("{data}"))?,
            "tool_result" => ensure(data["output"].is_string() && data["success"].is_boolean(), format!("{data}"))?,
            "plan_update" => ensure(data["plan"]["steps"].is_array(), format!("{data}"))?,
            "error" => ensure(data["error"].is_string() && data["code"].is_string(), format!("{data}"))?,
            "status" => end = OVER.contains(&text(&data, "status")?).then(|| data["status"].to_string()),
            "thinking" | "approval_requested" | "approval_resolved" | "input" | "behind" => {}
            other => return Err(format!("nobody knows `{other}`")),
        }
    }
    Ok((said, end))
}

#[cfg(test)]
mod tests {
    use super::super::written;
    use super::*;

    #[test]
    fn gaps_and_words_after_the_end_are_seen() {
        let time = r#""timestamp":"2026-01-01T00:00:00Z""#;
        let token = |number: u64| format!(r#"token|{{"type":"token","content":"a","sequence":{number},{time}}}"#);
        let end = |number: u64| {
            format!(r#"status|{{"type":"status","status":"stopped","message":"","sequence":{number},{time}}}"#)
        };
        let check = |lines: &[String]| read(&written(&lines.iter().map(String::as_str).collect::<Vec<_>>()));
        assert_eq!(check(&[token(3), token(4), end(5)]).unwrap().0, "aa");
        assert!(check(&[token(3), token(5)]).is_err());
        assert!(check(&[end(1), token(2)]).is_err());
        assert!(check(&[format!(r#"status|{{"type":"token","content":"a","sequence":1,{time}}}"#)]).is_err());
    }
}
