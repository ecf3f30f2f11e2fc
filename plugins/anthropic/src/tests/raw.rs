//! Requests in the vendor's own dialect.

use mortise_sdk::chat::{Field, Message, Part, Request, Role, Thinking};
use mortise_sdk::provider::{ErrorKind, Operation};
use mortise_sdk::testing::Run;

use super::run;
use crate::client::Anthropic;

/// As the host gives it: what was read of the body is only for information.
fn request(raw: &str, streaming: bool) -> Request {
    Request {
        dialect: Some("anthropic".into()),
        raw: Some(raw.into()),
        temperature: Some(0.3),
        max_tokens: Some(1),
        streaming,
        ..Request::new("claude-sonnet-4-5", Vec::new())
    }
}

fn body(raw: &str, streaming: bool) -> String {
    String::from_utf8(run(request(raw, streaming)).sent().body.clone()).unwrap()
}

#[test]
fn the_caller_s_bytes_go_out_but_for_the_model() {
    let raw = r#"{ "messages" : [{"role":"user","content":"h\u00e9"}],
        "model":"fast", "max_tokens": 1e3, "temperature":1.50, "future": {"model": "x"}, "stream":true }"#;
    assert_eq!(body(raw, true), raw.replace("\"fast\"", "\"claude-sonnet-4-5\""));
}

#[test]
fn another_vendor_s_thoughts_are_left_out_of_the_caller_s_bytes() {
    let raw = r#"{"model":"a","max_tokens":9,"messages":[{"role":"user","content":"?"},{"role":"assistant","content":[
        {"type":"thinking","thinking":"Hm.","signature":"gemini:gemini-3-pro:c2ln"},{"type":"text","text":"Yes."}]},
        {"role":"user","content":"Sure?"}]}"#;
    let thought = Thinking { text: "Hm.".into(), signature: Some("gemini:gemini-3-pro:c2ln".into()), redacted: false };
    let answer = Message::new(Role::Assistant, vec![Part::Thinking(thought), Part::Text("Yes.".into())]);
    let messages = vec![Message::user("?"), answer, Message::user("Sure?")];
    let sent = run(Request { messages, max_tokens: Some(9), ..request(raw, false) }).sent_json();
    assert_eq!(sent["max_tokens"], 9);
    assert_eq!(
        sent["messages"],
        serde_json::json!([
            {"role": "user", "content": "?"}, {"role": "assistant", "content": "Yes."}, {"role": "user", "content": "Sure?"},
        ])
    );
}

#[test]
fn the_stream_changes_only_if_it_must() {
    assert_eq!(body(r#"{"model":"a"}"#, false), r#"{"model":"claude-sonnet-4-5"}"#);
    assert_eq!(body(r#"{"model":"a","stream":false}"#, false), r#"{"model":"claude-sonnet-4-5","stream":false}"#);
    assert_eq!(body(r#"{"model":"a"}"#, true), r#"{"model":"claude-sonnet-4-5","stream":true}"#);
    assert_eq!(body(r#"{"stream": true, "model":"a"}"#, false), r#"{"stream": false, "model":"claude-sonnet-4-5"}"#);
}

#[test]
fn a_model_s_name_cannot_break_out() {
    let request = Request { model: "a\",\"x\":\"b".into(), ..request(r#"{"model":"a"}"#, false) };
    assert_eq!(run(request).sent_json(), serde_json::json!({"model": "a\",\"x\":\"b"}));
}

#[test]
fn betas_beside_it_become_a_header() {
    let mut request = request(r#"{"model":"a"}"#, false);
    request.extra.push(Field::new("anthropic_beta", r#"["context-1m-2025-08-07"]"#));
    let run = run(request);
    let beta = run.sent().headers.iter().find(|header| header.name == "anthropic-beta").unwrap();
    assert_eq!(beta.value, "context-1m-2025-08-07");
    assert_eq!(run.sent_json(), serde_json::json!({"model": "claude-sonnet-4-5"}));
}

#[test]
fn counting_keeps_the_bytes_too() {
    let raw = r#"{"model":"a", "messages": [] , "tools":[{"type":"web_search_20250305"}]}"#;
    let run = Run::new::<Anthropic>(Operation::CountTokens(request(raw, false)), "{}");
    let sent = String::from_utf8(run.sent().body.clone()).unwrap();
    assert_eq!(sent, raw.replace("\"a\"", "\"claude-sonnet-4-5\""));
}

#[test]
fn what_is_no_object_is_refused() {
    for raw in ["", "[]", "{", "null"] {
        assert_eq!(super::refused(request(raw, false)).kind, ErrorKind::InvalidRequest, "{raw}");
    }
}
