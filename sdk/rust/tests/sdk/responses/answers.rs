//! What the answers of `/responses` become: whole, streamed, unfinished, cut.

use mortise_sdk::chat::{Event, Field, Request, Started, StopReason, Usage};
use mortise_sdk::provider::ErrorKind;
use mortise_sdk::testing::Run;
use serde_json::{Value, json};

use super::{ask, plain, request};

const USAGE: &str = r#"{"input_tokens":30,"input_tokens_details":{"cached_tokens":8},"output_tokens":20,"output_tokens_details":{"reasoning_tokens":12},"total_tokens":50}"#;

/// The items of an answer with everything in it.
fn items() -> Vec<Value> {
    vec![
        json!({"type": "reasoning", "id": "rs_1", "summary": [
            {"type": "summary_text", "text": "思 first"}, {"type": "summary_text", "text": "then"},
        ], "encrypted_content": "gAAA"}),
        json!({"type": "web_search_call", "id": "ws_1", "status": "completed"}),
        json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
            {"type": "output_text", "text": "Grüße", "annotations": [{"type": "url_citation", "url": "u"}], "logprobs": []},
            {"type": "refusal", "refusal": "but no"},
        ]}),
        json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{\"é\":1}", "status": "completed"}),
        json!({"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_2", "name": "sh", "input": "ls\n", "namespace": "n"}),
        json!({"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "gBBB"}),
    ]
}

fn response(status: &str, more: Value) -> Value {
    let mut response = json!({"id": "resp_1", "object": "response", "model": "m-1", "status": status, "output": [],
        "error": null, "incomplete_details": null, "service_tier": "default", "tools": [{"type": "function"}]});
    response.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    response
}

fn sse(events: &[Value]) -> Vec<u8> {
    events
        .iter()
        .flat_map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()).into_bytes())
        .collect()
}

/// The same answer, as a stream that says everything in pieces, interleaved.
fn streamed() -> Vec<u8> {
    let delta = |kind: &str, item: u32, part: u32, text: &str| json!({"type": format!("response.{kind}.delta"), "output_index": item, "content_index": part, "summary_index": part, "delta": text, "sequence_number": 9});
    let mut added = items();
    for item in &mut added {
        for field in ["arguments", "input"] {
            if item.get(field).is_some() {
                item[field] = json!("");
            }
        }
        for field in ["summary", "content"] {
            if item.get(field).is_some() {
                item[field] = json!([]);
            }
        }
        item.as_object_mut().unwrap().remove("encrypted_content");
    }
    let added =
        |index: usize| json!({"type": "response.output_item.added", "output_index": index, "item": added[index]});
    let done =
        |index: usize| json!({"type": "response.output_item.done", "output_index": index, "item": items()[index]});
    let usage: Value = serde_json::from_str(USAGE).unwrap();
    sse(&[
        json!({"type": "response.created", "response": response("in_progress", json!({}))}),
        json!({"type": "response.in_progress", "response": response("in_progress", json!({}))}),
        added(0),
        delta("reasoning_summary_text", 0, 0, "思 "),
        delta("reasoning_summary_text", 0, 0, "first"),
        delta("reasoning_summary_text", 0, 1, "then"),
        done(0),
        added(1),
        json!({"type": "response.web_search_call.searching", "output_index": 1, "item_id": "ws_1"}),
        done(1),
        added(2),
        json!({"type": "response.content_part.added", "output_index": 2, "content_index": 0, "part": {"type": "output_text", "text": ""}}),
        delta("output_text", 2, 0, "Grü"),
        added(3),
        delta("function_call_arguments", 3, 0, "{\"é\""),
        added(4),
        delta("output_text", 2, 0, "ße"),
        json!({"type": "response.output_text.annotation.added", "output_index": 2, "content_index": 0, "annotation": {"type": "url_citation", "url": "u"}}),
        json!({"type": "response.output_text.done", "output_index": 2, "content_index": 0, "text": "Grüße"}),
        delta("refusal", 2, 1, "but no"),
        done(2),
        delta("custom_tool_call_input", 4, 0, "ls\n"),
        delta("function_call_arguments", 3, 0, ":1}"),
        done(3),
        done(4),
        done(5),
        json!({"type": "response.completed", "response": response("completed", json!({"output": items(), "usage": usage}))}),
    ])
}

