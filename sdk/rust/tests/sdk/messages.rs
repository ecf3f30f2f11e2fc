//! Messages in the dialect.

use mortise_sdk::chat::{
    CachePoint, Field, Media, MediaSource, Message, Part, Request, ResultPart, Role, Thinking, ToolCall, ToolResult,
};
use mortise_sdk::provider::ErrorKind;
use serde_json::{Value, json};

use crate::vendor::{body, body_with, error, request};

fn messages(messages: Vec<Message>) -> Value {
    body(request(messages))["messages"].clone()
}

/// The messages of one that a caller of the same dialect sent.
fn same(message: Message) -> Value {
    body(Request { dialect: Some("openai".into()), ..request(vec![message]) })["messages"].clone()
}

fn text(text: &str) -> Part {
    Part::Text(text.into())
}

fn media(mime: &str, source: MediaSource) -> Media {
    Media { mime: mime.into(), source, name: None, detail: None }
}

fn call(id: &str, arguments: &str) -> Part {
    Part::Call(ToolCall { id: id.into(), name: "look".into(), arguments: arguments.into(), extra: Vec::new() })
}

fn outcome(id: &str, parts: Vec<ResultPart>) -> Part {
    Part::Outcome(ToolResult { call_id: id.into(), parts, failed: false })
}

