//! The body of a chat request, but for its contents.

use mortise_sdk::chat::{Field, JsonSchema, Request, ResponseFormat, Tool, ToolChoice};
use mortise_sdk::http::Framing;
use mortise_sdk::provider::{ErrorKind, Operation};
use mortise_sdk::testing::Run;
use serde_json::{Value, json};

use super::{begin, body, error, plain};
use crate::client::Gemini;

fn rest(request: Request) -> Value {
    let mut body = body(request);
    body.as_object_mut().unwrap().remove("contents").unwrap();
    body
}

fn with_tools(request: Request) -> Request {
    let parameters =
        r##"{"$schema": "x", "type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {}}}"##;
    let look = Tool { description: Some("looks".into()), ..Tool::new("look", parameters) };
    Request { tools: vec![look, Tool::new("now", "{}")], ..request }
}

#[test]
fn a_plain_request_holds_nothing_that_was_not_asked_for() {
    let run = begin(plain());
    assert_eq!(run.sent_json(), json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}));
    assert_eq!((run.sent().method.as_str(), run.sent().framing), ("POST", Framing::Whole));
    assert_eq!(run.sent().path, "/models/gemini-2.5-flash:generateContent");
    assert_eq!(run.sent().headers.len(), 1, "the host adds the key");
}

#[test]
fn a_stream_is_asked_for_by_its_path() {
    let run = begin(Request { streaming: true, ..plain() });
    assert_eq!(run.sent().path, "/models/gemini-2.5-flash:streamGenerateContent?alt=sse");
    assert_eq!(run.sent().framing, Framing::Sse);
    assert_eq!(run.sent_json(), body(plain()));
}

#[test]
fn a_model_s_name_stays_one_name() {
    let path = |model: &str| begin(Request { model: model.into(), ..plain() }).sent().path.clone();
    assert_eq!(path("models/gemini-3-pro"), "/models/gemini-3-pro:generateContent");
    assert_eq!(path("tunedModels/mine-1"), "/tunedModels/mine-1:generateContent");
    assert_eq!(path("../x?y#z é"), "/models/..%2Fx%3Fy%23z%20%C3%A9:generateContent");
}

#[test]
fn every_field_has_its_place() {
    let full = with_tools(Request {
        tool_choice: Some(ToolChoice::Named("look".into())),
        parallel_tool_calls: Some(true),
        max_tokens: Some(9),
        temperature: Some(0.5),
        top_p: Some(1.0),
        top_k: Some(40),
        frequency_penalty: Some(-2.0),
        presence_penalty: Some(0.25),
        stop: vec!["a".into(), "\n".into()],
        seed: Some(-7),
        response_format: Some(ResponseFormat::JsonObject),
        ..plain()
    });
    let expected = json!({
        "tools": [{"functionDeclarations": [
            {"name": "look", "description": "looks", "parametersJsonSchema": {
                "$schema": "x", "type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {}}
            }},
            {"name": "now"},
        ]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["look"]}},
        "generationConfig": {
            "maxOutputTokens": 9, "temperature": 0.5, "topP": 1.0, "topK": 40, "frequencyPenalty": -2.0,
            "presencePenalty": 0.25, "stopSequences": ["a", "\n"], "seed": -7, "responseMimeType": "application/json",
        },
    });
    assert_eq!(rest(full), expected);
}

#[test]
fn choices_are_modes() {
    let mode = |choice| rest(with_tools(Request { tool_choice: Some(choice), ..plain() }))["toolConfig"].clone();
    assert_eq!(mode(ToolChoice::Auto), json!({"functionCallingConfig": {"mode": "AUTO"}}));
    assert_eq!(mode(ToolChoice::Never), json!({"functionCallingConfig": {"mode": "NONE"}}));
    assert_eq!(mode(ToolChoice::Required), json!({"functionCallingConfig": {"mode": "ANY"}}));
    for choice in [ToolChoice::Auto, ToolChoice::Never] {
        assert_eq!(rest(Request { tool_choice: Some(choice), ..plain() }), json!({}), "a choice among nothing");
    }
    let nothing = error(Request { tool_choice: Some(ToolChoice::Required), ..plain() });
    assert_eq!(nothing.kind, ErrorKind::InvalidRequest);
}

#[test]
fn formats_keep_their_schema() {
    let format = |format| rest(Request { response_format: Some(format), ..plain() });
    assert_eq!(format(ResponseFormat::Text), json!({}));
    let schema = r#"{"type":"object","additionalProperties":false,"properties":{"b":{},"a":{}}}"#;
    let schema = JsonSchema { name: Some("n".into()), description: None, schema: schema.into(), strict: Some(true) };
    assert_eq!(
        format(ResponseFormat::JsonSchema(schema)),
        json!({"generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": {
            "type": "object", "additionalProperties": false, "properties": {"b": {}, "a": {}}
        }}})
    );
}

