//! Answers as nobody would think of them: what a stream says is what the whole answer says, and it is read again as it was.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::answer::Frame;
use super::request::{Asked, read};
use super::stream::Writer;
use crate::http::Fields;
use crate::model::chat::*;

/// The request's tools: the provider is offered `patch` as a function.
fn asked(input: Value) -> Asked {
    let body = json!({"model": "m", "input": input, "tools": [
        {"type": "function", "name": "f"}, {"type": "custom", "name": "patch"},
        {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "g"}]},
    ]});
    read(Fields::parse(&Bytes::from(body.to_string())).unwrap(), false).unwrap()
}

fn frame() -> Frame {
    let Asked { names, shown, .. } = asked("x".into());
    Frame::new("m".into(), 7, shown, names, false)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ]{1,12}", "\\PC{1,8}", any::<String>().prop_map(|text| text + "x")]
}

fn extra() -> impl Strategy<Value = Vec<Field>> {
    let field =
        ("x_[a-z]{1,5}", text()).prop_map(|(name, value)| Field { name, value: json!({"v": value}).to_string() });
    vec(field, 0..2)
}

fn part() -> impl Strategy<Value = Part> {
    let thought = |text: String, signature| Part::Thinking(Thinking { text, signature, redacted: false });
    prop_oneof![
        3 => text().prop_map(Part::Text),
        1 => text().prop_map(Part::Refusal),
        2 => (text(), proptest::option::of(text())).prop_map(move |(text, signature)| thought(text, signature)),
        1 => text().prop_map(move |signature| thought(String::new(), Some(signature))),
        1 => text().prop_map(|text| Part::Thinking(Thinking { text, signature: None, redacted: true })),
        3 => ("f|patch|n__g", text(), extra()).prop_map(|(name, input, extra)| {
            Part::Call(ToolCall { id: String::new(), name, arguments: json!({"input": input}).to_string(), extra })
        }),
    ]
}

/// The parts of an answer; calls have ids of their own.
fn parts() -> impl Strategy<Value = Vec<Part>> {
    vec(part(), 1..8).prop_map(|mut parts| {
        for (number, part) in parts.iter_mut().enumerate() {
            if let Part::Call(call) = part {
                call.id = format!("call_{number}");
            }
        }
        parts
    })
}

/// `text` in pieces of at most `size` characters.
fn pieces(text: &str, size: usize) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(size).map(|piece| piece.iter().collect()).collect()
}

/// A part as the pieces of a block.
fn events(block: u32, part: &Part, size: usize) -> Vec<Event> {
    let said = |text: &str, event: fn(u32, String) -> Event| {
        pieces(text, size).into_iter().map(move |text| event(block, text))
    };
    match part {
        Part::Text(text) => said(text, |block, text| Event::Text { block, text }).collect(),
        Part::Refusal(text) => said(text, |block, text| Event::Refusal { block, text }).collect(),
        Part::Thinking(Thinking { text, redacted: true, .. }) => vec![Event::Redacted { block, text: text.clone() }],
        Part::Thinking(Thinking { text, signature, .. }) => {
            let signature = signature.iter().map(|text| Event::Signature { block, text: text.clone() });
            said(text, |block, text| Event::Thinking { block, text }).chain(signature).collect()
        }
        Part::Call(ToolCall { id, name, arguments, extra }) => {
            let begun = Event::CallStarted { block, id: id.clone(), name: name.clone(), extra: extra.clone() };
            let given = said(arguments, |block, text| Event::CallArguments { block, text });
            std::iter::once(begun).chain(given).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// The items of the stream that says `parts`; neighbouring calls interleave.
fn streamed(parts: &[Part], size: usize) -> Vec<Value> {
    let mut writer = Writer::new(frame());
    let mut all: Vec<Event> = Vec::new();
    let mut blocks = (0u32..).zip(parts).peekable();
    while let Some((block, part)) = blocks.next() {
        let mut lanes = vec![events(block, part, size)];
        if matches!(part, Part::Call(_)) {
            while let Some((block, part)) = blocks.next_if(|(_, part)| matches!(part, Part::Call(_))) {
                lanes.push(events(block, part, size));
            }
        }
        let longest = lanes.iter().map(Vec::len).max().unwrap_or_default();
        (0..longest).for_each(|place| all.extend(lanes.iter().filter_map(|lane| lane.get(place)).cloned()));
    }
    all.push(Event::Stopped(Stop { reason: StopReason::Complete, sequence: None }));
    let mut out = Vec::new();
    all.into_iter().for_each(|event| writer.event(&mut out, event));
    writer.done(&mut out);
    let text = String::from_utf8(out).unwrap();
    let last = text.trim_end().rsplit("\n\n").next().and_then(|event| event.split_once("data: ")).unwrap().1.to_owned();
    let last: Value = serde_json::from_str(&last).unwrap();
    last["response"]["output"].as_array().unwrap().clone()
}

fn without_ids(items: &[Value]) -> Vec<Value> {
    let plain = |item: &Value| {
        let mut item = item.clone();
        item.as_object_mut().unwrap().shift_remove("id");
        item
    };
    items.iter().map(plain).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_stream_says_what_the_whole_answer_says(parts in parts(), size in 1usize..9) {
        let whole = json!(frame().items(parts.clone(), &[], "completed"));
        prop_assert_eq!(without_ids(&streamed(&parts, size)), without_ids(whole.as_array().unwrap()));
    }

    #[test]
    fn what_was_answered_is_read_again(parts in parts(), size in 1usize..9) {
        let messages = asked(Value::from(streamed(&parts, size))).request.messages;
        prop_assert!(messages.iter().all(|message| message.role == Role::Assistant && message.extra.is_empty()));
        let again: Vec<Part> = messages.into_iter().flat_map(|message| message.parts).collect();
        prop_assert_eq!(again, parts);
    }
}
