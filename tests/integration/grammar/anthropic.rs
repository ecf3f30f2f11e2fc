//! Anthropic's stream of events: blocks strictly one after another, one `message_delta`, `message_stop` only after success.

use serde_json::{Value, json};

use super::{ensure, text};
use crate::client::Event;

/// What a stream said.
#[derive(Clone, Debug, Default)]
pub struct Message {
    pub model: String,
    /// As they would stand in a whole answer.
    pub content: Vec<Value>,
    pub stop: Option<String>,
    pub sequence: Option<String>,
    pub usage: Value,
    /// The failure that ended it.
    pub error: Option<Value>,
    /// How often it said that nothing is new.
    pub pings: usize,
    /// Whether a block is open.
    open: bool,
    /// The arguments of the open call.
    arguments: Option<String>,
    over: bool,
}

const REASONS: [&str; 6] = ["end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal"];

pub(super) fn read(events: &[Event]) -> Result<Message, String> {
    let mut message = None;
    for event in events {
        let data: Value = serde_json::from_str(&event.data).map_err(|error| format!("no JSON: {error}"))?;
        let kind = text(&data, "type")?;
        ensure(event.name.as_deref() == Some(kind), format!("the event {:?} is of type {kind}", event.name))?;
        match (&mut message, kind) {
            (None, "message_start") => message = Some(begin(&data["message"])?),
            (None, _) => return Err(format!("`{kind}` before `message_start`")),
            (Some(message), kind) => message.step(kind, &data)?,
        }
    }
    let message = message.ok_or("no `message_start`")?;
    ensure(
        message.over != message.error.is_some(),
        "it ends with `message_stop` or with an error, and with one of them",
    )?;
    Ok(message)
}

fn begin(start: &Value) -> Result<Message, String> {
    ensure(start["type"] == "message" && start["role"] == "assistant", format!("no message begins: {start}"))?;
    ensure(text(start, "id")?.starts_with("msg_"), "an id begins with `msg_`")?;
    ensure(start["content"] == json!([]), "a message begins without content")?;
    for name in ["stop_reason", "stop_sequence"] {
        ensure(start.get(name).is_some_and(Value::is_null), format!("`{name}` is null until it is there"))?;
    }
    Ok(Message { model: text(start, "model")?.into(), usage: counted(&start["usage"])?, ..Message::default() })
}

pub(super) fn counted(usage: &Value) -> Result<Value, String> {
    let names = ["input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"];
    let missing = names.iter().find(|name| !usage[**name].is_u64());
    ensure(missing.is_none(), format!("no {missing:?} in {usage}"))?;
    Ok(usage.clone())
}

impl Message {
    /// All words.
    pub fn text(&self) -> String {
        self.content.iter().filter_map(|block| block["text"].as_str()).collect()
    }

    /// The blocks of this type.
    pub fn of(&self, kind: &str) -> Vec<&Value> {
        self.content.iter().filter(|block| block["type"] == kind).collect()
    }

    fn step(&mut self, kind: &str, data: &Value) -> super::Fault {
        ensure(!self.over && self.error.is_none(), format!("`{kind}` after the end"))?;
        ensure(
            self.stop.is_none() || matches!(kind, "message_stop" | "error"),
            format!("`{kind}` after `message_delta`"),
        )?;
        match kind {
            "ping" => self.pings += 1,
            "content_block_start" => {
                ensure(!self.open && data["index"] == self.content.len(), format!("a block out of turn: {data}"))?;
                self.start(data["content_block"].clone())?;
            }
            "content_block_delta" => {
                ensure(self.open && data["index"] == self.content.len() - 1, format!("a delta out of turn: {data}"))?;
                self.delta(&data["delta"])?;
            }
            "content_block_stop" => {
                ensure(self.open && data["index"] == self.content.len() - 1, format!("a stop out of turn: {data}"))?;
                self.stop_block()?;
            }
            "message_delta" => {
                ensure(!self.open, "the answer ends while a block is open")?;
                let reason = text(&data["delta"], "stop_reason")?;
                ensure(REASONS.contains(&reason), format!("no reason: {reason}"))?;
                let fits = self.of("tool_use").is_empty() || reason != "end_turn" && reason != "stop_sequence";
                ensure(fits, format!("there are calls, but the reason is `{reason}`"))?;
                self.stop = Some(reason.into());
                let sequence = data["delta"].get("stop_sequence").ok_or("no `stop_sequence`")?;
                ensure(sequence.is_null() || reason == "stop_sequence", "a sequence, but another reason")?;
                self.sequence = sequence.as_str().map(Into::into);
                self.usage = counted(&data["usage"])?;
            }
            "message_stop" => {
                ensure(self.stop.is_some(), "`message_stop` without `message_delta`")?;
                self.over = true;
            }
            "error" => {
                ensure(!self.open, "the open block is closed before an error")?;
                let error = &data["error"];
                ensure(
                    !text(error, "message")?.is_empty() && text(error, "type")?.ends_with("_error"),
                    "an error says what it is",
                )?;
                ensure(text(data, "request_id")?.starts_with("req_"), "an error names the request")?;
                self.error = Some(error.clone());
            }
            other => return Err(format!("no such event: `{other}`")),
        }
        Ok(())
    }

