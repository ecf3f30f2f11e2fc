//! The conversation, as Gemini wants it.

use mortise_sdk::chat::{CachePoint, Field, MediaSource, Message, Part, Request, ResultPart, Role, ToolResult};
use mortise_sdk::provider::ErrorKind;
use serde_json::{Value, json};

use super::{NEW, OLD, assistant, body, call, error, media, request, text, user};

fn contents(messages: Vec<Message>) -> Value {
    body(request(messages))["contents"].clone()
}

fn result(id: &str, parts: Vec<ResultPart>, failed: bool) -> Message {
    Message::new(Role::Tool, vec![Part::Outcome(ToolResult { call_id: id.into(), parts, failed })])
}

fn words(text: &str) -> ResultPart {
    ResultPart::Text(text.into())
}

#[test]
fn instructions_stand_at_the_top_wherever_they_were() {
    let developer = Message::new(Role::Developer, vec![text("be kind"), Part::CachePoint(CachePoint { ttl: None })]);
    let messages = vec![Message::system("be brief"), Message::user("hi"), developer, Message::assistant("hello")];
    assert_eq!(
        body(request(messages)),
        json!({
            "contents": [
                {"role": "user", "parts": [{"text": "hi"}]},
                {"role": "model", "parts": [{"text": "hello"}]},
            ],
            "systemInstruction": {"parts": [{"text": "be brief"}, {"text": "be kind"}]},
        })
    );
}

#[test]
fn neighbours_are_merged_and_empty_texts_dropped() {
    let messages = vec![
        user(vec![text("a"), text("")]),
        Message::user("b"),
        assistant(vec![text("")]),
        Message::user("c"),
        assistant(vec![text("d")]),
        assistant(vec![Part::Refusal("no".into())]),
    ];
    assert_eq!(
        contents(messages),
        json!([
            {"role": "user", "parts": [{"text": "a"}, {"text": "b"}, {"text": "c"}]},
            {"role": "model", "parts": [{"text": "d"}, {"text": "no"}]},
        ])
    );
}

#[test]
fn the_first_turn_is_the_user_s() {
    let begins = json!({"role": "user", "parts": [{"text": " "}]});
    assert_eq!(contents(vec![Message::system("only this")]), json!([begins]));
    let spoken = contents(vec![Message::assistant("hello"), Message::user("hi")]);
    assert_eq!(spoken[0], begins);
    assert_eq!(spoken[1], json!({"role": "model", "parts": [{"text": "hello"}]}));
}

