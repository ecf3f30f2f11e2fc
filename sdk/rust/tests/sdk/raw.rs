//! The body of a caller who speaks the dialect, passed on.

use mortise_sdk::chat::{Message, Request};
use mortise_sdk::provider::{ErrorKind, Operation};
use mortise_sdk::testing::{self, Run};

use crate::vendor::{Vendor, request};

/// As the host hands it over: the caller's body, and what stands in it beside messages and tools.
fn asks(raw: &str) -> Request {
    let streaming = raw.contains(r#""stream":true"#);
    Request { dialect: Some("openai".into()), raw: Some(raw.into()), streaming, ..request(Vec::new()) }
}

fn sent_with(request: Request, settings: &str) -> String {
    let run = Run::new::<Vendor>(Operation::Chat(request), settings);
    String::from_utf8(run.sent().body.clone()).unwrap()
}

fn sent(raw: &str) -> String {
    sent_with(asks(raw), "{}")
}

/// Nobody writes like this, but somebody's prompt cache depends on it.
const ODD: &str = "{ \"messages\" : [ {\"content\":\"h\\u00e9\\/ \",\"role\":\"user\", \"x\":1.0} ],\n\
    \"tools\":[{\"function\":{\"name\":\"f\"},\"type\":\"function\",\"custom\":{}}], \"model\" :\"m\",\t\"future\":[1e2,{}] }\n";

#[test]
fn not_a_byte_changes_that_need_not() {
    assert_eq!(sent(ODD), ODD);
    let prefixed = ODD.replace("\"m\"", "\"openai/m\"");
    assert_eq!(sent(&prefixed), ODD);
    assert_eq!(sent(r#"{"model":"\u006d","messages":[]}"#), r#"{"model":"\u006d","messages":[]}"#);
}

#[test]
fn a_stream_asks_for_usage_and_keeps_its_other_wishes() {
    let with = |options: &str| format!(r#"{{"model":"m","messages":[],"stream":true{options}}}"#);
    let usage = r#","stream_options":{"include_usage":true}"#;
    assert_eq!(sent(&with("")), with(usage));
    assert_eq!(sent(&with(usage)), with(usage));
    assert_eq!(sent(&with(r#","stream_options":null"#)), with(usage));
    assert_eq!(sent(&with(r#","stream_options":{"include_usage":false}"#)), with(usage));
    assert_eq!(
        sent(&with(r#","stream_options":{ "include_obfuscation":false }"#)),
        with(r#","stream_options":{ "include_obfuscation":false,"include_usage":true }"#)
    );
}

#[test]
fn whether_it_streams_is_the_host_s_decision() {
    let streamed = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[]}"#;
    let whole = Request { streaming: false, ..asks(streamed) };
    assert_eq!(sent_with(whole, "{}"), r#"{"model":"m","stream":false,"messages":[]}"#);
    let plain = Request { streaming: true, ..asks(r#"{"model":"m","messages":[]}"#) };
    assert_eq!(
        sent_with(plain, "{}"),
        r#"{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#
    );
    let said = r#"{"model":"m","stream":false,"messages":[],"stream_options":{}}"#;
    assert_eq!(sent(said), said);
}

#[test]
fn the_limit_has_the_vendor_s_name() {
    let with = |limit: &str| format!(r#"{{"model":"m",{limit},"messages":[]}}"#);
    let (old, new) = (with(r#""max_tokens": 5"#), with(r#""max_completion_tokens": 5"#));
    let settings = r#"{"max_tokens_field": "max_tokens"}"#;
    for text in [&old, &new] {
        assert_eq!(sent(text), new);
        assert_eq!(sent_with(asks(text), settings), old);
    }
    let both = with(r#""max_tokens":7,"max_completion_tokens": 5"#);
    assert_eq!(sent(&both), new);
}

#[test]
fn earlier_reasoning_goes_only_where_the_vendor_has_a_field_for_it() {
    let with =
        |message: &str| format!(r#"{{"model":"m","messages":[{{"role":"user"}} , {message} ,{{"role":"user"}}]}}"#);
    let text = with(r#"{"role":"assistant", "reasoning_content":"hm", "content":"reasoning_content"}"#);
    assert_eq!(sent(&text), with(r#"{"role":"assistant", "content":"reasoning_content"}"#));
    assert_eq!(sent_with(asks(&text), r#"{"replay_thinking": "reasoning_content"}"#), text);
    assert_eq!(
        sent_with(asks(&text), r#"{"replay_thinking": "reasoning"}"#),
        with(r#"{"role":"assistant", "reasoning":"hm", "content":"reasoning_content"}"#)
    );
}

#[test]
fn another_dialect_s_body_is_not_passed_on() {
    let raw = Some(r#"{"max_tokens":1}"#.into());
    let foreign = Request { dialect: Some("anthropic".into()), raw, ..request(vec![Message::user("hi")]) };
    assert_eq!(sent_with(foreign, "{}"), r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#);
}

#[test]
fn what_the_vendor_has_not_is_refused_by_name_here_too() {
    let run = Run::new::<Vendor>(Operation::Chat(Request { top_k: Some(1), ..asks(r#"{"top_k":1}"#) }), "{}");
    assert_eq!(run.error().unwrap().kind, ErrorKind::Unsupported);
    let run = Run::new::<Vendor>(Operation::Chat(asks("[1]")), "{}");
    assert_eq!(run.error().unwrap().message, "the request's body is not a JSON object");
}

#[test]
fn a_vendor_whose_messages_are_rewritten_takes_no_bodies() {
    let dialects = |settings: &str| testing::describe::<Vendor>(settings).unwrap().dialects;
    let both = ["openai", "openai-responses"];
    assert_eq!(dialects("{}"), both);
    assert_eq!(dialects(r#"{"max_tokens_field": "max_tokens"}"#), both);
    assert_eq!(dialects(r#"{"responses": false}"#), ["openai"]);
    assert_eq!(dialects(r#"{"developer_role": false}"#), ["openai-responses"]);
    assert_eq!(dialects(r#"{"api": "responses", "responses": false}"#), ["openai-responses"]);
    assert_eq!(dialects(r#"{"responses_models": ["o3-pro"]}"#), ["openai-responses"]);
    assert!(dialects(r#"{"developer_role": false, "responses": false}"#).is_empty());
}
