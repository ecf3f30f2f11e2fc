//! Streams in the vendor's documented format, and in every odd one that must be borne.

use mortise_sdk::chat::{Event, Field, Request, Stop, StopReason, Usage};
use mortise_sdk::provider::ErrorKind;
use mortise_sdk::testing::{Answer, Run};
use serde_json::{Value, json};

use super::{hello, run};

pub(super) fn stream() -> Run {
    let mut run = run(Request { streaming: true, ..hello() });
    assert_eq!(run.sent_json()["stream"], true);
    run.head(200, &[("content-type", "text/event-stream; charset=utf-8")]);
    run
}

pub(super) fn sse(events: &[Value]) -> String {
    let event = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default());
    events.iter().map(event).collect()
}

pub(super) fn start() -> Value {
    json!({"type": "message_start", "message": {
        "id": "msg_1nZdL29xx5MUA1yADyHTEsnR8uuvGzszyY", "type": "message", "role": "assistant", "content": [],
        "model": "claude-opus-4-5-20251101", "stop_reason": null, "stop_sequence": null,
        "usage": {"input_tokens": 25, "cache_creation_input_tokens": 10, "cache_read_input_tokens": 100, "output_tokens": 1},
    }})
}

pub(super) fn begins(index: u32, block: Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

pub(super) fn piece(index: u32, delta: Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

pub(super) fn ends(index: u32) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

pub(super) fn why(reason: &str) -> Value {
    json!({
        "type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null}, "usage": {"output_tokens": 15},
    })
}

pub(super) fn stop() -> Value {
    json!({"type": "message_stop"})
}

pub(super) fn words(text: &str) -> Value {
    json!({"type": "text_delta", "text": text})
}

pub(super) fn input(json: &str) -> Value {
    json!({"type": "input_json_delta", "partial_json": json})
}

fn tool(id: &str) -> Value {
    json!({"type": "tool_use", "id": id, "name": "get_weather", "input": {}})
}

fn empty_text() -> Value {
    json!({"type": "text", "text": ""})
}

fn whole(events: &[Value]) -> Run {
    let mut run = stream();
    run.body(sse(events).as_bytes());
    assert_eq!(run.error(), None);
    assert!(run.finished(), "{:?}", run.events());
    run
}

fn answer(events: &[Value]) -> Answer {
    whole(events).answer()
}

#[test]
fn words_come_as_they_are_said() {
    let events = [
        start(),
        begins(0, empty_text()),
        json!({"type": "ping"}),
        piece(0, words("Hel")),
        piece(0, words("lo!")),
        ends(0),
        why("end_turn"),
        stop(),
    ];
    let run = whole(&events);
    let texts =
        run.events().into_iter().filter_map(|e| if let Event::Text(delta) = e { Some(delta.text) } else { None });
    assert_eq!(texts.collect::<Vec<_>>(), ["Hel", "lo!"]);
    let answer = run.answer();
    assert_eq!(answer.id.as_deref(), Some("msg_1nZdL29xx5MUA1yADyHTEsnR8uuvGzszyY"));
    assert_eq!(answer.model.as_deref(), Some("claude-opus-4-5-20251101"));
    assert_eq!(answer.stop, Some(Stop { reason: StopReason::Complete, sequence: None }));
    // Input from the beginning, output from the end.
    let usage = Usage {
        input: 135,
        output: 15,
        cache_read: 100,
        cache_write: 10,
        cache_write_hour: 0,
        reasoning: 0,
        cost: None,
    };
    assert_eq!(answer.usage, Some(usage));
    assert!(matches!(run.events()[1], Event::Usage(Usage { input: 135, output: 1, .. })), "known from the beginning");
}

#[test]
fn calls_after_words() {
    let answer = answer(&[
        start(),
        begins(0, empty_text()),
        piece(0, words("Let me see.")),
        ends(0),
        begins(1, tool("toolu_1")),
        piece(1, input("")),
        piece(1, input("{\"location\":")),
        piece(1, input(" \"Paris\"}")),
        ends(1),
        begins(2, tool("toolu_2")),
        ends(2),
        why("tool_use"),
        stop(),
    ]);
    let calls: Vec<_> = answer.calls.iter().map(|call| (call.id.as_str(), call.arguments.as_str())).collect();
    assert_eq!(calls, [("toolu_1", "{\"location\": \"Paris\"}"), ("toolu_2", "")]);
    assert_eq!(answer.stop.unwrap().reason, StopReason::ToolCalls);
}

#[test]
fn a_block_may_be_whole_at_its_beginning() {
    let answer = answer(&[
        start(),
        begins(0, json!({"type": "thinking", "thinking": "Hm", "signature": "Eq"})),
        piece(0, json!({"type": "thinking_delta", "thinking": "."})),
        piece(0, json!({"type": "signature_delta", "signature": "QB"})),
        ends(0),
        begins(1, json!({"type": "text", "text": "So"})),
        piece(1, words(":")),
        ends(1),
        begins(2, json!({"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}})),
        ends(2),
        begins(3, json!({"type": "tool_use", "id": "b", "name": "f", "input": {"x": 1}})),
        piece(3, input("{\"y\":2}")),
        ends(3),
        why("tool_use"),
        stop(),
    ]);
    assert_eq!((answer.thinking.as_str(), answer.text.as_str()), ("Hm.", "So:"));
    assert_eq!(answer.signature.as_deref(), Some("EqQB"), "whole, and once");
    let arguments: Vec<_> = answer.calls.iter().map(|call| call.arguments.as_str()).collect();
    assert_eq!(arguments, ["{\"x\":1}", "{\"y\":2}"]);
}

#[test]
fn a_thought_that_is_not_shown_keeps_its_signature() {
    let events = [
        start(),
        begins(0, json!({"type": "thinking", "thinking": "", "signature": ""})),
        piece(0, json!({"type": "signature_delta", "signature": "EqQB"})),
        ends(0),
        begins(1, json!({"type": "redacted_thinking", "data": "EmwK"})),
        ends(1),
        why("end_turn"),
        stop(),
    ];
    let events = whole(&events).events();
    assert!(events.iter().all(|event| !matches!(event, Event::Thinking(_))));
    let opaque = events.iter().filter_map(|event| match event {
        Event::Signature(delta) | Event::Redacted(delta) => Some((delta.block, delta.text.as_str())),
        _ => None,
    });
    assert_eq!(opaque.collect::<Vec<_>>(), [(0, "EqQB"), (1, "EmwK")]);
}

#[test]
fn the_vendor_s_own_tools_come_out_as_they_would_stand_in_a_whole_answer() {
    let search = json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}});
    let found = json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"url": "u"}]});
    let citation = json!({"type": "web_search_result_location", "url": "u", "cited_text": "x"});
    let answer = answer(&[
        start(),
        begins(0, search),
        piece(0, input("{\"query\": ")),
        piece(0, input("\"weather\"}")),
        ends(0),
        begins(1, found.clone()),
        ends(1),
        begins(2, json!({"type": "text", "text": "", "citations": []})),
        piece(2, json!({"type": "citations_delta", "citation": citation})),
        piece(2, words("Fine.")),
        ends(2),
        why("end_turn"),
        stop(),
    ]);
    let other: Vec<Value> = answer.other.iter().map(|block| serde_json::from_str(block).unwrap()).collect();
    let searched =
        json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "weather"}});
    assert_eq!(other, [searched, found]);
    assert_eq!((answer.annotations, answer.text.as_str()), (vec![citation.to_string()], "Fine."));
    assert!(answer.calls.is_empty());
    assert_eq!(answer.stop.unwrap().reason, StopReason::Complete);
}

