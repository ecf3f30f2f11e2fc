//! Everything in a request that is neither a message nor a tool.

use mortise_sdk::chat::{Field, JsonSchema, Message, Request, ResponseFormat, Tool};
use mortise_sdk::provider::{ErrorKind, Operation, Output};
use mortise_sdk::testing::Run;
use serde_json::{Value, json};

use super::{asks, hello, refused, run, sent};
use crate::client::Anthropic;

fn extra(name: &str, value: &str) -> Request {
    Request { extra: vec![Field::new(name, value)], ..hello() }
}

#[test]
fn the_limit_is_the_caller_s_the_operator_s_the_model_s_or_a_guess() {
    let limit = |request: Request, settings: &str| {
        Run::new::<Anthropic>(Operation::Chat(request), settings).sent_json()["max_tokens"].clone()
    };
    let model = |model: &str| Request { model: model.into(), ..hello() };
    assert_eq!(limit(Request { max_output: Some(9_000), ..model("kimi-k2") }, "{}"), 9_000, "as the host knows it");
    assert_eq!(limit(Request { max_tokens: Some(5), ..hello() }, r#"{"max_tokens": 7}"#), 5);
    assert_eq!(limit(hello(), r#"{"max_tokens": 7}"#), 7);
    for (name, most) in [
        ("claude-3-haiku-20240307", 4_096),
        ("claude-3-5-sonnet-20241022", 8_192),
        ("claude-3-7-sonnet-20250219", 64_000),
        ("claude-opus-4-20250514", 32_000),
        ("claude-opus-4-1", 32_000),
        ("claude-sonnet-4-0", 64_000),
        ("claude-opus-4-5-20251101", 64_000),
        ("claude-sonnet-4-6", 128_000),
        ("claude-fable-5", 128_000),
        ("anthropic.claude-haiku-4-5-20251001-v1:0", 64_000),
        ("claude-mythos-preview", 4_096),
        ("kimi-k2", 4_096),
    ] {
        assert_eq!(limit(model(name), "{}"), most, "{name}");
    }
}

#[test]
fn what_the_vendor_knows_is_written_under_its_names() {
    let request = Request {
        max_tokens: Some(9),
        temperature: Some(0.5),
        top_p: Some(0.9),
        top_k: Some(40),
        stop: vec!["END".into(), "\n\n#".into()],
        user: Some("u-1".into()),
        streaming: true,
        ..hello()
    };
    assert_eq!(
        sent(request),
        json!({
            "messages": [{"role": "user", "content": "hello"}], "temperature": 0.5, "top_p": 0.9, "top_k": 40,
            "stop_sequences": ["END", "\n\n#"], "metadata": {"user_id": "u-1"}, "stream": true,
        })
    );
}

#[test]
fn what_the_vendor_has_not_is_named() {
    let named = |request: Request, name: &str| {
        let error = refused(request);
        assert_eq!(error.kind, ErrorKind::Unsupported, "{}", error.message);
        assert!(error.message.contains(&format!("`{name}`")), "{}", error.message);
    };
    named(Request { frequency_penalty: Some(0.5), ..hello() }, "frequency_penalty");
    named(Request { presence_penalty: Some(-0.5), ..hello() }, "presence_penalty");
    named(Request { seed: Some(7), ..hello() }, "seed");
    named(Request { temperature: Some(1.5), ..hello() }, "temperature");
    named(Request { stop: vec!["\n".into()], ..hello() }, "stop");
    for (name, value) in [
        ("n", "2"),
        ("logprobs", "true"),
        ("top_logprobs", "3"),
        ("logit_bias", r#"{"50256": -100}"#),
        ("modalities", r#"["text", "audio"]"#),
        ("audio", r#"{"voice": "alloy"}"#),
        ("web_search_options", "{}"),
        ("store", "true"),
        ("verbosity", "\"low\""),
        ("service_tier", "\"flex\""),
        ("previous_response_id", "\"resp_1\""),
        ("anything", "{}"),
    ] {
        named(extra(name, value), name);
    }
}

#[test]
fn what_asks_for_nothing_and_hints_are_left_out() {
    let plain = sent(hello());
    assert_eq!(sent(Request { frequency_penalty: Some(0.0), presence_penalty: Some(0.0), ..hello() }), plain);
    for (name, value) in [
        ("n", "1"),
        ("logprobs", "false"),
        ("top_logprobs", "0"),
        ("logit_bias", "{ }"),
        ("logit_bias", "null"),
        ("modalities", r#"[ "text" ]"#),
        ("store", "false"),
        ("verbosity", "\"medium\""),
        ("stream_options", r#"{"include_usage": true}"#),
        ("metadata", r#"{"topic": "demo"}"#),
        ("prompt_cache_key", "\"k\""),
        ("prediction", r#"{"type": "content", "content": "x"}"#),
        ("include", r#"["reasoning.encrypted_content"]"#),
        ("truncation", "\"disabled\""),
        ("anything", "null"),
    ] {
        assert_eq!(sent(extra(name, value)), plain, "{name}");
    }
}

#[test]
fn what_has_another_name_here_is_translated() {
    assert_eq!(sent(extra("service_tier", "\"auto\""))["service_tier"], "auto");
    assert_eq!(sent(extra("service_tier", "\"default\""))["service_tier"], "standard_only");
    assert_eq!(sent(extra("safety_identifier", "\"u-2\""))["metadata"], json!({"user_id": "u-2"}));
    assert_eq!(sent(extra("cache_control", r#"{"type":"ephemeral"}"#))["cache_control"], json!({"type": "ephemeral"}));
    let both = Request { user: Some("u-1".into()), ..extra("safety_identifier", "\"u-2\"") };
    assert_eq!(sent(both)["metadata"], json!({"user_id": "u-1"}));
    assert_eq!(refused(extra("safety_identifier", "7")).kind, ErrorKind::InvalidRequest);
}

#[test]
fn fields_of_the_same_dialect_are_passed_on_untouched() {
    let request = Request { dialect: Some("anthropic".into()), ..extra("container", r#"{"id": "c",  "n": 1.50}"#) };
    let body = String::from_utf8(run(request).sent().body.clone()).unwrap();
    assert!(body.contains(r#""container":{"id": "c",  "n": 1.50}"#), "{body}");
}

#[test]
fn a_newer_version_of_the_api_and_newer_models_sample_their_own_way() {
    let later = r#"{"version": "2026-10-21"}"#;
    for (model, settings) in [("claude-sonnet-4-5", later), ("claude-opus-4-7", "{}"), ("claude-sonnet-5-5", "{}")] {
        let ask = |request: Request| Run::new::<Anthropic>(Operation::Chat(request), settings);
        let request = || Request { model: model.into(), ..hello() };
        for (name, request) in [
            ("temperature", Request { temperature: Some(0.7), ..request() }),
            ("top_p", Request { top_p: Some(0.9), ..request() }),
            ("top_k", Request { top_k: Some(3), ..request() }),
        ] {
            let run = ask(request);
            let error = run.error().unwrap();
            assert_eq!(error.kind, ErrorKind::Unsupported);
            assert!(error.message.contains(&format!("`{name}`")), "{model}: {}", error.message);
        }
        // The default is what happens anyway.
        let body = ask(Request { temperature: Some(1.0), top_p: Some(1.0), ..request() }).sent_json();
        assert_eq!((body.get("temperature"), body.get("top_p")), (None, None), "{model}");
    }
}

fn with_format(model: &str, response_format: ResponseFormat) -> Request {
    Request { model: model.into(), response_format: Some(response_format), ..hello() }
}

fn schema() -> ResponseFormat {
    let schema = r#"{"type":"object","properties":{},"additionalProperties":false}"#.into();
    ResponseFormat::JsonSchema(JsonSchema { name: Some("x".into()), description: None, schema, strict: Some(true) })
}

#[test]
fn an_answer_can_be_held_to_a_schema() {
    let body = sent(with_format("claude-sonnet-4-5", schema()));
    let expected = json!({"type": "object", "properties": {}, "additionalProperties": false});
    assert_eq!(body["output_config"], json!({"format": {"type": "json_schema", "schema": expected}}));
    assert_eq!(sent(with_format("claude-sonnet-4-5", ResponseFormat::Text)).get("output_config"), None);
}

#[test]
fn a_model_that_keeps_to_no_schema_is_not_trusted_with_one() {
    for request in
        [with_format("claude-opus-4-1", schema()), with_format("claude-opus-5-5", ResponseFormat::JsonObject)]
    {
        let error = refused(request);
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(error.message.starts_with("`response_format`"), "{}", error.message);
    }
}

#[test]
fn counting_asks_only_for_what_the_model_reads() {
    let request = Request {
        tools: vec![Tool::new("f", r#"{"type":"object"}"#)],
        temperature: Some(0.5),
        max_tokens: Some(9),
        stop: vec!["END".into()],
        user: Some("u-1".into()),
        streaming: true,
        extra: vec![Field::new("service_tier", "\"auto\"")],
        ..asks(vec![Message::system("Be brief."), Message::user("hello")])
    };
    let mut run = Run::new::<Anthropic>(Operation::CountTokens(request), "{}");
    assert_eq!(run.sent().path, "/messages/count_tokens");
    let expected: Value = json!({
        "model": "claude-sonnet-4-5", "system": "Be brief.", "messages": [{"role": "user", "content": "hello"}],
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
    });
    assert_eq!(run.sent_json(), expected);
    run.respond(200, br#"{"input_tokens": 2095}"#);
    assert!(run.finished());
    assert_eq!(run.outputs(), [Output::Tokens(2095)]);
}

#[test]
fn a_count_that_cannot_be_read_is_an_error() {
    for body in ["{}", "[]", "", r#"{"input_tokens": "many"}"#] {
        let mut run = Run::new::<Anthropic>(Operation::CountTokens(hello()), "{}");
        run.respond(200, body.as_bytes());
        assert_eq!(run.error().map(|error| error.kind), Some(ErrorKind::Upstream), "{body}");
    }
}
