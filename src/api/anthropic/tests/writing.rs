//! Streams, as they are written for events of every kind.

use serde_json::{Value, json};

use super::super::stream::Writer;
use crate::model::chat::*;
use crate::model::id::RequestId;
use crate::model::{Error, Fault, Kind};

fn writer(same: bool) -> Writer {
    Writer::new("msg_1".into(), "m".into(), same)
}

fn read(out: Vec<u8>) -> Vec<Value> {
    let text = String::from_utf8(out).unwrap();
    text.split("\n\n")
        .filter_map(|event| event.split_once("\ndata: "))
        .map(|(name, data)| {
            let data: Value = serde_json::from_str(data).unwrap();
            assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
            data
        })
        .collect()
}

fn written(events: Vec<Event>, same: bool) -> Vec<Value> {
    let (mut writer, mut out) = (writer(same), Vec::new());
    events.into_iter().for_each(|event| writer.event(&mut out, event).unwrap());
    writer.done(&mut out);
    read(out)
}

/// A line for each event: short enough to compare.
fn brief(events: &[Value]) -> Vec<String> {
    events
        .iter()
        .map(|event| match event["type"].as_str().unwrap() {
            "message_start" => "start".into(),
            "content_block_start" => format!("{} {}", event["index"], event["content_block"]["type"].as_str().unwrap()),
            "content_block_delta" => {
                let (_, value) = event["delta"].as_object().unwrap().iter().find(|(name, _)| *name != "type").unwrap();
                format!("{} + {value}", event["index"])
            }
            "content_block_stop" => format!("{} end", event["index"]),
            "message_delta" => format!("because {}", event["delta"]["stop_reason"].as_str().unwrap()),
            other => other.into(),
        })
        .collect()
}

fn text(block: u32, text: &str) -> Event {
    Event::Text { block, text: text.into() }
}

fn call(block: u32, id: &str) -> Event {
    Event::CallStarted { block, id: id.into(), name: "f".into(), extra: Vec::new() }
}

fn arguments(block: u32, text: &str) -> Event {
    Event::CallArguments { block, text: text.into() }
}

fn stop(reason: StopReason) -> Event {
    Event::Stopped(Stop { reason, sequence: None })
}

#[test]
fn calls_that_interleave_come_one_after_another() {
    let events = vec![
        text(0, "so"),
        call(1, "a"),
        call(2, "b"),
        arguments(2, "{\"y\":"),
        arguments(1, "{\"x\":"),
        text(0, "late"),
        arguments(2, "2}"),
        arguments(1, "1}"),
        text(0, "r"),
        stop(StopReason::ToolCalls),
    ];
    insta::assert_debug_snapshot!(brief(&written(events, false)));
}

#[test]
fn a_call_without_arguments_is_one_with_none() {
    let events = vec![
        call(0, "a"),
        call(1, "b"),
        arguments(1, "null"),
        call(2, "c"),
        arguments(2, ""),
        stop(StopReason::Complete),
    ];
    let none = |index: usize| [format!("{index} tool_use"), format!("{index} + \"{{}}\""), format!("{index} end")];
    let calls = (0..3).flat_map(none).collect::<Vec<_>>();
    assert_eq!(brief(&written(events, false))[1..10], calls);
}

#[test]
fn arguments_that_are_no_object_are_wrapped() {
    let events = vec![call(0, "a"), arguments(0, "[1"), arguments(0, ", 2]"), stop(StopReason::ToolCalls)];
    let deltas: Vec<Value> = written(events, false)
        .iter()
        .filter_map(|event| event["delta"]["partial_json"].as_str()?.parse().ok())
        .collect();
    assert_eq!(deltas, [json!({"INVALID_JSON": "[1, 2]"})]);
}

#[test]
fn a_block_that_says_nothing_is_not_begun() {
    let events = vec![
        text(0, ""),
        Event::Thinking { block: 1, text: String::new() },
        Event::Signature { block: 1, text: String::new() },
        call(2, "a"),
        text(0, ""),
        stop(StopReason::Complete),
    ];
    let lines = brief(&written(events, false));
    assert_eq!(lines, ["start", "0 tool_use", "0 + \"{}\"", "0 end", "because tool_use", "message_stop"]);
    assert_eq!(brief(&written(vec![stop(StopReason::Complete)], false)), ["start", "because end_turn", "message_stop"]);
}

#[test]
fn thoughts_come_with_their_signature_and_before_the_answer() {
    let events = vec![
        Event::Thinking { block: 0, text: "hm".into() },
        Event::Signature { block: 0, text: "sig".into() },
        Event::Redacted { block: 1, text: "xyz".into() },
        Event::Signature { block: 2, text: "alone".into() },
        text(3, "so"),
        stop(StopReason::Complete),
    ];
    insta::assert_debug_snapshot!(brief(&written(events, false)));
}

