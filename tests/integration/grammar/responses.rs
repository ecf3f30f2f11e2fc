//! OpenAI's stream of a response: items strictly one after another, each announced, grown and ended, and one last word.

use serde_json::{Value, json};

use super::{ensure, text};
use crate::client::Event;

/// What a stream said.
#[derive(Clone, Debug, Default)]
pub struct Answered {
    /// Whole items, as the last word has them.
    pub items: Vec<Value>,
    /// The response of the last word.
    pub response: Value,
    pub text: String,
    pub thoughts: String,
    /// How often a piece of anything came.
    pub deltas: usize,
}

impl Answered {
    pub fn of(&self, kind: &str) -> Vec<&Value> {
        self.items.iter().filter(|item| item["type"] == kind).collect()
    }

    pub fn status(&self) -> &str {
        self.response["status"].as_str().unwrap_or_default()
    }
}

/// The item that is open, and what its pieces have come to.
struct Open {
    item: Value,
    /// Parts of a message or of a thought that are whole.
    parts: Vec<Value>,
    /// The part that is open.
    part: Option<Value>,
    /// The words of the open part, or the call's text.
    words: String,
    /// Whether `words` were told to be all.
    told: bool,
}

pub(super) fn read(events: &[Event]) -> Result<Answered, String> {
    let mut said = Answered::default();
    let mut open: Option<Open> = None;
    let mut last: Option<String> = None;
    for (number, event) in events.iter().enumerate() {
        let data: Value = serde_json::from_str(&event.data).map_err(|error| format!("no JSON: {error}"))?;
        let kind = text(&data, "type")?;
        ensure(last.is_none(), format!("`{kind}` follows the last word"))?;
        ensure(event.name.as_deref() == Some(kind), format!("the name {:?} is not the type `{kind}`", event.name))?;
        ensure(data["sequence_number"] == number, format!("event {number} is numbered {}", data["sequence_number"]))?;
        let first = match number {
            0 => "response.created",
            1 => "response.in_progress",
            _ => "",
        };
        ensure(number > 1 || kind == first, format!("event {number} is `{kind}`"))?;
        match kind {
            "response.created" | "response.in_progress" => {
                let response = &data["response"];
                ensure(number < 2, "the answer begins once")?;
                ensure(response["status"] == "in_progress", "an answer that has begun is in progress")?;
                ensure(response["output"] == json!([]) && response["usage"].is_null(), "it holds nothing yet")?;
                frame(response, &mut said)?;
            }
            "response.completed" | "response.incomplete" | "response.failed" => {
                let response = &data["response"];
                frame(response, &mut said)?;
                let status = kind.trim_start_matches("response.");
                ensure(response["status"] == status, format!("`{kind}` has the status {}", response["status"]))?;
                ensure(response["output"] == Value::from(said.items.clone()), "the last word repeats the items")?;
                let failed = status == "failed";
                ensure(open.is_none() || failed, "an item is open at the end")?;
                ensure(response["error"].is_null() != failed, "who failed says why, and nobody else")?;
                let incomplete = status == "incomplete";
                ensure(response["incomplete_details"].is_null() != incomplete, "who is incomplete says why")?;
                if failed {
                    let error = &response["error"];
                    ensure(
                        !text(error, "code")?.is_empty() && !text(error, "message")?.is_empty(),
                        "an error says what",
                    )?;
                } else {
                    counted(&response["usage"])?;
                }
                said.response = response.clone();
                last = Some(kind.to_owned());
            }
            _ => {
                ensure(data["output_index"] == said.items.len(), format!("`{kind}` is at {}", data["output_index"]))?;
                piece(kind, &data, &mut open, &mut said)?;
            }
        }
    }
    ensure(last.is_some(), "a stream has a last word")?;
    Ok(said)
}

/// What is the same from the first word to the last.
fn frame(response: &Value, said: &mut Answered) -> super::Fault {
    ensure(response["object"] == "response", "a response says that it is one")?;
    ensure(text(response, "id")?.starts_with("resp_"), "an id begins with `resp_`")?;
    ensure(response["created_at"].is_u64(), "`created_at` is in whole seconds")?;
    for name in ["id", "created_at", "model", "tools", "instructions"] {
        let same = said.response.is_null() || said.response[name] == response[name];
        ensure(same, format!("`{name}` changes within the stream"))?;
    }
    said.response = response.clone();
    Ok(())
}