#[test]
fn kinds_that_nobody_knows_yet_are_borne() {
    let answer = answer(&[
        start(),
        json!({"type": "weather_report", "index": "x"}),
        begins(0, json!({"type": "compaction", "content": null})),
        piece(0, json!({"type": "compaction_delta", "content": "So far: "})),
        piece(0, json!({"type": "compaction_delta", "content": "nothing."})),
        ends(0),
        begins(1, empty_text()),
        piece(1, json!({"type": "colour_delta", "colour": "red"})),
        piece(1, words("Hi")),
        ends(1),
        why("end_turn"),
        stop(),
    ]);
    let other: Value = serde_json::from_str(&answer.other[0]).unwrap();
    assert_eq!(other, json!({"type": "compaction", "content": "So far: nothing."}));
    assert_eq!(answer.text, "Hi");
}

#[test]
fn blocks_may_interleave_and_need_no_end() {
    let answer = answer(&[
        start(),
        begins(0, tool("a")),
        begins(1, tool("b")),
        piece(1, input("{\"b\":")),
        piece(0, input("{\"a\":1}")),
        piece(1, input("2}")),
        begins(2, json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}})),
        piece(2, input("{\"cut")),
        why("max_tokens"),
        stop(),
    ]);
    let arguments: Vec<_> = answer.calls.iter().map(|call| call.arguments.as_str()).collect();
    assert_eq!(arguments, ["{\"a\":1}", "{\"b\":2}"]);
    assert_eq!(serde_json::from_str::<Value>(&answer.other[0]).unwrap()["input"], json!({}));
    assert_eq!(answer.stop.unwrap().reason, StopReason::Length);
}

#[test]
fn a_number_that_comes_again_is_a_new_block() {
    let answer = answer(&[
        start(),
        begins(0, tool("a")),
        piece(0, input("{\"a\":1}")),
        begins(0, tool("b")),
        piece(0, input("{\"b\":2}")),
        ends(0),
        begins(0, empty_text()),
        piece(0, words("So.")),
        ends(0),
        why("tool_use"),
        stop(),
    ]);
    let arguments: Vec<_> = answer.calls.iter().map(|call| call.arguments.as_str()).collect();
    assert_eq!((arguments, answer.text.as_str()), (vec!["{\"a\":1}", "{\"b\":2}"], "So."));
}