fn check(run: &Run) {
    assert_eq!(run.error(), None);
    assert!(run.finished());
    let answer = run.answer();
    assert_eq!(run.events()[0], Event::Started(Started { id: Some("resp_1".into()), model: Some("m-1".into()) }));
    assert_eq!((answer.text.as_str(), answer.refusal.as_str()), ("Grüße", "but no"));
    assert_eq!((answer.thinking.as_str(), answer.signature.as_deref()), ("思 first\n\nthen", Some("rs_1:gAAA")));
    let redacted: Vec<_> = run
        .events()
        .into_iter()
        .filter_map(|event| if let Event::Redacted(delta) = event { Some(delta.text) } else { None })
        .collect();
    assert_eq!(redacted, ["rs_2:gBBB"]);
    assert_eq!(answer.annotations, [r#"{"type":"url_citation","url":"u"}"#]);
    assert_eq!(answer.other, [items()[1].to_string()]);
    let calls: Vec<_> = answer.calls.iter().map(|call| (&*call.id, &*call.name, &*call.arguments)).collect();
    assert_eq!(calls, [("call_1", "f", "{\"é\":1}"), ("call_2", "sh", "ls\n")]);
    assert_eq!(answer.calls[1].extra, [Field::new("namespace", "\"n\"")]);
    let usage = Usage { input: 30, output: 20, cache_read: 8, reasoning: 12, ..Usage::default() };
    assert_eq!((answer.usage, answer.stop.unwrap().reason), (Some(usage), StopReason::ToolCalls));
    assert_eq!(answer.extra, [Field::new("service_tier", "\"default\"")]);
}

#[test]
fn a_whole_answer_and_each_form_of_its_stream_say_the_same() {
    let usage: Value = serde_json::from_str(USAGE).unwrap();
    let whole = response("completed", json!({"output": items(), "usage": usage}));
    let mut run = ask(plain());
    run.respond(200, whole.to_string().as_bytes());
    check(&run);
    let stream = || {
        let mut run = ask(Request { streaming: true, ..plain() });
        run.head(200, &[]);
        run
    };
    let mut run = stream();
    run.body(&streamed());
    check(&run);
    let mut run = stream();
    let bytes = streamed();
    run.pieces(&bytes, &(0..bytes.len()).collect::<Vec<_>>());
    check(&run);
    // A vendor that says everything at the end.
    let mut run = stream();
    run.body(&sse(&[json!({"type": "response.completed", "response": whole})]));
    check(&run);
}

#[test]
fn a_caller_of_the_dialect_learns_the_name_of_a_thought_before_its_words() {
    let raw = Some(r#"{"model":"m","input":"hi","stream":true}"#.into());
    let dialect = Some("openai-responses".into());
    let mut run = ask(Request { dialect, raw, streaming: true, ..request(Vec::new()) });
    run.head(200, &[]).body(&streamed());
    check(&run);
    let thought = |event: &Event| matches!(event, Event::Thinking(_) | Event::Signature(_));
    let first = run.events().into_iter().find(thought);
    assert!(matches!(first, Some(Event::Signature(delta)) if delta.text == "rs_1:"));
}

#[test]
fn every_cut_before_the_last_event_is_an_error() {
    let bytes = streamed();
    let last = bytes.windows(25).position(|window| window == b"event: response.completed").unwrap();
    for cut in (0..last).step_by(7).chain([bytes.len() - 2]) {
        for broken in [false, true] {
            let mut run = ask(Request { streaming: true, ..plain() });
            run.head(200, &[]).body(&bytes[..cut]);
            if broken {
                run.broken("cut")
            } else {
                run.end()
            };
            assert!(run.error().is_some() && !run.finished(), "cut at {cut}");
        }
    }
}

#[test]
fn unfinished_answers_tell_why_and_what_they_took() {
    let usage: Value = serde_json::from_str(USAGE).unwrap();
    let end = |kind: &str, status: &str, more: Value| {
        let mut fields = json!({"usage": usage});
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut run = ask(Request { streaming: true, ..plain() });
        run.head(200, &[]).body(&sse(&[json!({"type": kind, "response": response(status, fields)})]));
        assert_eq!(run.answer().usage.unwrap().output, 20);
        run
    };
    let cut = |reason: &str| {
        let details = json!({"incomplete_details": {"reason": reason}});
        end("response.incomplete", "incomplete", details).answer().stop.unwrap().reason
    };
    assert_eq!((cut("max_output_tokens"), cut("content_filter")), (StopReason::Length, StopReason::Refusal));
    let error = json!({"error": {"code": "rate_limit_exceeded", "message": "slow down"}});
    let failed = end("response.failed", "failed", error);
    let error = failed.error().unwrap();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::RateLimited, "slow down"));
    assert_eq!(failed.answer().stop, None);
}

#[test]
fn errors_within_a_stream_have_the_vendor_s_words() {
    let said = |event: Value| {
        let mut run = ask(Request { streaming: true, ..plain() });
        run.head(200, &[]).body(&sse(&[event]));
        run.error().unwrap().clone()
    };
    let flat =
        said(json!({"type": "error", "code": "server_error", "message": "oh", "param": null, "sequence_number": 1}));
    assert_eq!((flat.kind, flat.message.as_str()), (ErrorKind::Upstream, "oh"));
    let nested = said(json!({"type": "error", "error": {"code": "context_length_exceeded", "message": "too long"}}));
    assert_eq!((nested.kind, nested.message.as_str()), (ErrorKind::ContextTooLong, "too long"));
    let unreadable = said(json!({"type": "response.completed", "response": "secret"}));
    assert_eq!(unreadable.message, "the vendor sent an answer that can't be read");
}

#[test]
fn a_call_without_a_name_is_none() {
    let item = json!({"type": "function_call", "id": "", "call_id": "", "name": "", "arguments": "{}"});
    let mut run = ask(plain());
    run.respond(200, response("completed", json!({"output": [item]})).to_string().as_bytes());
    assert_eq!(run.error().unwrap().message, "the vendor sent a tool call without a name");
    for nothing in ["{}", "[]", "x"] {
        let mut run = ask(plain());
        run.respond(200, nothing.as_bytes());
        assert_eq!(run.error().unwrap().kind, ErrorKind::Upstream, "{nothing}");
    }
}
