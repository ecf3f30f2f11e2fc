//! Streams as Gemini writes them.

use mortise_sdk::chat::{Delta, Event, Field, Started, Stop, StopReason, Usage};
use mortise_sdk::provider::ErrorKind;
use serde_json::{Value, json};

use super::{events, stream, streamed};

fn chunk(parts: Value, finish: Option<&str>, output: u64) -> Value {
    let mut chunk = json!({
        "candidates": [{"content": {"parts": parts, "role": "model"}, "index": 0}],
        "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": output, "totalTokenCount": 5 + output},
        "modelVersion": "gemini-2.5-flash", "responseId": "r1",
    });
    if let Some(word) = finish {
        chunk["candidates"][0]["finishReason"] = json!(word);
    }
    chunk
}

#[test]
fn gemini_s_own_stream() {
    let mut run = stream();
    run.body(&events(&[
        chunk(json!([{"text": "Hel"}]), None, 1),
        chunk(json!([{"text": "lo é"}]), None, 2),
        chunk(json!([{"text": "!"}]), Some("STOP"), 2),
    ]));
    assert!(!run.finished(), "more may come");
    run.end();
    let text = |text: &str| Event::Text(Delta { block: 0, text: text.into() });
    let usage = |output| Event::Usage(Usage { input: 5, output, ..Usage::default() });
    assert_eq!(
        run.events(),
        [
            Event::Started(Started { id: Some("r1".into()), model: Some("gemini-2.5-flash".into()) }),
            usage(1),
            text("Hel"),
            usage(2),
            text("lo é"),
            text("!"),
            Event::Stopped(Stop { reason: StopReason::Complete, sequence: None }),
        ]
    );
    assert!(run.finished());
}

#[test]
fn a_finish_reason_in_every_chunk_ends_nothing() {
    let chunks: Vec<_> =
        ["one ", "two ", "three"].iter().map(|word| chunk(json!([{"text": word}]), Some("STOP"), 1)).collect();
    assert_eq!(streamed(&chunks).text, "one two three");
}

#[test]
fn one_chunk_may_hold_everything() {
    let parts = json!([{"text": "hm", "thought": true}, {"text": "so"}, {"functionCall": {"name": "f", "args": {}}}]);
    let answer = streamed(&[chunk(parts, Some("STOP"), 3)]);
    assert_eq!((answer.thinking.as_str(), answer.text.as_str(), answer.calls.len()), ("hm", "so", 1));
    assert_eq!(answer.stop.unwrap().reason, StopReason::ToolCalls);
    assert_eq!(answer.usage.unwrap().output, 3);
}

#[test]
fn calls_come_whole_and_in_parallel_and_the_reason_after_them() {
    let call = |name: &str| json!([{"functionCall": {"name": name, "args": {"q": name}}}]);
    let answer = streamed(&[
        chunk(call("f"), None, 1),
        chunk(call("g"), None, 2),
        chunk(json!([{"text": ""}]), Some("STOP"), 2),
    ]);
    let names: Vec<_> = answer.calls.iter().map(|call| (call.id.as_str(), call.name.as_str())).collect();
    assert_eq!(names, [("call_r1_0", "f"), ("call_r1_1", "g")]);
    assert_eq!(answer.stop.unwrap().reason, StopReason::ToolCalls);
}

#[test]
fn fields_that_are_repeated_are_said_once_and_the_last_counts() {
    let mut first = chunk(json!([{"text": "a"}]), None, 1);
    first["candidates"][0]["groundingMetadata"] = json!({"n": 1});
    let mut last = chunk(json!([{"text": "b"}]), Some("STOP"), 1);
    last["candidates"][0]["groundingMetadata"] = json!({"n": 2});
    last["usageMetadata"]["trafficType"] = json!("ON_DEMAND");
    let expected = [Field::new("groundingMetadata", "{\"n\":2}"), Field::new("usage.trafficType", "\"ON_DEMAND\"")];
    assert_eq!(streamed(&[first, last]).extra, expected);
}

#[test]
fn usage_may_come_in_a_chunk_of_its_own() {
    let last = json!({"usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 9, "thoughtsTokenCount": 4}});
    let answer = streamed(&[chunk(json!([{"text": "a"}]), Some("STOP"), 1), last]);
    assert_eq!(answer.usage, Some(Usage { input: 5, output: 13, reasoning: 4, ..Usage::default() }));
}

#[test]
fn a_prompt_may_be_blocked_in_a_stream_too() {
    let mut run = stream();
    run.body(&events(&[json!({"promptFeedback": {"blockReason": "SAFETY"}, "modelVersion": "m"})]));
    assert_eq!(run.error().unwrap().kind, ErrorKind::Refused);
}

#[test]
fn a_break_after_the_finish_reason_is_no_loss_and_before_it_is() {
    let mut run = stream();
    run.body(&events(&[chunk(json!([{"text": "a"}]), Some("STOP"), 1)])).broken("connection reset");
    assert!(run.finished());
    let mut run = stream();
    run.body(&events(&[chunk(json!([{"text": "a"}]), None, 1)])).broken("connection reset");
    assert_eq!(run.error().unwrap().message, "the vendor's answer broke off: connection reset");
    let mut run = stream();
    run.body(&events(&[chunk(json!([{"text": "a"}]), None, 1)])).end();
    assert_eq!(run.error().unwrap().message, "the vendor's stream ended before the answer was complete");
    let mut run = stream();
    run.body(&events(&[chunk(json!([]), Some("FINISH_REASON_UNSPECIFIED"), 1)])).end();
    assert!(run.error().is_some(), "a reason that is none");
}

#[test]
fn an_error_within_the_stream_has_the_vendor_s_words() {
    let error = json!({"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE", "details": [
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2s"}
    ]}});
    for error in [error.clone(), json!([error])] {
        let mut run = stream();
        run.body(&events(&[chunk(json!([{"text": "a"}]), None, 1), error]));
        let error = run.error().unwrap();
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Overloaded, "The model is overloaded."));
        assert_eq!(error.retry_after_ms, Some(2000));
        assert_eq!(run.answer().text, "a");
    }
}

#[test]
fn a_malformed_event_leaks_nothing() {
    for malformed in
        [r#"{"candidates":[{"content":{"parts":[{"text":"sec"#, "secret", "[1]", "\u{1}", "null", "\"secret\""]
    {
        let mut run = stream();
        run.body(&events(&[chunk(json!([{"text": "a"}]), None, 1)]));
        run.body(format!("data: {malformed}\n\n").as_bytes());
        let error = run.error().expect(malformed);
        assert_eq!((error.kind, error.raw.as_deref()), (ErrorKind::Upstream, None));
        assert_eq!(error.message, "the vendor sent an answer that can't be read");
    }
}