#[test]
fn results_find_the_name_of_their_call() {
    let messages = vec![
        Message::user("go"),
        assistant(vec![text("so"), call("a", "look", r#"{"at": 1.50}"#), call("b", "now", "")]),
        Message::new(Role::User, vec![text("and then?")]),
        result("b", vec![words("12:00")], false),
        result("a", vec![words("no"), words("eyes")], true),
    ];
    let body = serde_json::to_string(&contents(messages)).unwrap();
    let expected = json!([
        {"role": "user", "parts": [{"text": "go"}]},
        {"role": "model", "parts": [
            {"text": "so"},
            {"functionCall": {"id": "a", "name": "look", "args": {"at": 1.5}}},
            {"functionCall": {"id": "b", "name": "now", "args": {}}},
        ]},
        {"role": "user", "parts": [
            {"functionResponse": {"id": "b", "name": "now", "response": {"output": "12:00"}}},
            {"functionResponse": {"id": "a", "name": "look", "response": {"error": "no\neyes"}}},
            {"text": "and then?"},
        ]},
    ]);
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
}

#[test]
fn a_result_without_a_call_is_an_error() {
    let error = error(request(vec![Message::user("go"), Message::tool("lost", "x")]));
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
    assert_eq!(error.message, "messages[1]: no tool call before this message has the id `lost` of its result");
}

#[test]
fn arguments_are_objects_or_an_error() {
    for arguments in ["[1]", "\"x\"", "1", "nope", "{\"a\":"] {
        let error = error(request(vec![Message::user("go"), assistant(vec![call("a", "f", arguments)])]));
        assert_eq!(error.kind, ErrorKind::InvalidRequest);
        assert!(error.message.starts_with("messages[1]: `arguments` of the tool call `a` "), "{}", error.message);
    }
}

#[test]
fn media_are_sent_along_or_pointed_at() {
    let part = |item| contents(vec![user(vec![Part::Media(item)])])[0]["parts"][0].clone();
    let inline = |mime: &str, data: &str| json!({"inlineData": {"mimeType": mime, "data": data}});
    let base64 = |data: &str| MediaSource::Base64(data.into());
    assert_eq!(part(media("image/png", base64("AAAA"))), inline("image/png", "AAAA"));
    assert_eq!(part(media("image/*", base64("/9j/4A=="))), inline("image/jpeg", "/9j/4A=="));
    assert_eq!(part(media("audio/wav", base64("UklG"))), inline("audio/wav", "UklG"));
    assert_eq!(part(media("application/pdf", base64("JVBERi0="))), inline("application/pdf", "JVBERi0="));
    let at = |uri: &str| json!({"fileData": {"fileUri": uri}});
    let typed = |mime: &str, uri: &str| json!({"fileData": {"mimeType": mime, "fileUri": uri}});
    let url = |url: &str| media("image/*", MediaSource::Url(url.into()));
    assert_eq!(part(url("https://example.com/a.PNG?b=c.d")), typed("image/png", "https://example.com/a.PNG?b=c.d"));
    assert_eq!(part(url("https://example.com/a")), at("https://example.com/a"));
    assert_eq!(part(url("https://youtu.be/x")), at("https://youtu.be/x"));
    let file = |id: &str| media("video/mp4", MediaSource::File(id.into()));
    let uri = "https://generativelanguage.googleapis.com/v1beta/files/abc";
    assert_eq!(part(file("files/abc")), typed("video/mp4", uri));
    assert_eq!(part(file(uri)), typed("video/mp4", uri));
}

#[test]
fn media_that_cannot_be_taken_are_an_error() {
    let user_with = |item| vec![user(vec![Part::Media(item)])];
    let refused = |model: &str, messages| error(Request { model: model.into(), ..request(messages) });
    let url = |url: &str| media("image/png", MediaSource::Url(url.into()));
    let table = [
        (OLD, user_with(url("http://example.com/a.png")), ErrorKind::Unsupported, "only by https"),
        ("gemini-2.0-flash", user_with(url("https://example.com/a.png")), ErrorKind::Unsupported, "base64"),
        (OLD, user_with(media("image/png", MediaSource::File("file-1".into()))), ErrorKind::Unsupported, "files/"),
        (OLD, user_with(media("image/*", MediaSource::Base64("AAAA".into()))), ErrorKind::InvalidRequest, "type"),
        (
            OLD,
            vec![Message::new(Role::System, vec![Part::Media(url("https://e.com/a"))])],
            ErrorKind::Unsupported,
            "user",
        ),
        (OLD, vec![user(vec![Part::Other("{}".into())])], ErrorKind::Unsupported, "leave it out"),
        (OLD, vec![user(vec![call("a", "f", "{}")])], ErrorKind::InvalidRequest, "role `assistant`"),
        (OLD, vec![Message::new(Role::Tool, vec![text("x")])], ErrorKind::InvalidRequest, "role `tool`"),
    ];
    for (model, messages, kind, words) in table {
        let error = refused(model, messages);
        assert_eq!(error.kind, kind, "{}", error.message);
        assert!(error.message.starts_with("messages[0]: ") && error.message.contains(words), "{}", error.message);
    }
    let answer = Message { extra: vec![Field::new("audio", r#"{"id": "x"}"#)], ..Message::assistant("a") };
    assert!(error(request(vec![answer])).message.contains("`audio` of the message"));
    let idle = Message { extra: vec![Field::new("annotations", "[]")], ..Message::assistant("a") };
    assert_eq!(contents(vec![idle])[1]["parts"], json!([{"text": "a"}]));
}

#[test]
fn images_in_results_need_a_new_model() {
    let image = |source| ResultPart::Media(media("image/png", source));
    let messages = |part| {
        vec![Message::user("go"), assistant(vec![call("a", "f", "{}")]), result("a", vec![words("see"), part], false)]
    };
    let data = || image(MediaSource::Base64("AAAA".into()));
    let new = body(Request { model: NEW.into(), ..request(messages(data())) });
    assert_eq!(
        new["contents"][2]["parts"][0]["functionResponse"],
        json!({
            "id": "a", "name": "f", "response": {"output": "see"},
            "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}],
        })
    );
    assert_eq!(error(request(messages(data()))).kind, ErrorKind::Unsupported);
    let url = image(MediaSource::Url("https://example.com/a.png".into()));
    let error = error(Request { model: NEW.into(), ..request(messages(url)) });
    assert!(error.message.contains("only as data"), "{}", error.message);
}