    fn start(&mut self, block: Value) -> super::Fault {
        let kind = text(&block, "type")?;
        match kind {
            "text" => ensure(block["text"] == "", "a text begins empty")?,
            "thinking" => ensure(block["thinking"] == "" && block["signature"] == "", "a thought begins empty")?,
            "redacted_thinking" => ensure(!text(&block, "data")?.is_empty(), "an empty thought")?,
            _ if kind.ends_with("tool_use") => {
                let id = text(&block, "id")?;
                let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
                let fresh = self.content.iter().all(|known| known["id"] != *id);
                ensure(plain && fresh && !id.is_empty(), format!("not an id of its own: {id:?}"))?;
                ensure(!text(&block, "name")?.is_empty(), "a call has a name")?;
                ensure(block["input"] == json!({}), "a call begins with nothing")?;
                self.arguments = Some(String::new());
            }
            _ => {}
        }
        self.content.push(block);
        self.open = true;
        Ok(())
    }

    fn delta(&mut self, delta: &Value) -> super::Fault {
        let block = self.content.last_mut().ok_or("no block")?;
        let fits = |kind: &str| ensure(block["type"] == kind, format!("{delta} in {block}"));
        let more = |name: &str| {
            let piece = text(delta, name)?;
            ensure(!piece.is_empty(), format!("an empty delta: {delta}"))?;
            Ok::<_, String>(format!("{}{piece}", block[name].as_str().unwrap_or_default()))
        };
        match text(delta, "type")? {
            "text_delta" => {
                fits("text")?;
                block["text"] = more("text")?.into();
            }
            "thinking_delta" => {
                fits("thinking")?;
                ensure(block["signature"] == "", "a thought goes on after its signature")?;
                block["thinking"] = more("thinking")?.into();
            }
            "signature_delta" => {
                fits("thinking")?;
                block["signature"] = more("signature")?.into();
            }
            "input_json_delta" => {
                let arguments = self.arguments.as_mut().ok_or("arguments without a call")?;
                arguments.push_str(text(delta, "partial_json")?);
            }
            "citations_delta" => {
                fits("text")?;
                ensure(delta["citation"].is_object(), "a citation is an object")?;
                match block.get_mut("citations").and_then(Value::as_array_mut) {
                    Some(citations) => citations.push(delta["citation"].clone()),
                    None => block["citations"] = json!([delta["citation"]]),
                }
            }
            other => return Err(format!("no such delta: `{other}`")),
        }
        Ok(())
    }

