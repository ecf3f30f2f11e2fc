//! OpenAI's stream of chunks: role first, one finish reason, usage only if asked, `[DONE]` only after success.

use serde_json::Value;

use super::{ensure, text};
use crate::client::Event;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Call {
    pub id: String,
    pub name: String,
    pub arguments: String,
}

/// What a stream said.
#[derive(Clone, Debug, Default)]
pub struct Said {
    pub text: String,
    pub reasoning: String,
    pub calls: Vec<Call>,
    /// Thoughts with their signatures.
    pub details: Vec<Value>,
    pub annotations: Vec<Value>,
    pub finish: Option<String>,
    pub usage: Option<Value>,
    /// The failure that ended it.
    pub error: Option<Value>,
    pub model: String,
}

const REASONS: [&str; 5] = ["stop", "length", "tool_calls", "function_call", "content_filter"];

pub(super) fn read(events: &[Event], usage: bool) -> Result<Said, String> {
    let mut said = Said::default();
    let mut frame: Option<Value> = None;
    let mut done = false;
    for event in events {
        ensure(event.name.is_none(), format!("an event has the name {:?}", event.name))?;
        ensure(!done && said.error.is_none(), "nothing follows `[DONE]` or an error")?;
        if event.data == "[DONE]" {
            done = true;
            continue;
        }
        let chunk: Value = serde_json::from_str(&event.data).map_err(|error| format!("no JSON: {error}"))?;
        if let Some(error) = chunk.get("error") {
            ensure(frame.is_some(), "a failure before the first chunk has a status, not a stream")?;
            ensure(
                !text(error, "message")?.is_empty() && !text(error, "type")?.is_empty(),
                "an error says what it is",
            )?;
            said.error = Some(error.clone());
            continue;
        }
        let names = ["id", "object", "created", "model"];
        let own: Value = names.iter().map(|name| chunk[name].clone()).collect();
        ensure(chunk["object"] == "chat.completion.chunk", "a chunk says that it is one")?;
        ensure(!text(&chunk, "id")?.is_empty(), "an id is that of the vendor, or one of ours")?;
        ensure(chunk["created"].is_u64(), "`created` is in whole seconds")?;
        said.model = text(&chunk, "model")?.into();
        let first = frame.is_none();
        ensure(*frame.get_or_insert(own.clone()) == own, "id, created and model are the same in every chunk")?;
        ensure(said.usage.is_none(), "usage comes last")?;
        let choices = chunk["choices"].as_array().ok_or("`choices` is a list")?;
        match choices.as_slice() {
            [] => {
                ensure(usage, "usage comes only if asked")?;
                ensure(said.finish.is_some(), "usage comes after the finish reason")?;
                said.usage = Some(counted(&chunk["usage"])?);
            }
            [choice] => {
                ensure(chunk.get("usage").is_none_or(Value::is_null), "usage has a chunk of its own")?;
                read_choice(choice, first, &mut said)?;
            }
            _ => return Err("one choice a chunk".into()),
        }
    }
    if said.error.is_none() {
        ensure(done, "a good stream ends with `[DONE]`")?;
        let finish = said.finish.as_deref().ok_or("a good stream has a finish reason")?;
        ensure(said.usage.is_some() == usage, "usage comes if asked")?;
        let called = match said.calls.first() {
            None => "",
            Some(call) if call.id.is_empty() => "function_call",
            Some(_) => "tool_calls",
        };
        let fits = finish == called
            || (finish == "stop" && called.is_empty())
            || matches!(finish, "length" | "content_filter");
        ensure(fits, format!("{} calls, but the reason is `{finish}`", said.calls.len()))?;
    }
    Ok(said)
}

fn counted(usage: &Value) -> Result<Value, String> {
    let count = |name: &str| usage[name].as_u64().ok_or_else(|| format!("no `{name}` in {usage}"));
    let sum = count("prompt_tokens")? + count("completion_tokens")?;
    ensure(count("total_tokens")? == sum, format!("the total is not the sum: {usage}"))?;
    Ok(usage.clone())
}

fn read_choice(choice: &Value, first: bool, said: &mut Said) -> super::Fault {
    ensure(choice["index"] == 0, "the only choice has the index 0")?;
    let delta = choice["delta"].as_object().ok_or("`delta` is an object")?;
    ensure(said.finish.is_none(), "nothing follows the finish reason")?;
    let role = delta.get("role").and_then(Value::as_str);
    ensure(role == first.then_some("assistant"), format!("the role is {role:?} in a chunk that is first: {first}"))?;
    for (name, value) in delta {
        let piece = value.as_str();
        match name.as_str() {
            "role" => {}
            // What there is nothing of is null, or empty beside the role.
            "content" | "refusal" | "reasoning_content" if value.is_null() => {}
            "content" | "refusal" => said.text += piece.ok_or("text is text")?,
            "reasoning_content" => said.reasoning += piece.ok_or("text is text")?,
            "tool_calls" => {
                let calls = value.as_array().filter(|calls| !calls.is_empty()).ok_or("no calls, no `tool_calls`")?;
                calls.iter().try_for_each(|call| read_call(call, &mut said.calls))?;
            }
            "reasoning_details" => {
                let [detail] = value.as_array().map(Vec::as_slice).unwrap_or_default() else {
                    return Err("one detail a chunk".into());
                };
                ensure(detail["index"] == said.details.len(), "details are counted")?;
                said.details.push(detail.clone());
            }
            "annotations" => {
                ensure(said.annotations.is_empty(), "sources come once")?;
                said.annotations = value.as_array().filter(|list| !list.is_empty()).cloned().ok_or("no sources")?;
            }
            // For who offered `functions`: one call, and never beside `tool_calls`.
            "function_call" => {
                if said.calls.is_empty() {
                    let name = text(value, "name")?.to_owned();
                    said.calls.push(Call { name, ..Call::default() });
                } else {
                    ensure(said.calls[0].id.is_empty() && value.get("name").is_none(), "there is one function call")?;
                }
                said.calls[0].arguments += text(value, "arguments")?;
            }
            other => return Err(format!("no such field in a delta: `{other}`")),
        }
    }
    match &choice["finish_reason"] {
        Value::Null => ensure(choice.get("finish_reason").is_some(), "the finish reason is null until it is there"),
        Value::String(reason) if REASONS.contains(&reason.as_str()) => {
            said.finish = Some(reason.clone());
            Ok(())
        }
        other => Err(format!("no finish reason: {other}")),
    }
}

