//! Any conversation: what is written keeps the vendor's rules, and nothing that was said is lost.

use std::collections::BTreeSet;

use mortise_sdk::chat::{CachePoint, Message, Part, ResultPart, Role, Thinking, ToolResult};
use proptest::prelude::*;
use serde_json::Value;

use super::{asks, call, run};

/// A step of a conversation, from which messages are made that some caller could send.
#[derive(Clone, Debug)]
enum Step {
    System(Vec<String>),
    User(Vec<String>, bool),
    Answer(Vec<String>),
    /// Words, the ids of calls, whether the results come as one message or as many, whether the user goes on at once.
    Calls(Vec<String>, Vec<String>, bool, bool),
    Thought(String),
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![2 => "[a-zé\"\\\\ \n]{0,8}", 1 => Just(String::new()), 1 => Just(" \n".to_owned()), 3 => "[A-Z][a-z]{1,6} ?"]
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(words(), 0..3)
}

/// Also the odd ones, and few enough that they come again.
fn id() -> impl Strategy<Value = String> {
    prop_oneof![Just("call_0"), Just("call_1"), Just("call:0"), Just("functions.f:0"), Just("é"), Just("")]
        .prop_map(Into::into)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => texts().prop_map(Step::System),
        3 => (texts(), any::<bool>()).prop_map(|(texts, cached)| Step::User(texts, cached)),
        3 => texts().prop_map(Step::Answer),
        3 => (texts(), prop::collection::vec(id(), 1..4), any::<bool>(), any::<bool>())
            .prop_map(|(texts, ids, one, on)| Step::Calls(texts, ids, one, on)),
        1 => words().prop_map(Step::Thought),
    ]
}

fn parts(texts: &[String]) -> Vec<Part> {
    texts.iter().cloned().map(Part::Text).collect()
}

fn messages(steps: &[Step]) -> Vec<Message> {
    let mut messages = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::System(texts) => messages.push(Message::new(Role::System, parts(texts))),
            Step::User(texts, cached) => {
                let mut parts = parts(texts);
                parts.extend(cached.then_some(Part::CachePoint(CachePoint { ttl: None })));
                messages.push(Message::new(Role::User, parts));
            }
            Step::Answer(texts) => messages.push(Message::new(Role::Assistant, parts(texts))),
            Step::Calls(texts, ids, one, on) => {
                let mut said = parts(texts);
                said.extend(
                    ids.iter().enumerate().map(|(at, id)| call(id, "f", &format!("{{\"n\":{number},\"at\":{at}}}"))),
                );
                messages.push(Message::new(Role::Assistant, said));
                let result = |(at, id): (usize, &String)| {
                    let parts = vec![ResultPart::Text(format!("result {number} {at}"))];
                    Part::Outcome(ToolResult { call_id: id.clone(), parts, failed: at == 1 })
                };
                let results = ids.iter().enumerate().map(result);
                match one {
                    true => messages.push(Message::new(Role::Tool, results.collect())),
                    false => messages.extend(results.map(|result| Message::new(Role::Tool, vec![result]))),
                }
                messages.extend(on.then(|| Message::user("Go on.")));
            }
            Step::Thought(text) => {
                let thought = Thinking { text: text.clone(), signature: Some("sig".into()), redacted: false };
                messages.push(Message::new(Role::Assistant, vec![Part::Thinking(thought), Part::Text("Thus.".into())]));
            }
        }
    }
    messages
}

/// Content as blocks, whichever way it was written.
fn blocks(content: &Value) -> Vec<Value> {
    match content {
        Value::String(text) => vec![serde_json::json!({"type": "text", "text": text})],
        Value::Array(blocks) => blocks.clone(),
        Value::Null => Vec::new(),
        other => panic!("no content: {other}"),
    }
}

fn kind(block: &Value) -> &str {
    block["type"].as_str().unwrap()
}

fn texts_of(blocks: &[Value]) -> impl Iterator<Item = &str> {
    blocks.iter().filter(|block| kind(block) == "text").map(|block| block["text"].as_str().unwrap())
}