    fn stop_block(&mut self) -> super::Fault {
        let block = self.content.last_mut().ok_or("no block")?;
        let empty = block["type"] == "text" && block["text"] == ""
            || block["type"] == "thinking" && block["thinking"] == "" && block["signature"] == "";
        ensure(!empty, format!("an empty block: {block}"))?;
        if let Some(arguments) = self.arguments.take() {
            // What is cut is no JSON; whoever wants it whole looks at the reason.
            block["input"] = serde_json::from_str(&arguments).unwrap_or(Value::String(arguments));
        }
        self.open = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::grammar::written;

    fn data(line: &str) -> String {
        let kind = line.split_once(' ').map_or(line, |(kind, _)| kind);
        let rest = line.strip_prefix(kind).unwrap_or_default();
        let rest = if rest.is_empty() { String::new() } else { format!(",{rest}") };
        format!(r#"{kind}|{{"type":"{kind}"{rest}}}"#)
    }

    #[test]
    fn good_streams_are_read_and_bad_ones_refused() {
        let usage = r#""usage":{"input_tokens":1,"output_tokens":2,"cache_creation_input_tokens":0,"cache_read_input_tokens":0}"#;
        let start = &data(&format!(
            r#"message_start "message":{{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,{usage}}}"#
        ));
        let end = |reason: &str| {
            data(&format!(r#"message_delta "delta":{{"stop_reason":"{reason}","stop_sequence":null}},{usage}"#))
        };
        let (ended, called) = (&end("end_turn"), &end("tool_use"));
        let stop = &data("message_stop");
        let ping = &data("ping");
        let open =
            |index: u32, block: &str| data(&format!(r#"content_block_start "index":{index},"content_block":{block}"#));
        let delta = |index: u32, delta: &str| data(&format!(r#"content_block_delta "index":{index},"delta":{delta}"#));
        let close = |index: u32| data(&format!(r#"content_block_stop "index":{index}"#));
        let text = &open(0, r#"{"type":"text","text":""}"#);
        let word = &delta(0, r#"{"type":"text_delta","text":"hi"}"#);
        let done = &close(0);
        let call = &open(1, r#"{"type":"tool_use","id":"c","name":"f","input":{}}"#);
        let argument = &delta(1, r#"{"type":"input_json_delta","partial_json":"{\"a\":1}"}"#);
        let called_done = &close(1);
        let error = &data(r#"error "error":{"type":"api_error","message":"cut"},"request_id":"req_1""#);
        let read =
            |lines: &[&String]| super::read(&written(&lines.iter().map(|line| line.as_str()).collect::<Vec<_>>()));

        let said = read(&[start, ping, text, word, word, done, ended, stop]).unwrap();
        assert_eq!((said.text().as_str(), said.pings), ("hihi", 1));
        let said = read(&[start, text, word, done, call, argument, called_done, called, stop]).unwrap();
        assert_eq!(said.of("tool_use")[0]["input"]["a"], 1);
        assert!(read(&[start, text, word, done, error]).unwrap().error.is_some());
        assert!(read(&[start, ended, stop]).is_ok());

        let bad: &[&[&String]] = &[
            &[],
            &[start],
            &[start, ended],
            &[start, stop],
            &[text, word, done, ended, stop],
            &[start, start, ended, stop],
            &[start, text, word, ended, stop],
            &[start, text, done, ended, stop],
            &[start, word, done, ended, stop],
            &[start, text, word, call, ended, stop],
            &[start, text, word, done, done, ended, stop],
            &[start, text, word, done, text, word, done, ended, stop],
            &[start, call, argument, called_done, called, stop],
            &[start, text, word, done, word, ended, stop],
            &[start, text, word, done, call, argument, called_done, ended, stop],
            &[start, text, argument, done, ended, stop],
            &[start, text, word, done, ended, ended, stop],
            &[start, text, word, done, ended, ping, stop],
            &[start, text, word, done, ended, stop, ping],
            &[start, text, word, done, ended, stop, stop],
            &[start, text, word, error],
            &[start, text, word, done, error, stop],
            &[start, text, word, done, ended, stop, error],
            &[error],
            &[&start.replace("msg_", "chatcmpl-"), ended, stop],
            &[start, &text.replace("\"text\":\"\"", "\"text\":\"x\""), word, done, ended, stop],
            &[start, text, &word.replace("hi", ""), done, ended, stop],
            &[start, text, &word.replace("content_block_delta|", "delta|"), done, ended, stop],
            &[start, text, word, done, &call.replace("\"c\"", "\"c.1\""), argument, called_done, called, stop],
            &[
                start,
                text,
                word,
                done,
                &call.replace("{},", "{\"a\":1},").replace("\"input\":{}", "\"input\":{\"a\":1}"),
                called_done,
                called,
                stop,
            ],
            &[start, &ended.replace("end_turn", "stop"), stop],
        ];
        for lines in bad {
            assert!(read(lines).is_err(), "{lines:#?}");
        }
    }
}