fn counted(usage: &Value) -> super::Fault {
    if usage.is_null() {
        return Ok(());
    }
    let count = |name: &str| usage[name].as_u64().ok_or_else(|| format!("no `{name}` in {usage}"));
    let sum = count("input_tokens")? + count("output_tokens")?;
    ensure(count("total_tokens")? == sum, format!("the total is not the sum: {usage}"))
}

fn piece(kind: &str, data: &Value, open: &mut Option<Open>, said: &mut Answered) -> super::Fault {
    if kind == "response.output_item.added" {
        ensure(open.is_none(), "an item begins within another")?;
        let item = data["item"].clone();
        let id = text(&item, "id")?;
        ensure(said.items.iter().all(|known| known["id"] != id), format!("the id {id} comes twice"))?;
        *open = Some(Open { item, parts: Vec::new(), part: None, words: String::new(), told: false });
        return Ok(());
    }
    if kind == "response.output_item.done" {
        let begun = open.take().ok_or("an item ends that never began")?;
        let item = data["item"].clone();
        whole(&begun, &item)?;
        said.items.push(item);
        return Ok(());
    }
    let open = open.as_mut().ok_or_else(|| format!("`{kind}` belongs to no item"))?;
    ensure(data["item_id"] == open.item["id"], format!("`{kind}` belongs to another item"))?;
    let of = text(&open.item, "type")?.to_owned();
    let (owner, index) = match kind {
        "response.function_call_arguments.delta" | "response.function_call_arguments.done" => ("function_call", ""),
        "response.custom_tool_call_input.delta" | "response.custom_tool_call_input.done" => ("custom_tool_call", ""),
        kind if kind.starts_with("response.reasoning_summary") => ("reasoning", "summary_index"),
        _ => ("message", "content_index"),
    };
    ensure(of == owner, format!("`{kind}` in an item `{of}`"))?;
    ensure(index.is_empty() || data[index] == open.parts.len(), format!("`{kind}` is at part {}", data[index]))?;
    match kind {
        "response.content_part.added" | "response.reasoning_summary_part.added" => {
            ensure(open.part.is_none(), "a part begins within another")?;
            let part = data["part"].clone();
            let empty = part["text"] == "" || part["refusal"] == "";
            ensure(empty, format!("a part begins with nothing: {part}"))?;
            (open.part, open.words, open.told) = (Some(part), String::new(), false);
        }
        "response.content_part.done" | "response.reasoning_summary_part.done" => {
            let begun = open.part.take().ok_or("a part ends that never began")?;
            let part = data["part"].clone();
            ensure(begun["type"] == part["type"], "a part changes its type")?;
            ensure(open.told, "the words were never told to be all")?;
            ensure(!open.words.is_empty(), "a part is empty")?;
            ensure(part["text"] == *open.words || part["refusal"] == *open.words, "a part is not its pieces")?;
            open.parts.push(part);
        }
        "response.output_text.annotation.added" => {
            ensure(data["annotation"]["type"].is_string(), "a source has a type")?;
        }
        kind if kind.ends_with(".delta") => {
            let delta = text(data, "delta")?;
            ensure(!delta.is_empty() && !open.told, "a piece is empty, or comes after the end")?;
            ensure(index.is_empty() || open.part.is_some(), "a piece belongs to no part")?;
            open.words += delta;
            said.deltas += 1;
            match kind {
                "response.output_text.delta" => said.text += delta,
                "response.reasoning_summary_text.delta" => said.thoughts += delta,
                _ => {}
            }
        }
        kind if kind.ends_with(".done") => {
            let name = ["text", "refusal", "arguments", "input"].into_iter().find(|name| data[name].is_string());
            let all = text(data, name.ok_or("the end of a text repeats it")?)?;
            ensure(all == open.words && !open.told, format!("{all:?} is not {:?}", open.words))?;
            open.told = true;
        }
        other => return Err(format!("no such event: `{other}`")),
    }
    Ok(())
}