#[test]
fn what_cannot_be_said_is_an_error_that_names_it() {
    let extra = |name: &str, value: &str| Request { extra: vec![Field::new(name, value)], ..plain() };
    let native = |tool: &str| Request { native_tools: vec![tool.into()], ..plain() };
    let tool = |field| Request { tools: vec![Tool { extra: vec![field], ..Tool::new("t", "{}") }], ..plain() };
    let unparallel = with_tools(Request { parallel_tool_calls: Some(false), ..plain() });
    let table = [
        (extra("n", "2"), ErrorKind::Unsupported, "`n`"),
        (extra("logprobs", "true"), ErrorKind::Unsupported, "`logprobs` of the request"),
        (extra("logit_bias", r#"{"1": 2}"#), ErrorKind::Unsupported, "`logit_bias`"),
        (extra("modalities", r#"["text","audio"]"#), ErrorKind::Unsupported, "`modalities`"),
        (extra("a_field_of_tomorrow", "1"), ErrorKind::Unsupported, "`a_field_of_tomorrow`"),
        (native(r#"{"type": "web_search_20250305"}"#), ErrorKind::Unsupported, "`web_search_20250305`"),
        (tool(Field::new("defer_loading", "true")), ErrorKind::Unsupported, "`defer_loading` of the tool"),
        (unparallel, ErrorKind::Unsupported, "`parallel_tool_calls`"),
        (Request { seed: Some(1 << 31), ..plain() }, ErrorKind::InvalidRequest, "`seed`"),
        (Request { tools: vec![Tool::new("look", "{")], ..plain() }, ErrorKind::InvalidRequest, "of the tool `look`"),
    ];
    for (request, kind, name) in table {
        let error = error(request);
        assert_eq!(error.kind, kind, "{}", error.message);
        assert!(error.message.contains(name), "{}", error.message);
    }
}

#[test]
fn what_asks_for_nothing_is_left_out() {
    let idle = [
        ("n", "1"),
        ("logprobs", "false"),
        ("logit_bias", "{}"),
        ("modalities", "[\"text\"]"),
        ("stream_options", r#"{"include_usage": true}"#),
        ("store", "true"),
        ("metadata", r#"{"a": "b"}"#),
        ("prompt_cache_key", "\"k\""),
        ("cache_control", r#"{"type": "ephemeral"}"#),
    ];
    let extra = idle.into_iter().map(|(name, value)| Field::new(name, value)).collect();
    let strict = Tool { extra: vec![Field::new("strict", "true")], ..Tool::new("t", "{}") };
    let request =
        Request { extra, tools: vec![strict], user: Some("u".into()), dialect: Some("openai".into()), ..plain() };
    assert_eq!(rest(request), json!({"tools": [{"functionDeclarations": [{"name": "t"}]}]}));
}

#[test]
fn the_operator_s_thresholds_go_along() {
    let settings = r#"{"safety": {"HARM_CATEGORY_HARASSMENT": "BLOCK_NONE"}, "include_thoughts": true}"#;
    let body = Run::new::<Gemini>(Operation::Chat(plain()), settings).sent_json();
    assert_eq!(body["safetySettings"], json!([{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]));
    assert_eq!(body["generationConfig"], json!({"thinkingConfig": {"includeThoughts": true}}));
}

#[test]
fn names_that_do_not_fit_come_back_whole() {
    let long = format!("mcp__{}__search", "very_long_server_name_".repeat(4));
    let odd = ["github.search", "0day", "grüße", "github/search", long.as_str()];
    let tools = odd.iter().chain(&["fits-1"]).map(|name| Tool::new(*name, "{}")).collect();
    let choice = Some(ToolChoice::Named(long.clone()));
    let mut run = begin(Request { tools, tool_choice: choice, ..plain() });
    let sent = run.sent_json();
    let declared = sent["tools"][0]["functionDeclarations"].as_array().unwrap().clone();
    let names: Vec<&str> = declared.iter().map(|function| function["name"].as_str().unwrap()).collect();
    for name in &names {
        assert!(name.len() <= 63 && name.is_ascii() && !name.starts_with(|c: char| c.is_ascii_digit()), "{name}");
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'), "{name}");
    }
    assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), 6, "{names:?}");
    assert_eq!(names[5], "fits-1");
    assert_eq!(sent["toolConfig"]["functionCallingConfig"]["allowedFunctionNames"], json!([names[4]]));
    let parts: Vec<_> = names.iter().map(|name| json!({"functionCall": {"name": name, "args": {}}})).collect();
    let answer = json!({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]});
    run.respond(200, answer.to_string().as_bytes());
    let called: Vec<String> = run.answer().calls.into_iter().map(|call| call.name).collect();
    assert_eq!(called[..5], odd);
}
