//! Tools, the choice of them, and calls of earlier turns.

use mortise_sdk::chat::{Field, Message, Request, Tool, ToolChoice};
use mortise_sdk::provider::ErrorKind;
use serde_json::{Value, json};

use super::{assistant, call, hello, refused, said, sent};

const SCHEMA: &str = r#"{"type":"object","properties":{"city":{"type":"string"}}}"#;

fn weather() -> Tool {
    Tool { description: Some("The weather.".into()), ..Tool::new("weather", SCHEMA) }
}

fn with(tools: Vec<Tool>) -> Request {
    Request { tools, ..hello() }
}

#[test]
fn a_tool_keeps_its_schema_as_it_came() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert_eq!(
        sent(with(vec![weather()]))["tools"],
        json!([{"name": "weather", "description": "The weather.", "input_schema": schema}])
    );
}

#[test]
fn a_schema_without_a_type_gets_the_one_that_the_vendor_wants() {
    let tools = vec![Tool::new("a", "{}"), Tool::new("b", r#"{"properties":{}}"#)];
    assert_eq!(
        sent(with(tools))["tools"],
        json!([
            {"name": "a", "input_schema": {"type": "object"}},
            {"name": "b", "input_schema": {"properties": {}, "type": "object"}},
        ])
    );
    let error = refused(with(vec![Tool::new("a", "[]")]));
    assert!(error.message.contains("`parameters` of the tool `a`"), "{}", error.message);
}

#[test]
fn marks_and_strictness_are_passed_on_and_the_rest_is_named() {
    let tool = |name: &str, value: &str| Tool { extra: vec![Field::new(name, value)], ..Tool::new("f", "{}") };
    let written = |tool| sent(with(vec![tool]))["tools"][0].clone();
    assert_eq!(
        written(tool("cache_control", r#"{"type":"ephemeral"}"#))["cache_control"],
        json!({"type": "ephemeral"})
    );
    assert_eq!(written(tool("strict", "true"))["strict"], true);
    assert_eq!(written(tool("strict", "false")).get("strict"), None);
    assert_eq!(written(tool("strict", "null")).get("strict"), None);
    let old = Request { model: "claude-opus-4-1".into(), ..with(vec![tool("strict", "true")]) };
    assert!(refused(old).message.contains("`strict` of the tool `f`"));
    assert_eq!(refused(with(vec![tool("colour", "1")])).kind, ErrorKind::Unsupported);
}

#[test]
fn choices_of_tools() {
    let choice = |tool_choice, parallel_tool_calls| {
        sent(Request { tool_choice, parallel_tool_calls, ..with(vec![weather()]) }).get("tool_choice").cloned()
    };
    assert_eq!(choice(None, None), None);
    assert_eq!(choice(None, Some(true)), None);
    assert_eq!(choice(None, Some(false)), Some(json!({"type": "auto", "disable_parallel_tool_use": true})));
    assert_eq!(choice(Some(ToolChoice::Auto), None), Some(json!({"type": "auto"})));
    assert_eq!(choice(Some(ToolChoice::Never), Some(false)), Some(json!({"type": "none"})));
    assert_eq!(
        choice(Some(ToolChoice::Required), Some(false)),
        Some(json!({"type": "any", "disable_parallel_tool_use": true}))
    );
    assert_eq!(
        choice(Some(ToolChoice::Named("weather".into())), Some(true)),
        Some(json!({"type": "tool", "name": "weather"}))
    );
}

#[test]
fn a_choice_without_tools_says_nothing_or_is_wrong() {
    for tool_choice in [ToolChoice::Auto, ToolChoice::Never] {
        let request = Request { tool_choice: Some(tool_choice), parallel_tool_calls: Some(false), ..hello() };
        assert_eq!(sent(request), json!({"messages": [{"role": "user", "content": "hello"}]}));
    }
    let error = refused(Request { tool_choice: Some(ToolChoice::Required), ..hello() });
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
}

#[test]
fn arguments_are_an_object_whatever_the_model_wrote() {
    let input = |arguments: &str| {
        let messages = vec![Message::user("?"), assistant(vec![call("a", "f", arguments)]), Message::tool("a", "x")];
        said(messages)["messages"][1]["content"][0]["input"].clone()
    };
    for nothing in ["", " ", "{}", "null", "\n{ }\n"] {
        assert_eq!(input(nothing), json!({}), "{nothing:?}");
    }
    assert_eq!(input(r#" {"a": [1]} "#), json!({"a": [1]}));
    assert_eq!(input("[1]"), json!({"arguments": [1]}));
    assert_eq!(input("\"x\""), json!({"arguments": "x"}));
    assert_eq!(input("{\"a\": "), json!({"arguments": "{\"a\": "}), "what was cut is still told");
}

#[test]
fn only_the_vendor_s_own_fields_of_a_call_go_back() {
    let mut part = call("a", "f", "{}");
    if let mortise_sdk::chat::Part::Call(call) = &mut part {
        call.extra = vec![
            Field::new("caller", r#"{"type":"code_execution_20260120","tool_id":"srvtoolu_1"}"#),
            Field::new("extra_content", r#"{"google":{"thought_signature":"x"}}"#),
        ];
    }
    let body = said(vec![Message::user("?"), assistant(vec![part]), Message::tool("a", "x")]);
    let block = &body["messages"][1]["content"][0];
    assert_eq!(block["caller"]["tool_id"], "srvtoolu_1");
    assert_eq!(block.get("extra_content"), None);
}

#[test]
fn odd_names_fit_and_come_back_whole() {
    let long = "a".repeat(80);
    for name in ["files.read", "größe", long.as_str()] {
        let request =
            Request { tool_choice: Some(ToolChoice::Named(name.into())), ..with(vec![Tool::new(name, "{}")]) };
        let mut run = super::run(request);
        let body = run.sent_json();
        let short = body["tools"][0]["name"].as_str().unwrap().to_owned();
        assert!(short.len() <= 64 && short.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)));
        assert_eq!(body["tool_choice"]["name"], short);
        let answer = json!({
            "type": "message", "id": "m", "model": "x", "stop_reason": "tool_use",
            "content": [{"type": "tool_use", "id": "toolu_1", "name": short, "input": {}}],
        });
        run.respond(200, answer.to_string().as_bytes());
        assert_eq!(run.answer().calls[0].name, name);
    }
}

#[test]
fn tools_of_another_dialect_are_named_and_those_of_the_same_passed_on() {
    let native = r#"{"type":"web_search_20250305","name":"web_search"}"#;
    let request = |dialect: &str| Request {
        native_tools: vec![native.into()],
        dialect: Some(dialect.into()),
        ..with(vec![weather()])
    };
    let error = refused(request("openai-responses"));
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.message.contains("web_search_20250305"), "{}", error.message);
    let body = sent(request("anthropic"));
    assert_eq!(body["tools"][1], serde_json::from_str::<Value>(native).unwrap());
}
