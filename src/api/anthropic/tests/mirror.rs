//! What an answer says is what its sender reads when it comes back.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{arguments, content, ids};
use super::asked;
use crate::model::chat::*;

fn field() -> impl Strategy<Value = Field> {
    let value = prop_oneof![Just("{\"a\" : [1.50]}"), Just("\"x\""), Just("0")];
    ("[x-z]_[a-z]{1,5}", value).prop_map(|(name, value)| Field { name, value: value.into() })
}

fn part() -> impl Strategy<Value = Part> {
    let written = prop_oneof![
        3 => "[a-z]{0,4}".prop_map(|text| format!("{{\"x\" : \"{text}\"}}")),
        1 => any::<String>(),
        1 => Just("{\"INVALID_JSON\":\"{}\"}".to_owned()),
        1 => Just("{\"INVALID_JSON\":\"[\"}".to_owned()),
        1 => Just("[{\"cut\": ".to_owned()),
    ];
    let call =
        (any::<String>(), "[a-z]{1,5}", written, vec(field(), 0..3)).prop_map(|(id, name, arguments, mut extra)| {
            extra.dedup_by(|a, b| a.name == b.name);
            Part::Call(ToolCall { id, name, arguments, extra })
        });
    let thinking =
        (any::<String>(), proptest::option::of("[a-z]{1,5}"), any::<bool>()).prop_map(|(text, signature, redacted)| {
            Part::Thinking(Thinking { text, signature: signature.filter(|_| !redacted), redacted })
        });
    let other = "[a-z]{1,5}".prop_map(|text| Part::Other(json!({"type": "x_result", "content": [text]}).to_string()));
    prop_oneof![any::<String>().prop_map(Part::Text), any::<String>().prop_map(Part::Refusal), call, thinking, other,]
}

/// The part as it can come back: nothing of what says nothing, a refusal as words.
fn returning(part: Part) -> Option<Part> {
    match part {
        Part::Text(text) | Part::Refusal(text) => (!text.is_empty()).then_some(Part::Text(text)),
        Part::Thinking(thinking) if thinking.text.is_empty() && thinking.signature.is_none() => None,
        Part::Call(call) if matches!(call.arguments.trim(), "" | "null") => {
            Some(Part::Call(ToolCall { arguments: "{}".into(), ..call }))
        }
        part => Some(part),
    }
}

proptest! {
    #[test]
    fn an_answer_comes_back_as_it_was(parts in vec(part(), 1..8)) {
        let (blocks, _) = content::blocks(&parts, &[], true);
        let content: Vec<String> =
            blocks.iter().map(|block| serde_json::to_string(&block.view()).unwrap()).collect();
        let body = format!(
            r#"{{"model":"m","max_tokens":1,"messages":[{{"role":"assistant","content":[{}]}}]}}"#,
            content.join(",")
        );
        let fields = crate::http::Fields::parse(&body.into()).unwrap();
        let request = super::read(fields, super::Purpose::Answer).unwrap();
        let mut expected: Vec<Part> = parts.into_iter().filter_map(returning).collect();
        // What a model wrote around an object is no part of it.
        for part in &mut expected {
            if let Part::Call(call) = part && serde_json::from_str::<Value>(&call.arguments).is_ok_and(|value| value.is_object()) {
                call.arguments = call.arguments.trim().to_owned();
            }
        }
        prop_assert_eq!(&request.messages[0].parts, &expected);
    }

    #[test]
    fn an_id_fits_the_dialect_and_comes_back(id in any::<String>(), plain in "[a-zA-Z0-9_-]{1,12}") {
        let outward = ids::outward(&id).into_owned();
        prop_assert!(!outward.is_empty() && outward.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)));
        // Also that of a vendor who makes ids that look like ours.
        let twice = ids::outward(&outward).into_owned();
        prop_assert_eq!(ids::inward(twice), outward.clone());
        prop_assert_eq!(ids::inward(outward), id);
        prop_assert_eq!(&*ids::outward(&plain), &plain);
        prop_assert_eq!(ids::inward(plain.clone()), plain);
    }

    #[test]
    fn arguments_are_an_object_and_come_back(written in any::<String>()) {
        let outward = arguments::outward(&written).into_owned();
        prop_assert!(serde_json::from_str::<Value>(&outward).unwrap().is_object());
        let returned = arguments::inward(outward);
        let none = returned == "{}" && matches!(written.trim(), "" | "null");
        prop_assert!(none || returned == written);
    }
}

#[test]
fn an_id_that_only_looks_changed_is_left_alone() {
    for id in ["toolu-b64-", "toolu-b64-!", "toolu-b64-YQ", "toolu-b64-_-_-", "toolu-b64-ZnVuY3Rpb25zLmY6MA=="] {
        assert_eq!(ids::inward(ids::outward(id).into_owned()), id);
    }
    let body = json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "toolu-b64-ZnVuY3Rpb25zLmY6MA", "content": "x"},
    ]}]});
    let request = asked(&body).unwrap();
    assert!(matches!(&request.messages[0].parts[0], Part::Outcome(result) if result.call_id == "functions.f:0"));
}
