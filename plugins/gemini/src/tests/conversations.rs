//! Conversations as nobody would think of them, held against what Gemini insists on.

use std::collections::BTreeMap;

use mortise_sdk::chat::{Message, Part, Request, ResultPart, Role, Thinking, ToolResult};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use super::{NEW, OLD, assistant, begin, call, media, text};

fn words() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-z ]{0,6}", 1 => any::<String>()]
}

fn spoken() -> impl Strategy<Value = Vec<Part>> {
    let thinking = (words(), any::<bool>(), proptest::option::of("[a-z]{1,4}"))
        .prop_map(|(text, redacted, signature)| Part::Thinking(Thinking { text, signature, redacted }));
    vec(prop_oneof![4 => words().prop_map(Part::Text), 1 => thinking, 1 => words().prop_map(Part::Refusal)], 0..4)
}

fn asked() -> impl Strategy<Value = Vec<Part>> {
    let image = media("image/png", mortise_sdk::chat::MediaSource::Base64("AAAA".into()));
    vec(prop_oneof![4 => words().prop_map(Part::Text), 1 => Just(Part::Media(image))], 0..4)
}

#[derive(Clone, Debug)]
enum Turn {
    Said(Message),
    Tools(Tools),
}

/// One exchange of the model with its tools: calls, and results in some order, in one message or in several, perhaps with more to
/// say.
#[derive(Clone, Debug)]
struct Tools {
    said: String,
    /// A tool, what it is asked and answers, whether it failed.
    calls: Vec<(String, String, bool)>,
    reversed: bool,
    apart: bool,
    more: Vec<Part>,
}

impl Tools {
    /// `turn` tells its ids apart.
    fn messages(self, turn: usize) -> Vec<Message> {
        let mut parts = vec![Part::Text(self.said)];
        let mut results = Vec::new();
        for (at, (name, text, failed)) in self.calls.into_iter().enumerate() {
            let call_id = format!("call_{turn}_{at}");
            parts.push(call(&call_id, &name, &serde_json::json!({"q": text}).to_string()));
            results.push(Part::Outcome(ToolResult { call_id, parts: vec![ResultPart::Text(text)], failed }));
        }
        if self.reversed {
            results.reverse();
        }
        let mut messages = vec![assistant(parts)];
        if self.apart {
            messages.extend(results.into_iter().map(|result| Message::new(Role::Tool, vec![result])));
            messages.push(Message::new(Role::User, self.more));
        } else {
            // As Anthropic's callers send them, and some of them in the wrong order.
            messages.push(Message::new(Role::User, self.more.into_iter().chain(results).collect()));
        }
        messages
    }
}

fn tools() -> impl Strategy<Value = Tools> {
    let one = ("[a-z_.é]{1,70}", words(), any::<bool>());
    let turn = (words(), vec(one, 1..4), any::<bool>(), any::<bool>(), asked());
    turn.prop_map(|(said, calls, reversed, apart, more)| Tools { said, calls, reversed, apart, more })
}

fn conversation() -> impl Strategy<Value = Vec<Message>> {
    let turn = prop_oneof![
        3 => asked().prop_map(|parts| Turn::Said(Message::new(Role::User, parts))),
        2 => spoken().prop_map(|parts| Turn::Said(assistant(parts))),
        1 => words().prop_map(|text| Turn::Said(Message::system(text))),
        3 => tools().prop_map(Turn::Tools),
    ];
    let messages = |(at, turn)| match turn {
        Turn::Said(message) => vec![message],
        Turn::Tools(tools) => tools.messages(at),
    };
    vec(turn, 0..8).prop_map(move |turns| turns.into_iter().enumerate().flat_map(messages).collect())
}

