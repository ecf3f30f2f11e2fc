//! Whole answers, and what the vendor says instead of one.

use mortise_sdk::chat::{Event, Field, Request, Stop, StopReason, Usage};
use mortise_sdk::provider::ErrorKind;
use mortise_sdk::testing::{Answer, Run};
use serde_json::{Value, json};

use super::{hello, run};

fn respond(request: Request, body: &Value) -> Run {
    let mut run = run(request);
    run.respond(200, body.to_string().as_bytes());
    assert_eq!(run.error(), None);
    assert!(run.finished());
    run
}

fn answer(body: &Value) -> Answer {
    respond(hello(), body).answer()
}

/// An answer in the vendor's format.
fn message(content: Value, stop_reason: &str) -> Value {
    json!({
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929",
        "content": content, "stop_reason": stop_reason, "stop_sequence": null,
        "usage": {"input_tokens": 12, "output_tokens": 6},
    })
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn stopped(reason: StopReason) -> Option<Stop> {
    Some(Stop { reason, sequence: None })
}

#[test]
fn a_plain_answer() {
    let answer = answer(&message(json!([text("Hello!")]), "end_turn"));
    assert_eq!(answer.id.as_deref(), Some("msg_01XFDUDYJgAACzvnptvVoYEL"));
    assert_eq!(answer.model.as_deref(), Some("claude-sonnet-4-5-20250929"));
    assert_eq!((answer.text.as_str(), answer.stop), ("Hello!", stopped(StopReason::Complete)));
    assert_eq!(answer.usage, Some(Usage { input: 12, output: 6, ..Usage::default() }));
    assert_eq!(answer.extra, []);
}

#[test]
fn every_stop_reason() {
    for (word, reason) in [
        ("end_turn", StopReason::Complete),
        ("max_tokens", StopReason::Length),
        ("model_context_window_exceeded", StopReason::Length),
        ("pause_turn", StopReason::Pause),
        ("refusal", StopReason::Refusal),
        ("tool_use", StopReason::Complete),
    ] {
        assert_eq!(answer(&message(json!([text("x")]), word)).stop, stopped(reason), "{word}");
    }
    let mut met = message(json!([text("x")]), "stop_sequence");
    met["stop_sequence"] = json!("END");
    let stop = Stop { reason: StopReason::StopSequence, sequence: Some("END".into()) };
    assert_eq!(answer(&met).stop, Some(stop));
    let unknown = answer(&message(json!([text("x")]), "compaction"));
    assert_eq!(unknown.stop, stopped(StopReason::Complete));
    assert_eq!(unknown.extra, [Field::new("stop_reason", "\"compaction\"")]);
}

#[test]
fn a_call_makes_the_answer_stop_for_it_whatever_the_vendor_says() {
    let call =
        json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}, "caller": {"type": "direct"}});
    for word in ["tool_use", "end_turn", "stop_sequence", "pause_turn", "something"] {
        let answer = answer(&message(json!([text("So:"), call]), word));
        assert_eq!(answer.stop.map(|stop| stop.reason), Some(StopReason::ToolCalls), "{word}");
        assert_eq!((answer.calls[0].id.as_str(), answer.calls[0].arguments.as_str()), ("toolu_1", "{\"a\":1}"));
        assert_eq!(answer.calls[0].extra, []);
    }
    // What was cut or refused must not be run.
    for (word, reason) in [("max_tokens", StopReason::Length), ("refusal", StopReason::Refusal)] {
        assert_eq!(answer(&message(json!([call]), word)).stop, stopped(reason));
    }
}

#[test]
fn usage_counts_what_was_cached_and_keeps_what_has_no_name() {
    let mut body = message(json!([text("x")]), "end_turn");
    body["usage"] = json!({
        "input_tokens": 10, "cache_creation_input_tokens": 200, "cache_read_input_tokens": 3000, "output_tokens": 70,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 200},
        "output_tokens_details": {"thinking_tokens": 50},
        "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0},
        "service_tier": "standard", "inference_geo": null,
    });
    let answer = answer(&body);
    let usage = Usage {
        input: 3210,
        output: 70,
        cache_read: 3000,
        cache_write: 200,
        cache_write_hour: 200,
        reasoning: 50,
        cost: None,
    };
    assert_eq!(answer.usage, Some(usage));
    assert_eq!(
        answer.extra,
        [
            Field::new("usage.cache_creation.ephemeral_1h_input_tokens", "200"),
            // As it was written.
            Field::new("usage.server_tool_use", r#"{"web_fetch_requests":0,"web_search_requests":1}"#),
            Field::new("usage.service_tier", "\"standard\""),
        ]
    );
}

