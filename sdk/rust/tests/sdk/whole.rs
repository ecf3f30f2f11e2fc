//! Answers that come whole.

use mortise_sdk::chat::{Message, StopReason, Usage};
use mortise_sdk::provider::ErrorKind;
use mortise_sdk::testing::{Answer, Call, Run};

use crate::vendor::{begin, request};

fn respond(body: &str) -> Run {
    let mut run = begin(request(vec![Message::user("hi")]));
    run.respond(200, body.as_bytes());
    run
}

fn answer(body: &str) -> Answer {
    let run = respond(body);
    assert_eq!(run.error(), None);
    assert!(run.finished());
    run.answer()
}

#[test]
fn everything_in_an_answer_is_kept() {
    let answer = answer(
        r#"{
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m-2024",
        "choices": [{"index": 0, "message": {
            "role": "assistant", "content": "héllo", "reasoning_content": "hm", "refusal": null,
            "annotations": [{"type": "url_citation"}]
        }, "logprobs": {"content": []}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 7, "total_tokens": 17,
            "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 2}, "cost": 0.25},
        "system_fingerprint": "fp", "service_tier": null
    }"#,
    );
    assert_eq!((answer.id.as_deref(), answer.model.as_deref()), (Some("chatcmpl-1"), Some("m-2024")));
    assert_eq!((answer.text.as_str(), answer.thinking.as_str()), ("héllo", "hm"));
    assert_eq!(
        answer.usage,
        Some(Usage {
            input: 10,
            output: 7,
            cache_read: 4,
            cache_write: 0,
            cache_write_hour: 0,
            reasoning: 3,
            cost: Some(0.25)
        })
    );
    assert_eq!(answer.annotations, [r#"{"type": "url_citation"}"#]);
    assert_eq!(answer.stop.unwrap().reason, StopReason::Complete);
    let mut extra: Vec<_> = answer.extra.iter().map(|field| (field.name.as_str(), field.value.as_str())).collect();
    extra.sort_unstable();
    assert_eq!(
        extra,
        [
            ("logprobs", r#"{"content": []}"#),
            ("system_fingerprint", "\"fp\""),
            ("usage.completion_tokens_details.audio_tokens", "2"),
        ]
    );
}

#[test]
fn calls_may_lack_index_and_id_and_have_objects_for_arguments() {
    let answer = answer(
        r#"{"id":"r","choices":[{"message":{"content":null,"tool_calls":[
            {"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":\"é\"}"}},
            {"type":"function","function":{"name":"f","arguments":{"y":2}}},
            {"id":"","type":"function","function":{"name":"g","arguments":""}}
        ]},"finish_reason":"stop"}]}"#,
    );
    let call = |id: &str, name: &str, arguments: &str| Call {
        id: id.into(),
        name: name.into(),
        arguments: arguments.into(),
        extra: Vec::new(),
    };
    assert_eq!(
        answer.calls,
        [call("a", "f", "{\"x\":\"é\"}"), call("call_r_1", "f", "{\"y\":2}"), call("call_r_2", "g", "")]
    );
    assert_eq!(answer.stop.unwrap().reason, StopReason::ToolCalls, "whatever the vendor says");
}

#[test]
fn stop_reasons() {
    let reason = |word: &str| {
        let body = format!(r#"{{"choices":[{{"message":{{"content":"x"}},"finish_reason":{word}}}]}}"#);
        answer(&body).stop.unwrap().reason
    };
    assert_eq!(reason("\"stop\""), StopReason::Complete);
    assert_eq!(reason("\"length\""), StopReason::Length);
    assert_eq!(reason("\"content_filter\""), StopReason::Refusal);
    assert_eq!(reason("\"tool_calls\""), StopReason::Complete, "no tool was called");
    assert_eq!(reason("\"eos\""), StopReason::Complete);
    assert_eq!(reason("null"), StopReason::Complete, "a whole answer is not cut");
    let cut = r#"{"choices":[{"message":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"x"}}]},"finish_reason":"length"}]}"#;
    assert_eq!(answer(cut).stop.unwrap().reason, StopReason::Length, "a cut call must not be run");
}

#[test]
fn a_refusal_is_told_apart_from_text() {
    let answer = answer(r#"{"choices":[{"message":{"content":null,"refusal":"no"},"finish_reason":"stop"}]}"#);
    assert_eq!((answer.refusal.as_str(), answer.text.as_str()), ("no", ""));
}

#[test]
fn what_is_no_answer_is_an_error_that_leaks_nothing() {
    for body in ["", "secret", "{\"secret\":1}", "{\"choices\":[]}", "{\"choices\":{\"secret\":1}}", "[\"secret\"]"] {
        let run = respond(body);
        let error = run.error().expect(body);
        assert_eq!((error.kind, error.raw.as_deref()), (ErrorKind::Upstream, None), "{body}");
        assert!(!error.message.contains("secret"), "{}", error.message);
    }
    let several = r#"{"choices":[{"index":0,"message":{"content":"a"}},{"index":1,"message":{"content":"b"}}]}"#;
    assert_eq!(respond(several).error().unwrap().kind, ErrorKind::Upstream);
}

#[test]
fn an_error_with_status_200_is_an_error() {
    let run = respond(r#"{"error":{"message":"too many","code":429}}"#);
    let error = run.error().unwrap();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::RateLimited, "too many"));
    assert!(error.raw.as_deref().unwrap().contains("too many"));
}

#[test]
fn a_refused_request_has_the_vendor_s_words() {
    let mut run = begin(request(vec![Message::user("hi")]));
    run.head(429, &[("retry-after", "3")]).body(br#"{"error":{"message":"slow down"}}"#).end();
    let error = run.error().unwrap();
    assert_eq!(
        (error.kind, error.message.as_str(), error.retry_after_ms),
        (ErrorKind::RateLimited, "slow down", Some(3000))
    );
}