fn read_call(piece: &Value, calls: &mut Vec<Call>) -> super::Fault {
    let index = piece["index"].as_u64().and_then(|index| usize::try_from(index).ok()).ok_or("a call has an index")?;
    // A tool of free text has its own words.
    let (kind, given) = if piece.get("custom").is_some() { ("custom", "input") } else { ("function", "arguments") };
    let function = &piece[kind];
    ensure(index <= calls.len(), format!("call {index} comes after call {}", calls.len()))?;
    if index == calls.len() {
        ensure(piece["type"] == kind, "a call says what it is")?;
        let call =
            Call { id: text(piece, "id")?.into(), name: text(function, "name")?.into(), arguments: String::new() };
        let fresh = !call.id.is_empty() && calls.iter().all(|known| known.id != call.id);
        ensure(fresh && !call.name.is_empty(), "a call has a name and an id of its own")?;
        calls.push(call);
    } else {
        let named = piece.get("id").is_some() || function.get("name").is_some();
        ensure(!named, "id and name come once")?;
    }
    calls[index].arguments += text(function, given)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::client::Event;
    use crate::grammar::written;

    fn chunk(rest: &str) -> String {
        format!(r#"{{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m",{rest}}}"#)
    }

    fn delta(delta: &str, finish: &str) -> String {
        chunk(&format!(r#""choices":[{{"index":0,"delta":{delta},"finish_reason":{finish}}}]"#))
    }

    fn events(lines: &[&String]) -> Vec<Event> {
        written(&lines.iter().map(|line| line.as_str()).collect::<Vec<_>>())
    }

    #[test]
    fn good_streams_are_read_and_bad_ones_refused() {
        let role = &delta(r#"{"role":"assistant","content":""}"#, "null");
        let word = &delta(r#"{"content":"hello"}"#, "null");
        let stop = &delta("{}", "\"stop\"");
        let usage = &chunk(r#""choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}"#);
        let done = &"[DONE]".to_owned();
        let error = &r#"{"error":{"message":"cut","type":"api_error","param":null,"code":null}}"#.to_owned();
        let read = |lines: &[&String], usage| super::read(&events(lines), usage);

        assert_eq!(read(&[role, word, word, stop, done], false).unwrap().text, "hellohello");
        assert!(read(&[role, word, stop, usage, done], true).unwrap().usage.is_some());
        assert!(read(&[role, word, error], true).unwrap().error.is_some());

        let bad: &[(&[&String], bool)] = &[
            (&[], false),
            (&[role, word, stop], false),
            (&[role, word, done], false),
            (&[word, stop, done], false),
            (&[role, role, stop, done], false),
            (&[role, stop, stop, done], false),
            (&[role, stop, word, done], false),
            (&[role, word, stop, done, done], false),
            (&[role, word, stop, usage, done], false),
            (&[role, word, stop, done], true),
            (&[role, usage, stop, done], true),
            (&[role, stop, usage, usage, done], true),
            (&[role, word, error, done], false),
            (&[role, word, error, word], false),
            (&[error], false),
            (&[role, &word.replace("chatcmpl-1", "chatcmpl-2"), stop, done], false),
            (&[role, &word.replace("\"created\":1", "\"created\":2"), stop, done], false),
            (&[role, &word.replace("content", "contents"), stop, done], false),
            (&[role, &stop.replace("stop", "end_turn"), done], false),
            (&[role, &stop.replace("stop", "tool_calls"), done], false),
            (&[role, stop, &usage.replace(":3", ":4"), done], true),
        ];
        for (lines, usage) in bad {
            assert!(read(lines, *usage).is_err(), "{lines:#?}");
        }
    }

    #[test]
    fn tool_calls_are_joined_by_index() {
        let call = |call: &str| delta(&format!(r#"{{"tool_calls":[{call}]}}"#), "null");
        let role = &delta(r#"{"role":"assistant","content":null}"#, "null");
        let first = &call(r#"{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}"#);
        let second = &call(r#"{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}"#);
        let more = &call(r#"{"index":0,"function":{"arguments":"{}"}}"#);
        let stop = &delta("{}", "\"tool_calls\"");
        let done = &"[DONE]".to_owned();
        let read = |lines: &[&String]| super::read(&events(lines), false);

        let said = read(&[role, first, second, more, stop, done]).unwrap();
        assert_eq!(said.calls.iter().map(|call| call.arguments.as_str()).collect::<Vec<_>>(), ["{}", "{}"]);
        let bad: &[&[&String]] = &[
            &[role, second, stop, done],
            &[role, first, first, stop, done],
            &[role, more, stop, done],
            &[role, first, &second.replace("\"b\"", "\"a\""), stop, done],
            &[role, first, &stop.replace("tool_calls", "stop"), done],
            &[role, stop, done],
        ];
        for lines in bad {
            assert!(read(lines).is_err(), "{lines:#?}");
        }
    }
}