/// The vendor's rules for messages.
fn check(body: &Value) {
    let turns = body["messages"].as_array().unwrap();
    let mut used = BTreeSet::new();
    let mut open: Vec<String> = Vec::new();
    for (number, turn) in turns.iter().enumerate() {
        let (role, blocks) = (turn["role"].as_str().unwrap(), blocks(&turn["content"]));
        assert_eq!(role, if number % 2 == 0 { "user" } else { "assistant" }, "turns alternate, and the user begins");
        assert!(!blocks.is_empty(), "no empty turn");
        assert!(texts_of(&blocks).all(|text| !text.trim().is_empty()), "no empty text");
        let of = |wanted: &str, key: &str| -> Vec<String> {
            let found = blocks.iter().filter(|block| kind(block) == wanted);
            found.map(|block| block[key].as_str().unwrap().to_owned()).collect()
        };
        let results = of("tool_result", "tool_use_id");
        assert_eq!(results, open, "each call has its result in the next turn");
        assert!(blocks[..results.len()].iter().all(|block| kind(block) == "tool_result"), "results come first");
        open = of("tool_use", "id");
        assert!(role == "assistant" || open.is_empty());
        for id in &open {
            assert!(
                !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)),
                "{id}"
            );
            assert!(used.insert(id.clone()), "{id} is there twice");
        }
        if number + 1 == turns.len() && role == "assistant" {
            assert!(
                texts_of(&blocks).last().is_none_or(|text| !text.ends_with(char::is_whitespace)),
                "no blanks at the end"
            );
        }
    }
    assert!(!turns.is_empty());
    assert!(open.is_empty(), "no call without a result");
    assert!(texts_of(&blocks(&body["system"])).all(|text| !text.trim().is_empty()));
}

/// All that was said by the system, and all that the others said, in order.
fn told(messages: &[Message], system: bool) -> Vec<String> {
    let mut told = Vec::new();
    let chosen = messages.iter().filter(|message| (message.role == Role::System) == system);
    for part in chosen.flat_map(|message| &message.parts) {
        match part {
            Part::Text(text) if !text.trim().is_empty() => told.push(text.trim_end().to_owned()),
            Part::Thinking(thinking) => told.push(thinking.text.clone()),
            Part::Call(call) => told.push(call.arguments.clone()),
            Part::Outcome(result) => told.extend(result.parts.iter().map(|part| match part {
                ResultPart::Text(text) => text.clone(),
                ResultPart::Media(_) => panic!("none was made"),
            })),
            _ => {}
        }
    }
    told
}

/// The same, of what was written.
fn written(contents: &[&Value]) -> Vec<String> {
    let blocks = contents.iter().flat_map(|content| blocks(content));
    let told = blocks.map(|block| match kind(&block) {
        "text" => block["text"].as_str().unwrap().trim_end().to_owned(),
        "thinking" => block["thinking"].as_str().unwrap().to_owned(),
        "tool_use" => format!("{{\"n\":{},\"at\":{}}}", block["input"]["n"], block["input"]["at"]),
        "tool_result" => block["content"].as_str().unwrap().to_owned(),
        other => panic!("nobody said {other}"),
    });
    told.collect()
}

proptest! {
    #[test]
    fn the_vendor_s_rules_hold_and_nothing_is_lost(steps in prop::collection::vec(step(), 1..10)) {
        let messages = messages(&steps);
        let body = run(asks(messages.clone())).sent_json();
        check(&body);
        prop_assert_eq!(written(&[&body["system"]]), told(&messages, true));
        let contents: Vec<&Value> = body["messages"].as_array().unwrap().iter().map(|turn| &turn["content"]).collect();
        let mut written = written(&contents);
        if written.first().is_some_and(|text| text == ".") {
            written.remove(0);
        }
        prop_assert_eq!(written, told(&messages, false));
        // The same request is the same bytes.
        let bytes = || run(asks(messages.clone())).sent().body.clone();
        prop_assert_eq!(bytes(), bytes());
    }
}
