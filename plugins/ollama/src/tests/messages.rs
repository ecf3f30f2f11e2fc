//! Messages, as Ollama wants them.

use std::collections::BTreeMap;

use mortise_sdk::chat::{CachePoint, Media, MediaSource, Message, Part, ResultPart, Role, Thinking, ToolResult};
use mortise_sdk::provider::ErrorKind;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{assistant, begin, call, error, request, text};

fn messages(messages: Vec<Message>) -> Value {
    begin(request(messages)).sent_json()["messages"].clone()
}

fn image(source: MediaSource) -> Part {
    Part::Media(Media { mime: "image/png".into(), source, name: None, detail: Some("low".into()) })
}

fn user(parts: Vec<Part>) -> Message {
    Message::new(Role::User, parts)
}

#[test]
fn every_role_has_its_word() {
    let developer = Message::new(Role::Developer, vec![text("be kind"), Part::CachePoint(CachePoint { ttl: None })]);
    let pictured = user(vec![text("what"), image(MediaSource::Base64("AAAA".into())), text("is it?")]);
    let thinking = Thinking { text: "hm".into(), signature: None, redacted: false };
    let answer = assistant(vec![Part::Thinking(thinking), text("a crab")]);
    assert_eq!(
        messages(vec![Message::system("be brief"), developer, pictured, answer, user(vec![text("")])]),
        json!([
            {"role": "system", "content": "be brief"},
            {"role": "system", "content": "be kind"},
            {"role": "user", "content": "what\nis it?", "images": ["AAAA"]},
            {"role": "assistant", "content": "a crab", "thinking": "hm"},
        ])
    );
}

#[test]
fn another_model_s_thinking_is_left_out() {
    let thinking = |signature: Option<&str>, redacted| {
        Part::Thinking(Thinking { text: "x".into(), signature: signature.map(Into::into), redacted })
    };
    let parts = vec![thinking(Some("s"), false), thinking(None, true), text("so")];
    assert_eq!(messages(vec![assistant(parts)]), json!([{"role": "assistant", "content": "so"}]));
}