#[test]
fn fields_of_a_call_stand_in_its_block() {
    let extra =
        vec![Field { name: "extra_content".into(), value: "{\"google\":{\"thought_signature\":\"s\"}}".into() }];
    let begun = Event::CallStarted { block: 0, id: "functions.f:0".into(), name: "f".into(), extra };
    let events = written(vec![begun, stop(StopReason::ToolCalls)], false);
    let block = json!({
        "type": "tool_use", "id": "toolu-b64-ZnVuY3Rpb25zLmY6MA", "name": "f", "input": {},
        "extra_content": {"google": {"thought_signature": "s"}},
    });
    assert_eq!(events[1]["content_block"], block);
}

#[test]
fn what_is_said_in_this_dialect_is_said_as_it_came() {
    let search = r#"{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query" : "x"}}"#;
    let found = r#"{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[]}"#;
    let cited = r#"{"type":"web_search_result_location","url":"https://example.com"}"#;
    let events = || {
        vec![
            Event::Other { block: 0, text: search.into() },
            Event::Other { block: 1, text: found.into() },
            Event::Annotation { block: 2, text: cited.into() },
            text(2, "so"),
            Event::Annotation { block: 2, text: cited.into() },
            stop(StopReason::Complete),
        ]
    };
    let same = written(events(), true);
    insta::assert_debug_snapshot!(brief(&same));
    assert_eq!(same[1]["content_block"]["input"], json!({}));
    assert_eq!(
        brief(&written(events(), false)),
        ["start", "0 text", "0 + \"so\"", "0 end", "because end_turn", "message_stop"]
    );
}

#[test]
fn usage_is_told_at_both_ends_without_what_was_cached() {
    let usage =
        Usage { input: 100, output: 1, cache_read: 60, cache_write: 30, cache_write_hour: 0, reasoning: 0, cost: None };
    let field = |name: &str, value: &str| Event::Extra(Field { name: name.into(), value: value.into() });
    let events = written(
        vec![
            Event::Started { id: Some("msg_2".into()), model: Some("m-2".into()) },
            Event::Usage(usage),
            field("usage.service_tier", "\"standard\""),
            text(0, "so"),
            stop(StopReason::Complete),
            Event::Usage(Usage { output: 9, reasoning: 4, ..usage }),
            field("container", "null"),
            field("context_management", "{}"),
            field("usage.input_tokens", "7"),
        ],
        true,
    );
    let counts = json!({
        "input_tokens": 10, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 60, "output_tokens": 1,
        "service_tier": "standard",
    });
    assert_eq!((&events[0]["message"]["usage"], &events[0]["message"]["id"]), (&counts, &json!("msg_2")));
    let end = json!({
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": null, "container": null},
        "usage": {
            "input_tokens": 10, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 60, "output_tokens": 9,
            "output_tokens_details": {"thinking_tokens": 4}, "service_tier": "standard",
        },
        "context_management": {},
    });
    assert_eq!(events[4], end);
}

#[test]
fn a_failure_closes_what_is_open_and_ends_nothing() {
    let (mut writer, mut out) = (writer(false), Vec::new());
    for event in [text(0, "so"), call(1, "a"), arguments(1, "{\"x\""), call(2, "b")] {
        writer.event(&mut out, event).unwrap();
    }
    let error = Error::new(Kind::Overloaded, Fault::Upstream, "too busy");
    writer.failed(&mut out, &error, &RequestId::new(uuid::Uuid::nil()));
    let events = read(out);
    let (last, before) = events.split_last().unwrap();
    assert_eq!(brief(before).last().unwrap(), "1 end");
    let told = json!({
        "type": "error", "error": {"type": "overloaded_error", "message": "too busy"},
        "request_id": "req_00000000000000000000000000000000",
    });
    assert_eq!(*last, told);
}

#[test]
fn what_has_no_place_any_more_is_an_error() {
    let mut writer = writer(false);
    let mut say = |event: Event| writer.event(&mut Vec::new(), event);
    say(call(0, "a")).unwrap();
    say(arguments(0, "{}")).unwrap();
    say(text(1, "so")).unwrap();
    say(arguments(0, " \n")).unwrap();
    assert!(say(arguments(0, "{}")).is_err());
    assert!(say(arguments(7, "{}")).is_err());
}

#[test]
fn the_reason_fits_what_was_given() {
    let reason = |events: Vec<Event>| brief(&written(events, false)).into_iter().rev().nth(1).unwrap();
    let refusal = || Event::Refusal { block: 5, text: "no".into() };
    for (events, expected) in [
        (vec![stop(StopReason::ToolCalls)], "end_turn"),
        (vec![call(0, "a"), stop(StopReason::Complete)], "tool_use"),
        (vec![call(0, "a"), stop(StopReason::StopSequence)], "tool_use"),
        (vec![call(0, "a"), stop(StopReason::Length)], "max_tokens"),
        (vec![refusal(), stop(StopReason::Complete)], "refusal"),
        (vec![refusal(), stop(StopReason::Length)], "max_tokens"),
        (vec![stop(StopReason::Refusal)], "refusal"),
        (vec![stop(StopReason::Pause)], "pause_turn"),
    ] {
        assert_eq!(reason(events), format!("because {expected}"));
    }
}