#[test]
fn thoughts_citations_and_doings_of_the_vendor_s_own_tools_survive() {
    let citation = json!({
        "type": "web_search_result_location", "url": "https://example.com", "title": "T", "cited_text": "x",
        "encrypted_index": "Eo8B",
    });
    let search = json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}});
    let found = json!({
        "type": "web_search_tool_result", "tool_use_id": "srvtoolu_1",
        "content": [{"type": "web_search_result", "url": "https://example.com", "encrypted_content": "EqgfC"}],
    });
    let body = message(
        json!([
            {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"},
            {"type": "redacted_thinking", "data": "EmwKA"},
            search, found,
            {"type": "text", "text": "So it is.", "citations": [citation]},
        ]),
        "end_turn",
    );
    let run = respond(hello(), &body);
    let answer = run.answer();
    assert_eq!((answer.thinking.as_str(), answer.signature.as_deref()), ("Hm.", Some("EqQB")));
    assert!(run.events().iter().any(|event| matches!(event, Event::Redacted(delta) if delta.text == "EmwKA")));
    assert_eq!(answer.other, [search.to_string(), found.to_string()]);
    assert_eq!(answer.annotations, [citation.to_string()]);
    assert_eq!((answer.text.as_str(), answer.calls.len()), ("So it is.", 0));
    assert_eq!(answer.stop, stopped(StopReason::Complete), "the vendor has run its tool itself");
}

#[test]
fn fields_without_a_name_come_out() {
    let mut body = message(json!([text("x")]), "end_turn");
    body["container"] = json!({"id": "container_1"});
    body["context_management"] = json!({"applied_edits": []});
    body["diagnostics"] = Value::Null;
    assert_eq!(
        answer(&body).extra,
        [
            Field::new("container", r#"{"id":"container_1"}"#),
            Field::new("context_management", r#"{"applied_edits":[]}"#),
        ]
    );
}

#[test]
fn a_refusal_is_told_in_words_to_those_who_do_not_read_the_vendor_s_fields() {
    let mut body = message(json!([text("Well")]), "refusal");
    let details = json!({"category": "cyber", "explanation": "It could harm.", "type": "refusal"});
    body["stop_details"] = details.clone();
    let foreign = answer(&body);
    assert_eq!((foreign.text.as_str(), foreign.refusal.as_str()), ("Well", "It could harm."));
    assert_eq!(foreign.extra, [Field::new("stop_details", details.to_string())]);
    let raw = Some(r#"{"model":"x","messages":[]}"#.to_owned());
    let own = respond(Request { dialect: Some("anthropic".into()), raw, ..hello() }, &body).answer();
    assert_eq!((own.refusal.as_str(), own.extra), ("", foreign.extra));
}

#[test]
fn what_cannot_be_read_is_no_answer() {
    for body in [
        "",
        "{}",
        "null",
        "[]",
        "{\"content\": [",
        "<html>welcome</html>",
        "{\"content\": null}",
        "{\"content\": [7]}",
        "{\"content\": \"text\"}",
        "{\"content\": [{\"type\": \"tool_use\", \"name\": \"f\"}]}",
    ] {
        let mut run = run(hello());
        run.respond(200, body.as_bytes());
        assert_eq!(run.error().map(|error| error.kind), Some(ErrorKind::Upstream), "{body}");
        assert_eq!(run.answer().stop, None);
    }
}

/// The vendor's errors, as its documentation lists them.
#[test]
fn every_error_has_its_kind_and_the_vendor_s_words() {
    for (status, kind, expected) in [
        (400, "invalid_request_error", ErrorKind::InvalidRequest),
        (401, "authentication_error", ErrorKind::Unauthenticated),
        (402, "billing_error", ErrorKind::Forbidden),
        (403, "permission_error", ErrorKind::Forbidden),
        (404, "not_found_error", ErrorKind::UnknownModel),
        (413, "request_too_large", ErrorKind::TooLarge),
        (429, "rate_limit_error", ErrorKind::RateLimited),
        (500, "api_error", ErrorKind::Upstream),
        (504, "timeout_error", ErrorKind::Upstream),
        (529, "overloaded_error", ErrorKind::Overloaded),
    ] {
        let body = json!({
            "type": "error", "error": {"type": kind, "message": "in its own words"},
            "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy",
        });
        for streaming in [false, true] {
            let mut run = run(Request { streaming, ..hello() });
            run.head(status, &[("retry-after", "7")]).body(body.to_string().as_bytes()).end();
            let error = run.error().unwrap();
            assert_eq!((error.kind, error.message.as_str()), (expected, "in its own words"), "{status}");
            assert_eq!(error.retry_after_ms, Some(7_000));
            assert_eq!(error.raw.as_deref(), Some(body.to_string().as_str()));
        }
    }
}

#[test]
fn a_conversation_that_is_too_long_is_told_as_such() {
    for message in [
        "prompt is too long: 208310 tokens > 200000 maximum",
        "input length and `max_tokens` exceed context limit: 190000 + 21333 > 200000, decrease input length or `max_tokens` and try again",
    ] {
        let body = json!({"type": "error", "error": {"type": "invalid_request_error", "message": message}});
        let mut run = run(hello());
        run.respond(400, body.to_string().as_bytes());
        assert_eq!(run.error().unwrap().kind, ErrorKind::ContextTooLong, "{message}");
    }
}

#[test]
fn an_error_in_disguise_is_an_error() {
    let body = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    let mut run = run(hello());
    run.respond(200, body.to_string().as_bytes());
    assert_eq!(run.error().unwrap().kind, ErrorKind::Overloaded);
}
