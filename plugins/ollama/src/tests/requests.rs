//! The body of a chat request, but for its messages.

use mortise_sdk::chat::{Field, JsonSchema, Reasoning, Request, ResponseFormat, Tool, ToolChoice};
use mortise_sdk::http::Framing;
use mortise_sdk::provider::ErrorKind;
use serde_json::{Value, json};

use super::{begin, body_with, error, plain};

fn rest(request: Request) -> Value {
    rest_with(request, "{}")
}

fn rest_with(request: Request, settings: &str) -> Value {
    let mut body = body_with(request, settings);
    let object = body.as_object_mut().unwrap();
    for name in ["model", "messages", "stream"] {
        object.remove(name).unwrap();
    }
    body
}

fn tool() -> Tool {
    Tool { description: Some("looks".into()), ..Tool::new("look", r#"{"type":"object","properties":{"b":{},"a":{}}}"#) }
}

#[test]
fn a_plain_request_holds_nothing_that_was_not_asked_for() {
    let run = begin(plain());
    let messages = json!([{"role": "user", "content": "hi"}]);
    assert_eq!(run.sent_json(), json!({"model": "qwen3:8b", "messages": messages, "stream": false}));
    assert_eq!((run.sent().method.as_str(), run.sent().path.as_str()), ("POST", "/api/chat"));
    assert_eq!(run.sent().framing, Framing::Whole);
    let run = begin(Request { streaming: true, ..plain() });
    assert_eq!((run.sent().framing, &run.sent_json()["stream"]), (Framing::Ndjson, &json!(true)));
}

#[test]
fn every_field_has_its_place() {
    let full = Request {
        tools: vec![tool(), Tool::new("now", "{}")],
        tool_choice: Some(ToolChoice::Auto),
        max_tokens: Some(9),
        temperature: Some(0.5),
        top_p: Some(1.0),
        top_k: Some(40),
        frequency_penalty: Some(-2.0),
        presence_penalty: Some(0.25),
        stop: vec!["a".into(), "\n".into()],
        seed: Some(-7),
        response_format: Some(ResponseFormat::JsonObject),
        reasoning: Some(Reasoning::Effort("high".into())),
        ..plain()
    };
    let function = |function: Value| json!({"type": "function", "function": function});
    let expected = json!({
        "tools": [
            function(json!({"name": "look", "description": "looks", "parameters": {"type": "object", "properties": {"b": {}, "a": {}}}})),
            function(json!({"name": "now", "parameters": {"type": "object", "properties": {}}})),
        ],
        "format": "json",
        "think": true,
        "options": {
            "num_predict": 9, "temperature": 0.5, "top_p": 1.0, "top_k": 40, "frequency_penalty": -2.0,
            "presence_penalty": 0.25, "stop": ["a", "\n"], "seed": -7,
        },
    });
    assert_eq!(rest(full), expected);
}

#[test]
fn the_operator_s_options_are_under_the_caller_s() {
    let settings = r#"{"options": {"num_ctx": 32768, "temperature": 1.5}, "keep_alive": "10m"}"#;
    assert_eq!(
        rest_with(Request { temperature: Some(0.5), ..plain() }, settings),
        json!({"options": {"num_ctx": 32768, "temperature": 0.5}, "keep_alive": "10m"})
    );
    assert_eq!(rest_with(plain(), r#"{"keep_alive": -1}"#), json!({"keep_alive": -1}));
}

#[test]
fn formats_keep_their_schema() {
    let schema = r#"{"type":"object","required":["b"]}"#.to_owned();
    let schema = JsonSchema { name: Some("n".into()), description: None, schema, strict: Some(true) };
    let format = |format| rest(Request { response_format: Some(format), ..plain() });
    assert_eq!(format(ResponseFormat::JsonSchema(schema)), json!({"format": {"type": "object", "required": ["b"]}}));
    assert_eq!(format(ResponseFormat::Text), json!({}));
}

#[test]
fn thinking_is_a_switch_or_a_level() {
    let think = |model: &str, reasoning| {
        rest(Request { model: model.into(), reasoning: Some(reasoning), ..plain() })["think"].clone()
    };
    let effort = |word: &str| Reasoning::Effort(word.into());
    for (word, switch, level) in [
        ("none", json!(false), json!(false)),
        ("minimal", json!(true), json!("low")),
        ("low", json!(true), json!("low")),
        ("medium", json!(true), json!("medium")),
        ("high", json!(true), json!("high")),
        ("max", json!(true), json!("high")),
    ] {
        assert_eq!(think("qwen3:8b", effort(word)), switch);
        assert_eq!(think("gpt-oss:20b", effort(word)), level);
    }
    for (budget, level) in [(0, json!(false)), (2048, json!("low")), (8192, json!("medium")), (8193, json!("high"))] {
        assert_eq!(think("library/gpt-oss", Reasoning::Budget(budget)), level);
    }
}

#[test]
fn who_must_not_call_has_no_tools() {
    assert_eq!(rest(Request { tools: vec![tool()], tool_choice: Some(ToolChoice::Never), ..plain() }), json!({}));
}

#[test]
fn what_cannot_be_said_is_an_error_that_names_it() {
    let extra = |name: &str, value: &str| Request { extra: vec![Field::new(name, value)], ..plain() };
    let choice = |choice| Request { tools: vec![tool()], tool_choice: Some(choice), ..plain() };
    let table = [
        (extra("n", "2"), ErrorKind::Unsupported, "`n`"),
        (extra("logprobs", "true"), ErrorKind::Unsupported, "`logprobs`"),
        (extra("a_field_of_tomorrow", "1"), ErrorKind::Unsupported, "`a_field_of_tomorrow` of the request"),
        (choice(ToolChoice::Required), ErrorKind::Unsupported, "`tool_choice`"),
        (choice(ToolChoice::Named("look".into())), ErrorKind::Unsupported, "`tool_choice`"),
        (
            Request { parallel_tool_calls: Some(false), ..choice(ToolChoice::Auto) },
            ErrorKind::Unsupported,
            "`parallel_tool_calls`",
        ),
        (
            Request { native_tools: vec![r#"{"type":"web_search"}"#.into()], ..plain() },
            ErrorKind::Unsupported,
            "`web_search`",
        ),
        (
            Request { reasoning: Some(Reasoning::Effort("colossal".into())), ..plain() },
            ErrorKind::Unsupported,
            "`colossal`",
        ),
        (Request { tools: vec![Tool::new("look", "{")], ..plain() }, ErrorKind::InvalidRequest, "of the tool `look`"),
        (Request { messages: Vec::new(), ..plain() }, ErrorKind::InvalidRequest, "`messages`"),
    ];
    for (request, kind, name) in table {
        let error = error(request);
        assert_eq!(error.kind, kind, "{}", error.message);
        assert!(error.message.contains(name), "{}", error.message);
    }
    let idle = [("n", "1"), ("logit_bias", "{}"), ("stream_options", r#"{"include_usage": true}"#), ("store", "false")];
    let extra = idle.into_iter().map(|(name, value)| Field::new(name, value)).collect();
    assert_eq!(rest(Request { extra, user: Some("u".into()), ..plain() }), json!({}));
}
