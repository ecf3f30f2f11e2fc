//! Recorded streams, each with a habit that has broken somebody's gateway.

use mortise_sdk::chat::{Delta, Event, Field, Started, Stop, StopReason, Usage};
use mortise_sdk::provider::ErrorKind;
use mortise_sdk::testing::{Answer, Call, Run};

use crate::vendor::{events, stream};

fn streamed(chunks: &[&str]) -> Run {
    let mut run = stream();
    run.body(&events(chunks));
    run
}

fn answer(chunks: &[&str]) -> Answer {
    let run = streamed(chunks);
    assert_eq!(run.error(), None);
    assert!(run.finished());
    run.answer()
}

fn text(text: &str) -> Event {
    Event::Text(Delta { block: 0, text: text.into() })
}

#[test]
fn openai_s_own_stream() {
    let run = streamed(&[
        r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","system_fingerprint":"fp","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"xx"}"#,
        r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","system_fingerprint":"fp","choices":[{"index":0,"delta":{"content":"Hel"},"logprobs":null,"finish_reason":null}],"usage":null}"#,
        r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","system_fingerprint":"fp","choices":[{"index":0,"delta":{"content":"lo \u00e9"},"logprobs":null,"finish_reason":null}],"usage":null}"#,
        r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","system_fingerprint":"fp","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}"#,
        r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","system_fingerprint":"fp","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}"#,
        "[DONE]",
    ]);
    let usage = Usage { input: 5, output: 2, ..Usage::default() };
    assert_eq!(
        run.events(),
        [
            Event::Started(Started { id: Some("c1".into()), model: Some("gpt-4o".into()) }),
            Event::Extra(Field::new("system_fingerprint", "\"fp\"")),
            text("Hel"),
            text("lo é"),
            Event::Usage(usage),
            Event::Stopped(Stop { reason: StopReason::Complete, sequence: None }),
        ]
    );
    assert!(run.finished(), "although the body is not over");
}

#[test]
fn one_chunk_may_hold_everything() {
    let answer = answer(&[
        r#"{"id":"x","choices":[{"delta":{"role":"assistant","content":"so","reasoning":"hm","tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
        "[DONE]",
    ]);
    assert_eq!((answer.text.as_str(), answer.thinking.as_str()), ("so", "hm"));
    assert_eq!(
        answer.calls,
        [Call { id: "a".into(), name: "f".into(), arguments: "{\"x\":1}".into(), extra: Vec::new() }]
    );
    assert_eq!(answer.stop.unwrap().reason, StopReason::ToolCalls);
    assert_eq!(answer.usage.unwrap().output, 2);
}

#[test]
fn deltas_of_parallel_calls_interleave() {
    let answer = answer(&[
        r#"{"id":"x","choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}}]}"#,
        r#"{"id":"x","choices":[{"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"{"}}]}}]}"#,
        r#"{"id":"x","choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\":"}},{"index":1,"function":{"arguments":"}"}}]}}]}"#,
        r#"{"id":"x","choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"1}"}}]}}]}"#,
        r#"{"id":"x","choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
        "[DONE]",
    ]);
    let call = |id: &str, name: &str, arguments: &str| Call {
        id: id.into(),
        name: name.into(),
        arguments: arguments.into(),
        extra: Vec::new(),
    };
    assert_eq!(answer.calls, [call("a", "f", "{\"x\":1}"), call("b", "g", "{}")]);
}

