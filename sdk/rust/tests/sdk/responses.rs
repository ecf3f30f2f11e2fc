//! The endpoint `/responses`: what is asked there.

mod answers;

use mortise_sdk::chat::{
    Field, JsonSchema, Media, MediaSource, Message, Part, Reasoning, Request, ResponseFormat, ResultPart, Role,
    Thinking, Tool, ToolCall, ToolChoice, ToolResult,
};
use mortise_sdk::http::Framing;
use mortise_sdk::provider::{ErrorKind, Operation};
use mortise_sdk::testing::Run;
use serde_json::{Value, json};

use crate::vendor::{Vendor, begin, request};

const SETTINGS: &str = r#"{"api": "responses"}"#;

fn ask(request: Request) -> Run {
    Run::new::<Vendor>(Operation::Chat(request), SETTINGS)
}

fn body(request: Request) -> Value {
    ask(request).sent_json()
}

fn plain() -> Request {
    request(vec![Message::user("hi")])
}

fn text(text: &str) -> Part {
    Part::Text(text.into())
}

#[test]
fn a_conversation_is_a_list_of_items() {
    let call = |id: &str, arguments: &str| {
        Part::Call(ToolCall { id: id.into(), name: "look".into(), arguments: arguments.into(), extra: vec![] })
    };
    let sealed = Thinking { text: "hm".into(), signature: Some("rs_1:gAAA".into()), redacted: false };
    let hidden = Thinking { text: "rs_2:gBBB".into(), signature: None, redacted: true };
    let foreign = Thinking { text: "so".into(), signature: Some("Ep4=".into()), redacted: false };
    let parts = vec![
        Part::Thinking(sealed),
        Part::Thinking(foreign),
        text("a"),
        text("b"),
        call("c1", "{\"x\":1}"),
        Part::Thinking(hidden),
        call("c2", ""),
        Part::Refusal("no".into()),
    ];
    let image = ResultPart::Media(Media {
        mime: "image/png".into(),
        source: MediaSource::Base64("AAAA".into()),
        name: None,
        detail: None,
    });
    let failed = ToolResult { call_id: "c2".into(), parts: vec![ResultPart::Text("gone".into())], failed: true };
    let shown = ToolResult { call_id: "c1".into(), parts: vec![ResultPart::Text("see".into()), image], failed: false };
    let messages = vec![
        Message::system("be brief"),
        Message::system("and kind"),
        Message::new(Role::Developer, vec![text("x")]),
        Message::user("hi"),
        Message::new(Role::Assistant, parts),
        Message::new(Role::User, vec![Part::Outcome(shown), Part::Outcome(failed), text("well?")]),
    ];
    let said = |role: &str, text: &str| json!({"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]});
    let sent = body(request(messages));
    assert_eq!(sent["instructions"], "be brief");
    assert_eq!(
        sent["input"],
        json!([
            said("system", "and kind"),
            said("developer", "x"),
            said("user", "hi"),
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gAAA"},
            {"type": "message", "role": "assistant", "content": [
                {"type": "output_text", "text": "a"}, {"type": "output_text", "text": "b"},
            ]},
            {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{\"x\":1}"},
            {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "gBBB"},
            {"type": "function_call", "call_id": "c2", "name": "look", "arguments": "{}"},
            {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
            {"type": "function_call_output", "call_id": "c1", "output": [
                {"type": "input_text", "text": "see"}, {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
            ]},
            {"type": "function_call_output", "call_id": "c2", "output": "[the tool call failed] gone"},
            said("user", "well?"),
        ])
    );
    assert_eq!((&sent["store"], &sent["include"]), (&json!(false), &json!(["reasoning.encrypted_content"])));
}

#[test]
fn every_wish_has_its_place() {
    let schema =
        JsonSchema { name: None, description: None, schema: r#"{"type":"object"}"#.into(), strict: Some(true) };
    let extra = [("verbosity", "\"low\""), ("service_tier", "\"flex\""), ("n", "1"), ("stream_options", "{}")];
    let wishes = Request {
        tools: vec![
            Tool { extra: vec![Field::new("strict", "true")], ..Tool::new("f", r#"{"type":"object"}"#) },
            Tool { description: Some("d".into()), ..Tool::new("g", "{}") },
        ],
        tool_choice: Some(ToolChoice::Named("f".into())),
        parallel_tool_calls: Some(false),
        max_tokens: Some(9),
        temperature: Some(0.5),
        top_p: Some(0.25),
        reasoning: Some(Reasoning::Effort("high".into())),
        response_format: Some(ResponseFormat::JsonSchema(schema)),
        user: Some("u".into()),
        dialect: Some("openai".into()),
        extra: extra.iter().map(|(name, value)| Field::new(*name, *value)).collect(),
        streaming: true,
        ..plain()
    };
    let run = ask(wishes.clone());
    assert_eq!((run.sent().path.as_str(), run.sent().framing), ("/responses", Framing::Sse));
    assert_eq!(
        run.sent_json(),
        json!({
            "model": "m",
            "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
            "tools": [
                {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": true},
                {"type": "function", "name": "g", "description": "d", "parameters": {}, "strict": false},
            ],
            "tool_choice": {"type": "function", "name": "f"}, "parallel_tool_calls": false,
            "max_output_tokens": 9, "temperature": 0.5, "top_p": 0.25, "reasoning": {"effort": "high"},
            "text": {
                "format": {"type": "json_schema", "name": "response", "schema": {"type": "object"}, "strict": true},
                "verbosity": "low",
            },
            "include": ["reasoning.encrypted_content"], "user": "u", "store": false, "stream": true, "service_tier": "flex",
        })
    );
    let settings = r#"{"api": "responses", "reasoning_summary": "auto"}"#;
    let sent = Run::new::<Vendor>(Operation::Chat(plain()), settings).sent_json();
    assert_eq!(
        (&sent["reasoning"], &sent["include"][0]),
        (&json!({"summary": "auto"}), &json!("reasoning.encrypted_content"))
    );
    assert_eq!(body(plain()).get("include"), None, "a model that doesn't reason has nothing to seal");
}

#[test]
fn the_dialect_s_own_fields_and_tools_pass_on() {
    let own = Request {
        native_tools: vec![r#"{"type":"web_search"}"#.into()],
        messages: vec![
            Message::user("hi"),
            Message::new(Role::Assistant, vec![Part::Other(r#"{"type":"web_search_call","id":"ws_1"}"#.into())]),
        ],
        extra: vec![Field::new("include", r#"["web_search_call.action.sources"]"#), Field::new("max_tool_calls", "3")],
        reasoning: Some(Reasoning::Effort("low".into())),
        dialect: Some("openai-responses".into()),
        ..plain()
    };
    let sent = body(own);
    assert_eq!(sent["tools"], json!([{"type": "web_search"}]));
    assert_eq!(sent["input"][1], json!({"type": "web_search_call", "id": "ws_1"}));
    assert_eq!(sent["include"], json!(["web_search_call.action.sources", "reasoning.encrypted_content"]));
    assert_eq!(sent["max_tool_calls"], 3);
}

#[test]
fn what_cannot_be_said_there_is_named() {
    let foreign =
        |field: &str| Request { dialect: Some("openai".into()), extra: vec![Field::new(field, "1")], ..plain() };
    let part = |part| Request { messages: vec![Message::user("a"), Message::new(Role::User, vec![part])], ..plain() };
    let audio = Media { mime: "audio/wav".into(), source: MediaSource::Base64("A".into()), name: None, detail: None };
    let table = [
        (Request { stop: vec!["x".into()], ..plain() }, "`stop`"),
        (Request { seed: Some(1), ..plain() }, "`seed`"),
        (Request { top_k: Some(1), ..plain() }, "`top_k`"),
        (foreign("logit_bias"), "`logit_bias`"),
        (Request { dialect: Some("openai".into()), extra: vec![Field::new("n", "2")], ..plain() }, "`n`"),
        (Request { native_tools: vec![r#"{"type":"bash_20250124"}"#.into()], ..plain() }, "`bash_20250124`"),
        (part(Part::Media(audio)), "messages[1]: audio"),
        (part(Part::Other("{}".into())), "messages[1]: a part"),
    ];
    for (request, words) in table {
        let run = ask(request);
        let error = run.error().expect(words);
        assert_eq!(error.kind, ErrorKind::Unsupported, "{words}");
        assert!(error.message.contains(words), "{}", error.message);
    }
}

#[test]
fn a_body_of_this_dialect_goes_on_as_it_is() {
    let odd = "{ \"input\":[ {\"role\":\"user\",\"content\":\"h\\u00e9\"} ],\t\"future\":1e2, \"model\": \"MODEL\",\"stream\":true }\n";
    let raw = |text: &str| Request {
        dialect: Some("openai-responses".into()),
        raw: Some(text.into()),
        streaming: true,
        ..request(Vec::new())
    };
    // Whatever endpoint other conversations go to.
    let run = begin(raw(&odd.replace("MODEL", "openai/m")));
    assert_eq!(run.sent().path, "/responses");
    assert_eq!(String::from_utf8_lossy(&run.sent().body), odd.replace("MODEL", "m"));
    let later = begin(raw(r#"{"model":"m","background":true,"stream":true}"#));
    assert!(later.error().unwrap().message.contains("`background`"));
}

#[test]
fn models_of_this_endpoint_are_known_by_the_beginnings_of_their_names() {
    let path = |model: &str| {
        let request = Request { model: model.into(), ..plain() };
        Run::new::<Vendor>(Operation::Chat(request), r#"{"responses_models": ["o3-pro"]}"#).sent().path.clone()
    };
    assert_eq!(path("o3-pro"), "/responses");
    assert_eq!(path("o3-pro-2025-06-10"), "/responses");
    assert_eq!(path("o3-professor"), "/chat/completions");
}
