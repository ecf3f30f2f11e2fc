//! What is written.

use mortise_sdk::chat::{
    CachePoint, Field, JsonSchema, Media, MediaSource, Message, Part, Reasoning, Request, ResponseFormat, ResultPart,
    Role, Thinking, Tool, ToolCall, ToolChoice, ToolResult,
};
use mortise_sdk::provider::{Credential, ErrorKind, Operation};
use mortise_sdk::testing::{self, Run};
use proptest::prelude::*;
use serde_json::json;

use super::{MODEL, refused, request, run, written};
use crate::client::Bedrock;

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::Call(ToolCall { id: id.into(), name: name.into(), arguments: arguments.into(), extra: Vec::new() })
}

fn outcome(id: &str, text: &str) -> Part {
    Part::Outcome(ToolResult { call_id: id.into(), parts: vec![ResultPart::Text(text.into())], failed: false })
}

fn media(mime: &str, source: MediaSource) -> Part {
    Part::Media(Media { mime: mime.into(), source, name: Some("a b.pdf".into()), detail: None })
}

#[test]
fn it_says_where_and_how() {
    let info = testing::describe::<Bedrock>(r#"{"region": "eu-west-1"}"#).unwrap();
    assert_eq!(info.base_url.as_deref(), Some("https://bedrock-runtime.eu-west-1.amazonaws.com"));
    let Credential::Sigv4(scope) = info.credential else { unreachable!() };
    assert_eq!((scope.service.as_str(), scope.region.as_str()), ("bedrock", "eu-west-1"));
    let info = testing::describe::<Bedrock>(r#"{"credential": "api_key"}"#).unwrap();
    assert_eq!((info.credential, info.key_variable.as_deref()), (Credential::Bearer, Some("AWS_BEARER_TOKEN_BEDROCK")));
}

#[test]
fn a_conversation_is_written_as_converse_wants_it() {
    let mut question = request(vec![
        Message::system("be brief"),
        Message::new(
            Role::Developer,
            vec![Part::Text("and kind".into()), Part::CachePoint(CachePoint { ttl: Some("1h".into()) })],
        ),
        Message::user("hello"),
        Message::user("there"),
        Message::new(
            Role::Assistant,
            vec![Part::Text(String::new()), call("call.1", "look", r#"{"at":1}"#), call("b", "look", "")],
        ),
        Message::tool("call.1", "seen"),
        Message::new(
            Role::Tool,
            vec![Part::Outcome(ToolResult { call_id: "b".into(), parts: Vec::new(), failed: true })],
        ),
        Message::user("go on"),
        Message::assistant("well, "),
    ]);
    question.max_tokens = Some(9);
    question.stop = vec!["x".into()];
    question.tools = vec![Tool { description: Some("looks".into()), ..Tool::new("look", r#"{"type":"object"}"#) }];
    question.tool_choice = Some(ToolChoice::Required);
    let mut body = written(question);
    let id = body["messages"][1]["content"][0]["toolUse"]["toolUseId"].as_str().unwrap().to_owned();
    assert!(id.starts_with("call_1_") && id.len() <= 64);
    assert_eq!(body["messages"][2]["content"][0]["toolResult"]["toolUseId"], id.as_str());
    body["messages"][1]["content"][0]["toolUse"]["toolUseId"] = json!("a");
    body["messages"][2]["content"][0]["toolResult"]["toolUseId"] = json!("a");
    assert_eq!(
        body,
        json!({
            "system": [{"text": "be brief"}, {"text": "and kind"}, {"cachePoint": {"type": "default", "ttl": "1h"}}],
            "messages": [
                {"role": "user", "content": [{"text": "hello"}, {"text": "there"}]},
                {"role": "assistant", "content": [
                    {"toolUse": {"toolUseId": "a", "name": "look", "input": {"at": 1}}},
                    {"toolUse": {"toolUseId": "b", "name": "look", "input": {}}},
                ]},
                {"role": "user", "content": [
                    {"toolResult": {"toolUseId": "a", "content": [{"text": "seen"}], "status": "success"}},
                    {"toolResult": {"toolUseId": "b", "content": [], "status": "error"}},
                    {"text": "go on"},
                ]},
                {"role": "assistant", "content": [{"text": "well,"}]},
            ],
            "inferenceConfig": {"maxTokens": 9, "stopSequences": ["x"]},
            "toolConfig": {
                "tools": [{"toolSpec": {"name": "look", "description": "looks", "inputSchema": {"json": {"type": "object"}}}}],
                "toolChoice": {"any": {}},
            },
        })
    );
}

#[test]
fn the_model_stands_in_the_path() {
    let sent = run(request(vec![Message::user("hi")]));
    assert_eq!(sent.sent().path, "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse");
    let streaming = Request { streaming: true, ..request(vec![Message::user("hi")]) };
    assert!(run(streaming).sent().path.ends_with("/converse-stream"));
    let profile = Request { model: "arn:aws:bedrock:eu-west-1:1:x/y".into(), ..request(vec![Message::user("hi")]) };
    assert_eq!(run(profile).sent().path, "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ax%2Fy/converse");
}

#[test]
fn images_and_documents_have_formats() {
    let image = |mime, data: &str| media(mime, MediaSource::Base64(data.into()));
    let body = written(request(vec![Message::new(
        Role::User,
        vec![
            image("image/*", "/9j/x"),
            image("application/pdf", "JVBE"),
            media("image/png", MediaSource::Url("s3://b/k".into())),
        ],
    )]));
    assert_eq!(
        body["messages"][0]["content"],
        json!([
            {"image": {"format": "jpeg", "source": {"bytes": "/9j/x"}}},
            {"document": {"format": "pdf", "name": "a b pdf 1", "source": {"bytes": "JVBE"}}},
            {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://b/k"}}}},
        ])
    );
    let by_url =
        request(vec![Message::new(Role::User, vec![media("image/png", MediaSource::Url("https://a/b.png".into()))])]);
    assert!(refused(by_url).contains("send them in base64"));
}

#[test]
fn thinking_is_asked_for_and_replayed_with_its_proof() {
    let thinking = |text: &str, signature: Option<&str>, redacted| {
        Part::Thinking(Thinking { text: text.into(), signature: signature.map(str::to_owned), redacted })
    };
    let mut question = request(vec![
        Message::user("hi"),
        Message::new(
            Role::Assistant,
            vec![
                thinking("hm", Some("s"), false),
                thinking("mine", None, false),
                thinking("of Gemini", Some("gemini:gemini-3-pro:c2ln"), false),
                thinking("rs_1:c2ln", None, true),
                thinking("xx", None, true),
                Part::Text("a".into()),
            ],
        ),
        Message::user("more"),
    ]);
    question.reasoning = Some(Reasoning::Effort("medium".into()));
    let body = written(question.clone());
    assert_eq!(body["additionalModelRequestFields"], json!({"thinking": {"type": "enabled", "budget_tokens": 4096}}));
    assert_eq!(
        body["messages"][1]["content"],
        json!([
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
            {"reasoningContent": {"redactedContent": "xx"}},
            {"text": "a"},
        ])
    );
    question.model = "meta.llama3-1-8b-instruct-v1:0".into();
    assert!(refused(question).contains("reasoning"));
}

#[test]
fn a_schema_is_a_string() {
    let schema = JsonSchema {
        name: Some("n".into()),
        description: None,
        schema: r#"{"type":"object"}"#.into(),
        strict: Some(true),
    };
    let question =
        Request { response_format: Some(ResponseFormat::JsonSchema(schema)), ..request(vec![Message::user("hi")]) };
    let expected =
        json!({"type": "json_schema", "structure": {"jsonSchema": {"schema": "{\"type\":\"object\"}", "name": "n"}}});
    assert_eq!(written(question)["outputConfig"]["textFormat"], expected);
}

#[test]
fn what_means_nothing_here_is_named() {
    let hi = || request(vec![Message::user("hi")]);
    assert!(refused(Request { seed: Some(1), ..hi() }).contains("`seed`"));
    assert!(refused(Request { frequency_penalty: Some(0.5), ..hi() }).contains("`frequency_penalty`"));
    assert!(refused(Request { extra: vec![Field::new("logprobs", "true")], ..hi() }).contains("`logprobs`"));
    assert!(refused(Request { native_tools: vec!["{}".into()], ..hi() }).contains("`tools`"));
    assert!(written(Request { extra: vec![Field::new("stream_options", "{}")], ..hi() })["messages"].is_array());
    assert!(refused(request(vec![Message::assistant("me first")])).contains("`user`"));
    let run = run(request(vec![Message::user("hi"), Message::new(Role::Assistant, vec![call("a", "f", "[1]")])]));
    assert_eq!(run.error().unwrap().kind, ErrorKind::InvalidRequest);
}

#[test]
fn tools_that_were_called_are_declared() {
    let body = written(request(vec![
        Message::user("hi"),
        Message::new(Role::Assistant, vec![call("a", "gone", "{}")]),
        Message::tool("a", "x"),
    ]));
    assert_eq!(body["toolConfig"]["tools"][0]["toolSpec"]["name"], "gone");
}

#[test]
fn tokens_can_be_counted() {
    let mut run = Run::new::<Bedrock>(Operation::CountTokens(request(vec![Message::user("hi")])), "{}");
    assert_eq!(run.sent().path, format!("/model/{}/count-tokens", MODEL.replace(':', "%3A")));
    let expected = json!({"input": {"converse": {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}}});
    assert_eq!(run.sent_json(), expected);
    run.respond(200, br#"{"inputTokens":7}"#);
    assert_eq!(run.outputs(), [mortise_sdk::provider::Output::Tokens(7)]);
}

/// Any part that this vendor can take.
fn part(role: Role) -> BoxedStrategy<Part> {
    let text = "[ a-z]{0,6}".prop_map(Part::Text);
    match role {
        Role::Assistant => prop_oneof![text, "[a-z.]{1,4}".prop_map(|id| call(&id, "f", "{}"))].boxed(),
        Role::User => prop_oneof![text, "[a-z.]{1,4}".prop_map(|id| outcome(&id, "x"))].boxed(),
        _ => text.boxed(),
    }
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![Just(Role::System), Just(Role::User), Just(Role::Assistant)]
        .prop_flat_map(|role| prop::collection::vec(part(role), 0..4).prop_map(move |parts| Message::new(role, parts)))
}

proptest! {
    #[test]
    fn turns_alternate_hold_something_and_lose_nothing(messages in prop::collection::vec(message(), 0..8)) {
        let messages: Vec<Message> = [Message::user("first")].into_iter().chain(messages).collect();
        let body = written(request(messages.clone()));
        let turns = body["messages"].as_array().unwrap();
        let mut said = Vec::new();
        for (index, turn) in turns.iter().enumerate() {
            prop_assert_eq!(&turn["role"], if index % 2 == 0 { "user" } else { "assistant" });
            let blocks = turn["content"].as_array().unwrap();
            prop_assert!(!blocks.is_empty());
            let results = blocks.iter().take_while(|block| block["toolResult"].is_object()).count();
            prop_assert_eq!(results, blocks.iter().filter(|block| block["toolResult"].is_object()).count());
            said.extend(blocks.iter().map(|block| match block["text"].as_str() {
                Some(text) => text.trim().to_owned(),
                None => "block".to_owned(),
            }));
        }
        prop_assert!(said.iter().all(|text| !text.is_empty()));
        said.extend(body["system"].as_array().into_iter().flatten().filter_map(|block| block["text"].as_str().map(|t| t.trim().to_owned())));
        let mut meant: Vec<String> = messages.iter().flat_map(|message| &message.parts).filter_map(|part| match part {
            Part::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            _ => Some("block".to_owned()),
        }).collect();
        said.retain(|text| !text.is_empty());
        said.sort();
        meant.sort();
        prop_assert_eq!(said, meant);
    }
}