/// What Gemini answers with 400.
fn faults(contents: &[Value], new: bool) -> Result<(), String> {
    let ensure = |holds: bool, fault: &str| if holds { Ok(()) } else { Err(fault.to_owned()) };
    ensure(contents.first().is_some_and(|first| first["role"] == "user"), "the user begins")?;
    let mut open: BTreeMap<String, String> = BTreeMap::new();
    for (at, content) in contents.iter().enumerate() {
        let role = if at % 2 == 0 { "user" } else { "model" };
        ensure(content["role"] == role, "roles alternate")?;
        let parts = content["parts"].as_array().ok_or("parts are a list")?;
        ensure(!parts.is_empty(), "a content has parts")?;
        let is = |part: &Value, kind: &str| part.get(kind).is_some();
        let responses: Vec<_> = parts.iter().filter(|part| is(part, "functionResponse")).collect();
        let leading = parts.iter().take_while(|part| is(part, "functionResponse")).count();
        ensure(leading == responses.len(), "responses come first")?;
        ensure(responses.len() == open.len(), "as many responses as calls")?;
        for response in responses.iter().map(|part| &part["functionResponse"]) {
            let name = open.remove(response["id"].as_str().unwrap_or_default());
            ensure(name.as_deref() == response["name"].as_str(), "a response has the name of its call")?;
            ensure(response["response"].is_object(), "a response is an object")?;
        }
        let calls: Vec<_> = parts.iter().filter(|part| is(part, "functionCall")).collect();
        ensure(!new || calls.first().is_none_or(|call| is(call, "thoughtSignature")), "a first call is signed")?;
        for call in calls.iter().map(|part| &part["functionCall"]) {
            let name = call["name"].as_str().unwrap_or_default();
            let fits = name.len() <= 63 && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
            ensure(fits && !name.is_empty() && call["args"].is_object(), "a call has a name and an object")?;
            open.insert(call["id"].as_str().unwrap_or_default().to_owned(), name.to_owned());
        }
        let known = ["text", "inlineData", "functionCall", "functionResponse"];
        let single = |part: &Value| known.iter().filter(|kind| is(part, kind)).count() == 1;
        ensure(parts.iter().all(single), "a part is of one kind")?;
        ensure(parts.iter().all(|part| part["text"] != ""), "no text is empty")?;
    }
    Ok(())
}

/// Every text that somebody said, in order, but for the empty ones.
fn said(messages: &[Message]) -> Vec<String> {
    let parts = messages.iter().filter(|message| message.role != Role::System).flat_map(|message| &message.parts);
    let texts = parts.filter_map(|part| match part {
        Part::Text(text) | Part::Refusal(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    });
    texts.collect()
}

proptest! {
    #[test]
    fn every_conversation_is_one_that_gemini_takes(messages in conversation(), new in any::<bool>()) {
        let expected = said(&messages);
        let model = if new { NEW } else { OLD };
        let run = begin(Request { model: model.into(), messages, ..Request::new(model, Vec::new()) });
        prop_assert!(run.error().is_none(), "{:?}", run.error());
        let body = run.sent_json();
        let contents = body["contents"].as_array().unwrap();
        if let Err(fault) = faults(contents, new) {
            return Err(TestCaseError::fail(format!("{fault}: {body:#}")));
        }
        let parts = contents.iter().flat_map(|content| content["parts"].as_array().unwrap());
        let mut texts: Vec<_> = parts.filter_map(|part| part["text"].as_str()).collect();
        // What the API insists on, where the user didn't begin.
        if texts.len() > expected.len() && texts[0] == " " {
            texts.remove(0);
        }
        prop_assert_eq!(texts, expected);
    }
}

#[test]
fn the_checker_sees_faults() {
    let faulty = |contents: Value| faults(contents.as_array().unwrap(), true).unwrap_err();
    let user = |parts: Value| serde_json::json!({"role": "user", "parts": parts});
    let model = |parts: Value| serde_json::json!({"role": "model", "parts": parts});
    let call = serde_json::json!({"functionCall": {"id": "a", "name": "f", "args": {}}, "thoughtSignature": "s"});
    let hi = serde_json::json!([{"text": "hi"}]);
    assert_eq!(faulty(serde_json::json!([model(hi.clone())])), "the user begins");
    assert_eq!(faulty(serde_json::json!([user(hi.clone()), user(hi.clone())])), "roles alternate");
    assert_eq!(
        faulty(serde_json::json!([user(hi.clone()), model(serde_json::json!([call])), user(hi)])),
        "as many responses as calls"
    );
    assert!(begin(Request::new(OLD, vec![Message::new(Role::User, vec![text("hi")])])).error().is_none());
}
