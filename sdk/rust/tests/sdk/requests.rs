//! The body of a chat request, but for its messages.

use mortise_sdk::chat::{Field, JsonSchema, Message, Reasoning, Request, ResponseFormat, Tool, ToolChoice};
use mortise_sdk::http::Framing;
use mortise_sdk::provider::ErrorKind;
use serde_json::{Value, json};

use crate::vendor::{begin, body, body_with, error, request};

fn plain() -> Request {
    request(vec![Message::user("hi")])
}

/// The body without what every request has.
fn rest(request: Request) -> Value {
    rest_with(request, "{}")
}

fn rest_with(request: Request, settings: &str) -> Value {
    let mut body = body_with(request, settings);
    let object = body.as_object_mut().unwrap();
    assert_eq!(object.remove("model"), Some(json!("m")));
    object.remove("messages").unwrap();
    body
}

#[test]
fn a_plain_request_holds_nothing_that_was_not_asked_for() {
    let run = begin(plain());
    assert_eq!(run.sent_json(), json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]}));
    assert_eq!((run.sent().method.as_str(), run.sent().path.as_str()), ("POST", "/chat/completions"));
    assert_eq!(run.sent().framing, Framing::Whole);
    assert_eq!(run.sent().headers.len(), 1);
}

#[test]
fn every_field_has_its_place() {
    let full = Request {
        tools: vec![Tool {
            description: Some("looks".into()),
            extra: vec![Field::new("strict", "true")],
            ..Tool::new("look", r#"{"type": "object"}"#)
        }],
        tool_choice: Some(ToolChoice::Named("look".into())),
        parallel_tool_calls: Some(false),
        max_tokens: Some(9),
        temperature: Some(0.5),
        top_p: Some(1.0),
        frequency_penalty: Some(-2.0),
        presence_penalty: Some(0.25),
        stop: vec!["a".into(), "\n".into()],
        seed: Some(-7),
        reasoning: Some(Reasoning::Effort("high".into())),
        user: Some("u".into()),
        dialect: Some("openai".into()),
        extra: vec![Field::new("logit_bias", r#"{"50256": -100}"#), Field::new("n", "1")],
        ..plain()
    };
    let expected = json!({
        "tools": [{"type": "function", "function": {
            "name": "look", "description": "looks", "parameters": {"type": "object"}, "strict": true
        }}],
        "tool_choice": {"type": "function", "function": {"name": "look"}},
        "parallel_tool_calls": false,
        "max_completion_tokens": 9,
        "temperature": 0.5,
        "top_p": 1.0,
        "frequency_penalty": -2.0,
        "presence_penalty": 0.25,
        "stop": ["a", "\n"],
        "seed": -7,
        "reasoning_effort": "high",
        "user": "u",
        "logit_bias": {"50256": -100},
        "n": 1
    });
    assert_eq!(rest(full), expected);
}

#[test]
fn a_stream_always_asks_for_usage() {
    let streaming = Request { streaming: true, ..plain() };
    assert_eq!(rest(streaming.clone()), json!({"stream": true, "stream_options": {"include_usage": true}}));
    assert_eq!(begin(streaming.clone()).sent().framing, Framing::Sse);
    let wishes = r#"{"include_usage": false, "include_obfuscation": false}"#;
    let extra = vec![Field::new("stream_options", wishes)];
    let with_wishes = Request { dialect: Some("openai".into()), extra, ..streaming };
    assert_eq!(
        rest(with_wishes),
        json!({"stream": true, "stream_options": {"include_usage": true, "include_obfuscation": false}})
    );
}

#[test]
fn choices_formats_and_reasoning() {
    let choice = |choice| rest(Request { tool_choice: Some(choice), ..plain() })["tool_choice"].clone();
    assert_eq!(choice(ToolChoice::Auto), "auto");
    assert_eq!(choice(ToolChoice::Never), "none");
    assert_eq!(choice(ToolChoice::Required), "required");
    let format = |format| rest(Request { response_format: Some(format), ..plain() })["response_format"].clone();
    assert_eq!(format(ResponseFormat::Text), json!({"type": "text"}));
    assert_eq!(format(ResponseFormat::JsonObject), json!({"type": "json_object"}));
    let schema = JsonSchema {
        name: None,
        description: Some("d".into()),
        schema: r#"{"type":"object"}"#.into(),
        strict: Some(true),
    };
    assert_eq!(
        format(ResponseFormat::JsonSchema(schema)),
        json!({"type": "json_schema", "json_schema": {
            "name": "response", "description": "d", "schema": {"type": "object"}, "strict": true
        }})
    );
    let effort = |reasoning| rest(Request { reasoning: Some(reasoning), ..plain() })["reasoning_effort"].clone();
    let budgets = [(0, "none"), (1, "low"), (2048, "low"), (2049, "medium"), (8192, "medium"), (31_999, "high")];
    for (budget, word) in budgets {
        assert_eq!(effort(Reasoning::Budget(budget)), word, "{budget}");
    }
}

#[test]
fn settings_suit_the_vendor() {
    let limited = Request { max_tokens: Some(1), top_k: Some(40), ..plain() };
    let settings = r#"{"max_tokens_field": "max_tokens", "top_k": true}"#;
    assert_eq!(rest_with(limited, settings), json!({"max_tokens": 1, "top_k": 40}));
}

#[test]
fn what_cannot_be_said_is_an_error_that_names_it() {
    let extra = |dialect: &str, field| Request { dialect: Some(dialect.into()), extra: vec![field], ..plain() };
    let tool = |tool| Request { tools: vec![tool], dialect: Some("anthropic".into()), ..plain() };
    let odd_tool = Tool { extra: vec![Field::new("defer_loading", "true")], ..Tool::new("t", "{}") };
    let table = [
        (Request { top_k: Some(1), ..plain() }, ErrorKind::Unsupported, "`top_k`"),
        (extra("openai", Field::new("n", "2")), ErrorKind::Unsupported, "`n`"),
        (extra("anthropic", Field::new("container", "{}")), ErrorKind::Unsupported, "`container`"),
        (extra("openai", Field::new("metadata", "{oops")), ErrorKind::InvalidRequest, "`metadata`"),
        (tool(Tool::new("look", "{")), ErrorKind::InvalidRequest, "`parameters` of the tool `look`"),
        (tool(odd_tool), ErrorKind::Unsupported, "`defer_loading` of the tool"),
    ];
    for (request, kind, name) in table {
        let error = error(request);
        assert_eq!(error.kind, kind, "{}", error.message);
        assert!(error.message.contains(name), "{}", error.message);
    }
}

#[test]
fn hints_about_caching_are_left_out() {
    let hint = || vec![Field::new("cache_control", r#"{"type":"ephemeral"}"#)];
    let tool = Tool { extra: hint(), ..Tool::new("t", "{}") };
    let body = body(Request { dialect: Some("anthropic".into()), tools: vec![tool], extra: hint(), ..plain() });
    assert!(!body.to_string().contains("cache_control"));
}

#[test]
fn a_long_name_of_a_tool_is_shortened_and_comes_back_whole() {
    let long = format!("mcp__{}__search", "very_long_server_name_".repeat(4));
    let tools = vec![Tool::new(long.clone(), "{}"), Tool::new("short", "{}")];
    let choice = Some(ToolChoice::Named(long.clone()));
    let mut run = begin(Request { tools, tool_choice: choice, ..plain() });
    let sent = run.sent_json();
    let short = sent["tools"][0]["function"]["name"].as_str().unwrap().to_owned();
    assert_eq!(short.len(), 64);
    assert_eq!(sent["tool_choice"]["function"]["name"], short.as_str());
    assert_eq!(sent["tools"][1]["function"]["name"], "short");
    let call = json!({"id": "c", "type": "function", "function": {"name": short, "arguments": "{}"}});
    let answer = json!({"choices": [{"message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]});
    run.respond(200, answer.to_string().as_bytes());
    assert_eq!(run.answer().calls[0].name, long);
}
