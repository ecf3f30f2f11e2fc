//! What is read.

use mortise_sdk::chat::Event;
use mortise_sdk::chat::{Message, Request, StopReason, Tool, Usage};
use mortise_sdk::http::Frame;
use mortise_sdk::http::Head;
use mortise_sdk::provider::{Action, Driver, ErrorKind, Input, Operation};
use mortise_sdk::provider::{Error, Output};
use mortise_sdk::testing::{Answer, Grammar};
use serde_json::{Value, json};

use super::{request, run};
use crate::client::Bedrock;

struct Heard {
    answer: Answer,
    error: Option<Error>,
    finished: bool,
}

/// Plays the host, which cuts the vendor's messages.
fn stream(request: Request, events: &[(&str, Value)], end: bool) -> Heard {
    let mut driver = Driver::new::<Bedrock>(Operation::Chat(Request { streaming: true, ..request }), "{}");
    let frames = events.iter().map(|(event, data)| {
        Input::Frames(vec![Frame { event: Some((*event).into()), data: data.to_string().into_bytes() }])
    });
    let head = Input::Head(Head { status: 200, headers: Vec::new() });
    let last = if end { Input::End } else { Input::Broken("cut".into()) };
    let mut heard = Heard { answer: Answer::default(), error: None, finished: false };
    let (mut grammar, mut said) = (Grammar::default(), Vec::<Event>::new());
    for input in [Input::Begin, head].into_iter().chain(frames).chain([last]) {
        for action in driver.advance(input) {
            grammar.action(&action).unwrap();
            match action {
                Action::Emit(outputs) => {
                    said.extend(
                        outputs
                            .into_iter()
                            .filter_map(|output| if let Output::Chat(event) = output { Some(event) } else { None }),
                    );
                }
                Action::Fail(error) => heard.error = Some(error),
                Action::Finish => heard.finished = true,
                _ => {}
            }
        }
    }
    heard.answer = Answer::of(&said);
    heard
}

fn events() -> Vec<(&'static str, Value)> {
    let delta = |block: u32, delta: Value| {
        ("contentBlockDelta", json!({"contentBlockIndex": block, "delta": delta, "p": "abc"}))
    };
    vec![
        ("messageStart", json!({"role": "assistant", "p": "ab"})),
        delta(0, json!({"reasoningContent": {"text": "hm"}})),
        delta(0, json!({"reasoningContent": {"signature": "sig"}})),
        ("contentBlockStop", json!({"contentBlockIndex": 0})),
        delta(1, json!({"text": "let me "})),
        delta(1, json!({"text": "look"})),
        ("contentBlockStop", json!({"contentBlockIndex": 1})),
        (
            "contentBlockStart",
            json!({"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t1", "name": "look"}}}),
        ),
        delta(2, json!({"toolUse": {"input": "{\"at\":"}})),
        delta(2, json!({"toolUse": {"input": "1}"}})),
        ("contentBlockStop", json!({"contentBlockIndex": 2})),
        ("messageStop", json!({"stopReason": "end_turn"})),
        (
            "metadata",
            json!({
                "usage": {"inputTokens": 5, "outputTokens": 7, "totalTokens": 112, "cacheReadInputTokens": 60, "cacheWriteInputTokens": 40},
                "metrics": {"latencyMs": 12}, "trace": {"guardrail": {}}, "p": "abcdefgh",
            }),
        ),
    ]
}

#[test]
fn a_stream_is_read_whole() {
    let heard = stream(request(vec![Message::user("hi")]), &events(), true);
    assert!(heard.finished && heard.error.is_none());
    let answer = heard.answer;
    assert_eq!(
        (answer.text.as_str(), answer.thinking.as_str(), answer.signature.as_deref()),
        ("let me look", "hm", Some("sig"))
    );
    assert_eq!((answer.calls[0].id.as_str(), answer.calls[0].arguments.as_str()), ("t1", "{\"at\":1}"));
    assert_eq!(answer.stop.unwrap().reason, StopReason::ToolCalls, "whatever the vendor said");
    let expected = Usage { input: 105, output: 7, cache_read: 60, cache_write: 40, ..Usage::default() };
    assert_eq!(answer.usage, Some(expected));
    let extra: Vec<_> = answer.extra.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(extra, ["trace"]);
}