#[test]
fn the_end_tells_what_else_there_is_to_tell() {
    let mut end = why("stop_sequence");
    end["delta"]["stop_sequence"] = json!("END");
    end["delta"]["container"] = json!({"id": "c"});
    end["context_management"] = json!({"applied_edits": [1]});
    end["usage"] = json!({
        "input_tokens": 0, "output_tokens": 20, "cache_read_input_tokens": 150, "server_tool_use": {"web_search_requests": 2},
        "output_tokens_details": {"thinking_tokens": 7},
    });
    let answer = answer(&[start(), begins(0, empty_text()), piece(0, words("x")), ends(0), end, stop()]);
    assert_eq!(answer.stop, Some(Stop { reason: StopReason::StopSequence, sequence: Some("END".into()) }));
    let usage = Usage {
        input: 185,
        output: 20,
        cache_read: 150,
        cache_write: 10,
        cache_write_hour: 0,
        reasoning: 7,
        cost: None,
    };
    assert_eq!(answer.usage, Some(usage), "a zero changes nothing, the rest grows");
    assert_eq!(
        answer.extra,
        [
            Field::new("usage.server_tool_use", r#"{"web_search_requests":2}"#),
            Field::new("context_management", r#"{"applied_edits":[1]}"#),
            Field::new("container", r#"{"id":"c"}"#),
        ]
    );
}

#[test]
fn an_error_within_a_stream_keeps_its_kind() {
    for (kind, expected) in [
        ("overloaded_error", ErrorKind::Overloaded),
        ("rate_limit_error", ErrorKind::RateLimited),
        ("api_error", ErrorKind::Upstream),
        ("invalid_request_error", ErrorKind::InvalidRequest),
    ] {
        let error =
            json!({"type": "error", "error": {"details": null, "type": kind, "message": "Alas"}, "request_id": "r"});
        let mut run = stream();
        run.body(sse(&[start(), begins(0, empty_text()), piece(0, words("Hel")), error]).as_bytes());
        let told = run.error().unwrap();
        assert_eq!((told.kind, told.message.as_str()), (expected, "Alas"));
        assert_eq!((run.answer().text.as_str(), run.answer().stop), ("Hel", None));
    }
}

#[test]
fn events_need_no_names_and_other_vendors_say_farewell_otherwise() {
    let events = [start(), begins(0, empty_text()), piece(0, words("x")), ends(0), why("end_turn")];
    let unnamed: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    let mut run = stream();
    run.body((unnamed.clone() + "data: [DONE]\n\n").as_bytes());
    assert!(run.finished());
    let mut run = stream();
    run.body(unnamed.as_bytes()).end();
    assert!(run.finished(), "the reason was told");
    let mut run = stream();
    run.body(b"data: [DONE]\n\n");
    assert_eq!(run.error().unwrap().kind, ErrorKind::Upstream);
}

#[test]
fn an_end_without_a_reason_is_none() {
    let mut run = stream();
    run.body(sse(&[start(), begins(0, empty_text()), piece(0, words("x")), ends(0), stop()]).as_bytes());
    assert_eq!(run.error().unwrap().kind, ErrorKind::Upstream);
    assert_eq!(run.answer().stop, None);
}

#[test]
fn nonsense_is_an_error_and_nothing_of_it_leaks() {
    let secret = "s3cret-of-somebody";
    let nonsense = [
        format!("{{\"type\": \"{secret}"),
        format!("\"{secret}\""),
        format!("[\"{secret}\"]"),
        json!({"no_type": secret}).to_string(),
        json!({"type": "content_block_delta", "delta": words(secret)}).to_string(),
        piece(7, words(secret)).to_string(),
        json!({"type": "content_block_start", "index": secret, "content_block": tool("a")}).to_string(),
        piece(0, input(secret)).to_string(),
        piece(0, json!({"type": "text_delta", "text": [secret]})).to_string(),
        begins(1, json!({"type": "tool_use", "id": "", "name": secret, "input": {}})).to_string(),
        json!({"type": "message_delta", "delta": {"stop_reason": [secret]}}).to_string(),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": secret}).to_string(),
    ];
    for line in nonsense {
        let mut run = stream();
        run.body(sse(&[start(), begins(0, empty_text())]).as_bytes());
        run.body(format!("data: {line}\n\n").as_bytes());
        let error = run.error().unwrap_or_else(|| panic!("no error for {line}"));
        assert_eq!(error.kind, ErrorKind::Upstream, "{line}");
        assert!(!format!("{error:?}").contains(secret), "{error:?}");
    }
}