#[test]
fn texts() {
    let named = Message { name: Some("ada".into()), ..Message::user("hi") };
    let several = Message::new(Role::User, vec![text("a"), Part::CachePoint(CachePoint { ttl: None }), text("b\n")]);
    assert_eq!(
        messages(vec![
            Message::system("be brief"),
            Message::new(Role::Developer, vec![text("be kind")]),
            named,
            several,
            Message::assistant("yes"),
            Message::new(Role::User, vec![]),
        ]),
        json!([
            {"role": "system", "content": "be brief"},
            {"role": "developer", "content": "be kind"},
            {"role": "user", "content": "hi", "name": "ada"},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b\n"}]},
            {"role": "assistant", "content": "yes"},
            {"role": "user", "content": ""},
        ])
    );
    let developer = vec![Message::new(Role::Developer, vec![text("x")])];
    assert_eq!(body_with(request(developer), r#"{"developer_role": false}"#)["messages"][0]["role"], "system");
}

#[test]
fn images_audio_and_files() {
    let url = MediaSource::Url("https://x.example/i.png".into());
    let data = |data: &str| MediaSource::Base64(data.into());
    let detailed = Media { detail: Some("low".into()), ..media("image/*", url) };
    let named = Media { name: Some("a.pdf".into()), ..media("application/pdf", data("JVBE")) };
    let parts = vec![
        text("see"),
        Part::Media(detailed),
        Part::Media(media("image/webp", data("AAAA"))),
        Part::Media(media("image/*", data("iVBORw0KGgo="))),
        Part::Media(media("audio/mpeg", data("SUQz"))),
        Part::Media(media("audio/flac", data("ZkxhQw=="))),
        Part::Media(named),
        Part::Media(media("application/pdf", MediaSource::File("file-1".into()))),
    ];
    assert_eq!(
        messages(vec![Message::new(Role::User, parts)])[0]["content"],
        json!([
            {"type": "text", "text": "see"},
            {"type": "image_url", "image_url": {"url": "https://x.example/i.png", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "data:image/webp;base64,AAAA"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
            {"type": "input_audio", "input_audio": {"data": "SUQz", "format": "mp3"}},
            {"type": "input_audio", "input_audio": {"data": "ZkxhQw==", "format": "flac"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
            {"type": "file", "file": {"file_id": "file-1"}},
        ])
    );
}

#[test]
fn calls_and_their_results() {
    let thinking = Thinking { text: "hm".into(), signature: None, redacted: false };
    let turn = Message::new(Role::Assistant, vec![Part::Thinking(thinking), call("c1", r#"{"a":1}"#), call("c2", " ")]);
    let results = Message::new(
        Role::User,
        vec![text("and now?"), outcome("c1", vec![ResultPart::Text("one".into())]), outcome("c2", vec![])],
    );
    let many = vec![ResultPart::Text("a".into()), ResultPart::Text("b".into())];
    let failed = ToolResult { call_id: "c3".into(), parts: vec![ResultPart::Text("no file".into())], failed: true };
    let last = Message::new(Role::Tool, vec![outcome("c4", many), Part::Outcome(failed)]);
    assert_eq!(
        messages(vec![turn.clone(), results, last]),
        json!([
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{\"a\":1}"}},
                {"id": "c2", "type": "function", "function": {"name": "look", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "c1", "content": "one"},
            {"role": "tool", "tool_call_id": "c2", "content": ""},
            {"role": "user", "content": "and now?"},
            {"role": "tool", "tool_call_id": "c4", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"role": "tool", "tool_call_id": "c3", "content": "[the tool call failed] no file"},
        ])
    );
    for field in ["reasoning_content", "reasoning"] {
        let settings = format!(r#"{{"replay_thinking": "{field}"}}"#);
        assert_eq!(body_with(request(vec![turn.clone()]), &settings)["messages"][0][field], "hm");
    }
}

#[test]
fn long_ids_are_shortened_alike_in_call_and_result() {
    let long = "toolu_".repeat(10);
    let sent = messages(vec![
        Message::new(Role::Assistant, vec![call(&long, "{}")]),
        Message::tool(long.clone(), "ok"),
        Message::tool(format!("{long}x"), "ok"),
    ]);
    let id = sent[0]["tool_calls"][0]["id"].as_str().unwrap();
    assert_eq!(id.len(), 40);
    assert_eq!(sent[1]["tool_call_id"], id);
    assert_ne!(sent[2]["tool_call_id"], id);
}

#[test]
fn refusals_parts_of_other_kinds_and_fields() {
    let refusal = Message::new(Role::Assistant, vec![Part::Refusal("no".into())]);
    assert_eq!(messages(vec![refusal]), json!([{"role": "assistant", "content": null, "refusal": "no"}]));
    let thought = Thinking { text: "hm".into(), signature: None, redacted: false };
    let only_thinking = Message::new(Role::Assistant, vec![Part::Thinking(thought)]);
    assert_eq!(messages(vec![only_thinking]), json!([{"role": "assistant", "content": ""}]));
    let other = Message {
        extra: vec![Field::new("audio", r#"{"id":"a"}"#)],
        ..Message::new(Role::Assistant, vec![text("x"), Part::Other(r#"{"type":"new"}"#.into())])
    };
    assert_eq!(
        same(other),
        json!([{"role": "assistant", "content": [{"type": "text", "text": "x"}, {"type": "new"}], "audio": {"id": "a"}}])
    );
}

#[test]
fn media_in_results_where_the_vendor_takes_it() {
    let image = ResultPart::Media(media("image/png", MediaSource::Base64("AAAA".into())));
    let shot = Message::new(Role::Tool, vec![outcome("c", vec![image])]);
    assert_eq!(error(request(vec![shot.clone()])).kind, ErrorKind::Unsupported);
    assert_eq!(
        body_with(request(vec![shot]), r#"{"media_in_results": true}"#)["messages"][0]["content"],
        json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}])
    );
}

#[test]
fn what_cannot_be_said_is_an_error_that_names_the_message() {
    let with = |role, part| Message::new(role, vec![part]);
    let picture = |mime: &str, source| Part::Media(media(mime, source));
    let url = || MediaSource::Url("https://x.example/x".into());
    let file = || MediaSource::File("f".into());
    let data = || MediaSource::Base64("AAAA".into());
    let table = [
        (with(Role::Tool, text("x")), ErrorKind::InvalidRequest, "tool results and nothing else"),
        (with(Role::Tool, text("x")), ErrorKind::InvalidRequest, "messages[1]"),
        (with(Role::User, call("c", "{}")), ErrorKind::InvalidRequest, "a tool call"),
        (with(Role::User, Part::Refusal("x".into())), ErrorKind::InvalidRequest, "a refusal"),
        (with(Role::User, Part::Other("{}".into())), ErrorKind::Unsupported, "of a kind that means nothing"),
        (with(Role::System, picture("image/png", data())), ErrorKind::Unsupported, "role `system`"),
        (with(Role::Assistant, picture("image/png", data())), ErrorKind::Unsupported, "role `assistant`"),
        (with(Role::User, picture("image/*", data())), ErrorKind::InvalidRequest, "the type of an image"),
        (with(Role::User, picture("image/png", file())), ErrorKind::Unsupported, "by file id"),
        (with(Role::User, picture("audio/wav", url())), ErrorKind::Unsupported, "audio only as data"),
        (with(Role::User, picture("video/mp4", data())), ErrorKind::Unsupported, "no video"),
        (with(Role::User, picture("application/pdf", url())), ErrorKind::Unsupported, "no files by URL"),
        (
            Message { extra: vec![Field::new("odd", "1")], ..Message::user("x") },
            ErrorKind::Unsupported,
            "`odd` of the message",
        ),
    ];
    for (message, kind, words) in table {
        let error = error(request(vec![Message::user("first"), message]));
        assert_eq!(error.kind, kind, "{}", error.message);
        assert!(error.message.contains(words), "{}", error.message);
    }
}