#[test]
fn calls_are_objects_and_results_find_their_name() {
    let outcome = |id: &str, failed| {
        let parts = vec![ResultPart::Text("one".into()), ResultPart::Text("two".into())];
        Part::Outcome(ToolResult { call_id: id.into(), parts, failed })
    };
    let spoken = vec![
        assistant(vec![call("a", "look", r#"{"at": 1}"#), call("b", "now", " ")]),
        Message::new(Role::Tool, vec![outcome("a", false)]),
        user(vec![text("and?"), outcome("b", true)]),
    ];
    let expected = json!([
        {"role": "assistant", "content": "", "tool_calls": [
            {"id": "a", "function": {"name": "look", "arguments": {"at": 1}}},
            {"id": "b", "function": {"name": "now", "arguments": {}}},
        ]},
        {"role": "tool", "content": "one\ntwo", "tool_name": "look", "tool_call_id": "a"},
        {"role": "tool", "content": "[the tool call failed]\none\ntwo", "tool_name": "now", "tool_call_id": "b"},
        {"role": "user", "content": "and?"},
    ]);
    assert_eq!(messages(spoken), expected);
}

#[test]
fn what_cannot_be_taken_is_an_error() {
    let audio = Media { mime: "audio/wav".into(), source: MediaSource::Base64("A".into()), name: None, detail: None };
    let seen = Media { mime: "image/png".into(), ..audio.clone() };
    let result = ToolResult { call_id: "a".into(), parts: vec![ResultPart::Media(seen)], failed: false };
    let table = [
        (vec![user(vec![image(MediaSource::Url("https://e.com/a.png".into()))])], ErrorKind::Unsupported, "base64"),
        (vec![user(vec![image(MediaSource::File("f".into()))])], ErrorKind::Unsupported, "base64"),
        (vec![user(vec![Part::Media(audio)])], ErrorKind::Unsupported, "no audio"),
        (vec![user(vec![Part::Other("{}".into())])], ErrorKind::Unsupported, "leave it out"),
        (vec![assistant(vec![call("a", "f", "[1]")])], ErrorKind::InvalidRequest, "`arguments` of the tool call `a`"),
        (vec![assistant(vec![call("a", "f", "{")])], ErrorKind::InvalidRequest, "`arguments` of the tool call `a`"),
        (vec![Message::tool("lost", "x")], ErrorKind::InvalidRequest, "`lost`"),
        (vec![Message::new(Role::Tool, vec![text("x")])], ErrorKind::InvalidRequest, "role `tool`"),
        (vec![user(vec![call("a", "f", "{}")])], ErrorKind::InvalidRequest, "role `assistant`"),
        (
            vec![assistant(vec![call("a", "f", "{}")]), Message::new(Role::Tool, vec![Part::Outcome(result)])],
            ErrorKind::Unsupported,
            "only text in tool results",
        ),
    ];
    for (messages, kind, words) in table {
        let place = format!("messages[{}]: ", messages.len() - 1);
        let error = error(request(messages));
        assert_eq!(error.kind, kind, "{}", error.message);
        assert!(error.message.starts_with(&place) && error.message.contains(words), "{}", error.message);
    }
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ]{0,6}", any::<String>()]
}

/// A message, or calls and their results.
fn turn() -> impl Strategy<Value = Vec<Message>> {
    let role = prop::sample::select(vec![Role::System, Role::Developer, Role::User, Role::Assistant]);
    let said = (role, vec(words(), 0..3))
        .prop_map(|(role, texts)| vec![Message::new(role, texts.into_iter().map(Part::Text).collect())]);
    let calls = (words(), vec(("[a-z]{1,6}", words()), 1..4), any::<bool>()).prop_map(|(said, calls, together)| {
        let id = |at: usize| format!("call_{at}");
        let mut parts = vec![Part::Text(said)];
        parts.extend(
            calls.iter().enumerate().map(|(at, (name, text))| call(&id(at), name, &json!({ "q": text }).to_string())),
        );
        let outcomes = calls.iter().enumerate().map(|(at, (_, text))| {
            let parts = vec![ResultPart::Text(text.clone())];
            Part::Outcome(ToolResult { call_id: id(at), parts, failed: false })
        });
        let mut messages = vec![assistant(parts)];
        match together {
            true => messages.push(Message::new(Role::User, outcomes.collect())),
            false => messages.extend(outcomes.map(|outcome| Message::new(Role::Tool, vec![outcome]))),
        }
        messages
    });
    prop_oneof![said, calls]
}

proptest! {
    #[test]
    fn every_conversation_is_one_that_ollama_takes(turns in vec(turn(), 1..8)) {
        let spoken = turns.concat();
        let sent = messages(spoken.clone());
        let mut called: BTreeMap<String, String> = BTreeMap::new();
        for message in sent.as_array().unwrap() {
            let content = message["content"].as_str().expect("content is a string");
            match message["role"].as_str().unwrap() {
                "system" | "user" => prop_assert!(!content.is_empty()),
                "assistant" => {
                    let calls = message["tool_calls"].as_array().cloned().unwrap_or_default();
                    prop_assert!(!content.is_empty() || !calls.is_empty());
                    for call in calls {
                        prop_assert!(call["function"]["arguments"].is_object());
                        let text = |value: &Value| value.as_str().unwrap().to_owned();
                        called.insert(text(&call["id"]), text(&call["function"]["name"]));
                    }
                }
                "tool" => {
                    let name = called.get(message["tool_call_id"].as_str().unwrap());
                    prop_assert_eq!(name.map(String::as_str), message["tool_name"].as_str());
                }
                other => return Err(TestCaseError::fail(format!("a role {other}"))),
            }
        }
        let texts = |message: &Message| message.parts.iter().filter_map(|part| match part {
            Part::Text(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        }).collect::<Vec<_>>();
        let expected: Vec<_> = spoken.iter().map(texts).filter(|texts| !texts.is_empty()).map(|texts| texts.join("\n")).collect();
        let said = sent.as_array().unwrap().iter().filter(|message| message["role"] != "tool");
        let said: Vec<_> = said.map(|message| message["content"].as_str().unwrap()).filter(|text| !text.is_empty()).collect();
        prop_assert_eq!(said, expected);
    }
}