#[test]
fn a_stream_that_is_cut_is_an_error_until_the_vendor_has_said_why_it_ended() {
    let all = events();
    for kept in 0..=all.len() {
        for end in [true, false] {
            let heard = stream(request(vec![Message::user("hi")]), &all[..kept], end);
            let whole = kept >= all.len() - 1;
            assert_eq!((heard.finished, heard.error.is_some()), (whole, !whole), "{kept} events");
        }
    }
}

#[test]
fn exceptions_within_a_stream_have_their_kinds() {
    for (name, kind) in [
        ("throttlingException", ErrorKind::RateLimited),
        ("serviceUnavailableException", ErrorKind::Overloaded),
        ("validationException", ErrorKind::InvalidRequest),
        ("modelStreamErrorException", ErrorKind::Upstream),
        ("500", ErrorKind::Upstream),
    ] {
        let mut some = events();
        some.truncate(5);
        some.push((name, json!({"message": "no luck"})));
        let error = stream(request(vec![Message::user("hi")]), &some, true).error.unwrap();
        assert_eq!((error.kind, error.message.as_str()), (kind, "no luck"));
    }
}

#[test]
fn unknown_events_are_passed_over() {
    let mut all = events();
    all.insert(3, ("somethingNew", json!({"a": 1})));
    all.insert(5, ("contentBlockStart", json!({"contentBlockIndex": 9, "start": {"image": {"format": "png"}}})));
    assert!(stream(request(vec![Message::user("hi")]), &all, true).finished);
}

#[test]
fn a_whole_answer_says_the_same() {
    let mut run = run(request(vec![Message::user("hi")]));
    let body = json!({
        "output": {"message": {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
            {"reasoningContent": {"redactedContent": "eHg="}},
            {"text": "yes"},
            {"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 2, "b": 1}}},
            {"somethingNew": {"x": 1}},
        ]}},
        "stopReason": "tool_use",
        "usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3},
        "metrics": {"latencyMs": 1},
    });
    run.respond(200, body.to_string().as_bytes());
    let answer = run.answer();
    assert!(run.finished());
    assert_eq!((answer.text.as_str(), answer.calls[0].arguments.as_str()), ("yes", r#"{"a":2,"b":1}"#));
    assert_eq!(answer.other, [r#"{"somethingNew":{"x":1}}"#]);
    assert_eq!(answer.stop.unwrap().reason, StopReason::ToolCalls);
}

#[test]
fn stop_reasons_have_their_meanings() {
    for (word, reason) in [
        ("end_turn", StopReason::Complete),
        ("stop_sequence", StopReason::StopSequence),
        ("max_tokens", StopReason::Length),
        ("model_context_window_exceeded", StopReason::Length),
        ("guardrail_intervened", StopReason::Refusal),
        ("content_filtered", StopReason::Refusal),
    ] {
        let events = [("messageStart", json!({"role": "assistant"})), ("messageStop", json!({"stopReason": word}))];
        let heard = stream(request(vec![Message::user("hi")]), &events, true);
        assert_eq!(heard.answer.stop.unwrap().reason, reason, "{word}");
    }
}

#[test]
fn long_names_come_back_whole() {
    let long = "x".repeat(80);
    let question = Request { tools: vec![Tool::new(&long, "{}")], ..request(vec![Message::user("hi")]) };
    let short =
        super::written(question.clone())["toolConfig"]["tools"][0]["toolSpec"]["name"].as_str().unwrap().to_owned();
    let events = [
        ("contentBlockStart", json!({"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "t", "name": short}}})),
        ("messageStop", json!({"stopReason": "tool_use"})),
    ];
    assert_eq!(stream(question, &events, true).answer.calls[0].name, long);
}

#[test]
fn refusals_have_their_kinds() {
    for (status, body, kind) in [
        (400, r#"{"message":"Input is too long for requested model."}"#, ErrorKind::ContextTooLong),
        (400, r#"{"message":"bad"}"#, ErrorKind::InvalidRequest),
        (403, r#"{"message":"no access"}"#, ErrorKind::Forbidden),
        (429, r#"{"message":"slow down"}"#, ErrorKind::RateLimited),
        (503, r#"{"message":"later"}"#, ErrorKind::Overloaded),
    ] {
        let mut run = run(request(vec![Message::user("hi")]));
        run.respond(status, body.as_bytes());
        assert_eq!(run.error().unwrap().kind, kind, "{body}");
    }
}