/// Whether `item` is what began as `begun` and came in pieces.
fn whole(begun: &Open, item: &Value) -> super::Fault {
    for name in ["id", "type", "call_id", "name", "role", "namespace"] {
        ensure(begun.item[name] == item[name], format!("an item changes its `{name}`"))?;
    }
    ensure(begun.part.is_none(), "a part is open at the end of its item")?;
    let (pieces, status) = match text(item, "type")? {
        "message" => {
            ensure(!begun.parts.is_empty(), "a message says something")?;
            (item["content"] == Value::from(begun.parts.clone()), true)
        }
        "reasoning" => (item["summary"] == Value::from(begun.parts.clone()), false),
        "function_call" => (item["arguments"] == *begun.words && begun.told, true),
        "custom_tool_call" => (item["input"] == *begun.words && begun.told, true),
        "tool_search_call" => (item["arguments"].is_object(), true),
        _ => (begun.item == *item, false),
    };
    ensure(pieces, format!("an item is not its pieces: {item}"))?;
    ensure(!status || begun.item["status"] == "in_progress", "an item begins in progress")?;
    ensure(!status || item["status"] != "in_progress", "an item that ended is not in progress")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::client::Event;

    fn response(status: &str, output: Value) -> Value {
        json!({"id": "resp_1", "object": "response", "created_at": 1, "status": status, "model": "m", "output": output,
            "error": null, "incomplete_details": null, "usage": null})
    }

    /// A message of two pieces, good in every respect.
    fn good() -> Vec<Value> {
        let part = |text: &str| json!({"type": "output_text", "text": text, "annotations": []});
        let item = |status: &str, content: Value| json!({"type": "message", "id": "msg_1", "status": status, "role": "assistant", "content": content});
        let place = |kind: &str, more: Value| {
            let mut event = json!({"type": kind, "item_id": "msg_1", "output_index": 0, "content_index": 0});
            event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            event
        };
        let whole = item("completed", json!([part("ab")]));
        vec![
            json!({"type": "response.created", "response": response("in_progress", json!([]))}),
            json!({"type": "response.in_progress", "response": response("in_progress", json!([]))}),
            json!({"type": "response.output_item.added", "output_index": 0, "item": item("in_progress", json!([]))}),
            place("response.content_part.added", json!({"part": part("")})),
            place("response.output_text.delta", json!({"delta": "a"})),
            place("response.output_text.delta", json!({"delta": "b"})),
            place("response.output_text.done", json!({"text": "ab"})),
            place("response.content_part.done", json!({"part": part("ab")})),
            json!({"type": "response.output_item.done", "output_index": 0, "item": whole}),
            json!({"type": "response.completed", "response": response("completed", json!([whole]))}),
        ]
    }

    fn events(values: Vec<Value>) -> Vec<Event> {
        let numbered = values.into_iter().enumerate().map(|(number, mut value)| {
            value["sequence_number"] = json!(number);
            Event { name: value["type"].as_str().map(str::to_owned), data: value.to_string() }
        });
        numbered.collect()
    }

    #[test]
    fn good_streams_are_read_and_bad_ones_refused() {
        assert_eq!(super::read(&events(good())).unwrap().text, "ab");
        for missing in 0..good().len() {
            let mut values = good();
            values.remove(missing);
            // Without a piece, the rest is not its sum.
            assert!(super::read(&events(values)).is_err(), "without event {missing}");
            let mut values = good();
            values.insert(missing, good()[missing].clone());
            assert!(super::read(&events(values)).is_err(), "event {missing} twice");
        }
        let spoilt: [(usize, &str, Value); 6] = [
            (2, "/output_index", json!(1)),
            (4, "/item_id", json!("msg_2")),
            (4, "/delta", json!("")),
            (6, "/text", json!("a")),
            (9, "/response/status", json!("failed")),
            (9, "/response/output", json!([])),
        ];
        for (number, pointer, value) in spoilt {
            let mut values = good();
            *values[number].pointer_mut(pointer).unwrap() = value;
            assert!(super::read(&events(values)).is_err(), "{pointer} of event {number}");
        }
        let mut unnamed = events(good());
        unnamed[4].name = None;
        assert!(super::read(&unnamed).is_err());
        let mut misnumbered = events(good());
        misnumbered.swap(4, 5);
        assert!(super::read(&misnumbered).is_err());
    }
}