#[test]
fn calls_that_share_an_index_are_told_apart() {
    let answer = answer(&[
        r#"{"id":"x","choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"},"extra_content":{"sig":"s"}}]}}]}"#,
        r#"{"id":"x","choices":[{"delta":{"tool_calls":[{"index":0,"id":"b","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ]);
    assert_eq!(answer.calls.iter().map(|call| call.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(answer.calls[0].extra, [Field::new("extra_content", r#"{"sig":"s"}"#)]);
}

#[test]
fn arguments_may_come_before_the_name_and_without_an_id() {
    let answer = answer(&[
        r#"{"id":"x","choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]}}]}"#,
        r#"{"id":"x","choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":":1"}}]}}]}"#,
        r#"{"id":"x","choices":[{"delta":{"tool_calls":[{"function":{"name":"","arguments":"}"}}]},"finish_reason":"tool_calls"}]}"#,
    ]
    .into_iter()
    .chain(["[DONE]"])
    .collect::<Vec<_>>());
    assert_eq!(
        answer.calls,
        [Call { id: "call_x_0".into(), name: "f".into(), arguments: "{\"a\":1}".into(), extra: Vec::new() }]
    );
    let nameless = streamed(&[
        r#"{"id":"x","choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#,
        "[DONE]",
    ]);
    assert_eq!(nameless.error().unwrap().message, "the vendor sent a tool call without a name");
}

#[test]
fn usage_on_the_finish_chunk_or_in_parts_or_again_and_again() {
    let usage = |chunks: &[&str]| answer(chunks).usage;
    let finish = r#"{"id":"x","choices":[{"delta":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#;
    let expected = Some(Usage { input: 3, output: 1, ..Usage::default() });
    assert_eq!(usage(&[finish, "[DONE]"]), expected);
    let first = r#"{"id":"x","choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":3,"completion_tokens":0}}"#;
    let last = r#"{"id":"x","choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":0,"completion_tokens":1}}"#;
    assert_eq!(usage(&[first, last, "[DONE]"]), expected);
    let hits = r#"{"id":"x","choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1,"prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":1}}"#;
    assert_eq!(usage(&[hits, hits, "[DONE]"]), Some(Usage { input: 9, output: 1, cache_read: 8, ..Usage::default() }));
    let run = streamed(&[hits, hits, "[DONE]"]);
    assert_eq!(run.events().iter().filter(|event| matches!(event, Event::Usage(_))).count(), 1);
}

#[test]
fn usage_may_come_after_the_farewell_of_the_text_and_without_done() {
    let mut run = streamed(&[
        r#"{"id":"x","choices":[{"delta":{"content":"a"},"finish_reason":"length"}]}"#,
        r#"{"id":"x","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#,
    ]);
    assert!(run.finished(), "nothing more can come: who waits for [DONE] or for the end waits for nothing");
    run.end();
    assert_eq!(run.answer().stop.unwrap().reason, StopReason::Length);
    assert_eq!(run.answer().usage.unwrap().input, 3);
}

#[test]
fn a_break_after_the_finish_reason_is_no_loss() {
    let finished = r#"{"id":"x","choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}"#;
    let mut run = streamed(&[finished]);
    run.broken("connection reset");
    assert!(run.finished());
    let mut run = streamed(&[r#"{"id":"x","choices":[{"delta":{"content":"a"}}]}"#]);
    run.broken("connection reset");
    assert_eq!(run.error().unwrap().message, "the vendor's answer broke off: connection reset");
}

#[test]
fn a_farewell_without_a_finish_reason_is_an_error() {
    let run = streamed(&[r#"{"id":"x","choices":[{"delta":{"content":"a"}}]}"#, "[DONE]"]);
    assert_eq!(run.error().unwrap().kind, ErrorKind::Upstream);
    assert!(!run.finished());
}

#[test]
fn a_chunk_about_the_prompt_may_come_first() {
    let run = streamed(&[
        r#"{"id":"","model":"","choices":[],"prompt_filter_results":[1]}"#,
        r#"{"id":"c","model":"m","choices":[{"delta":{"content":"a"},"content_filter_results":{"hate":1}}]}"#,
        r#"{"id":"c","model":"m","choices":[{"delta":{},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ]);
    assert_eq!(
        run.events()[..4],
        [
            Event::Started(Started { id: Some("c".into()), model: Some("m".into()) }),
            Event::Extra(Field::new("prompt_filter_results", "[1]")),
            text("a"),
            Event::Extra(Field::new("content_filter_results", "{\"hate\":1}")),
        ]
    );
}

#[test]
fn reasoning_is_not_said_twice() {
    let answer = answer(&[
        r#"{"id":"x","choices":[{"delta":{"reasoning_content":"hm","reasoning":"hm"}}]}"#,
        r#"{"id":"x","choices":[{"delta":{"reasoning_content":"","reasoning":" so","reasoning_details":[]}}]}"#,
        r#"{"id":"x","choices":[{"delta":{"content":"a","reasoning":null},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ]);
    assert_eq!(answer.thinking, "hm so");
    assert_eq!(answer.extra, [Field::new("reasoning_details", "[]")]);
}

#[test]
fn an_error_within_the_stream_has_the_vendor_s_words() {
    let start = r#"{"id":"x","choices":[{"delta":{"content":"a"}}]}"#;
    let run = streamed(&[start, r#"{"error":{"message":"the model fell over","type":"server_error","code":null}}"#]);
    let error = run.error().unwrap();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Upstream, "the model fell over"));
    assert_eq!(run.answer().text, "a");
    let mut run = stream();
    run.body(b"event: error\ndata: {\"message\": \"overrun\"}\n\n");
    assert_eq!(run.error().unwrap().message, "overrun");
    let run = streamed(&[r#"{"id":"x","choices":[{"delta":{},"finish_reason":"error"}]}"#]);
    assert_eq!(run.error().unwrap().kind, ErrorKind::Upstream);
}

#[test]
fn a_malformed_event_leaks_nothing() {
    for chunk in [r#"{"choices":[{"delta":{"content":"sec"#, "secret", r#"{"choices":"secret"}"#, "[1]", "\u{1}"] {
        let run = streamed(&[chunk]);
        let error = run.error().expect(chunk);
        assert_eq!((error.kind, error.raw.as_deref()), (ErrorKind::Upstream, None));
        assert_eq!(error.message, "the vendor sent an answer that can't be read");
    }
}

#[test]
fn an_unknown_word_for_the_end_is_passed_on() {
    let answer = answer(&[r#"{"id":"x","choices":[{"delta":{"content":"a"},"finish_reason":"eos_token"}]}"#, "[DONE]"]);
    assert_eq!(answer.stop.unwrap().reason, StopReason::Complete);
    assert_eq!(answer.extra, [Field::new("finish_reason", "\"eos_token\"")]);
}
