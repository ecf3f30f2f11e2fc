//! Images and documents.

use mortise_sdk::chat::{Media, MediaSource, Message, Part, ResultPart, Role, ToolResult};
use mortise_sdk::provider::ErrorKind;
use serde_json::{Value, json};

use super::{asks, assistant, call, refused, run, said};

fn media(mime: &str, source: MediaSource) -> Media {
    Media { mime: mime.into(), source, name: None, detail: Some("low".into()) }
}

fn base64(data: &str) -> MediaSource {
    MediaSource::Base64(data.into())
}

fn shown(media: Media) -> Value {
    said(vec![Message::new(Role::User, vec![Part::Media(media)])])["messages"][0]["content"][0].clone()
}

#[test]
fn images() {
    let image = |source: Value| json!({"type": "image", "source": source});
    assert_eq!(
        shown(media("image/png", base64("iVBORw0KGgo="))),
        image(json!({"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}))
    );
    assert_eq!(
        shown(media("image/*", MediaSource::Url("https://example.com/a.png".into()))),
        image(json!({"type": "url", "url": "https://example.com/a.png"}))
    );
    assert_eq!(
        shown(media("image/webp", MediaSource::File("file_1".into()))),
        image(json!({"type": "file", "file_id": "file_1"}))
    );
    for (data, mime) in [("/9j/4AAQ", "image/jpeg"), ("R0lGODlh", "image/gif"), ("UklGRh4A", "image/webp")] {
        assert_eq!(shown(media("image/*", base64(data)))["source"]["media_type"], mime);
    }
    assert_eq!(shown(media("image/jpg", base64("x")))["source"]["media_type"], "image/jpeg");
}

#[test]
fn documents() {
    let mut pdf = media("application/pdf", base64("JVBERi0xLjQ="));
    pdf.name = Some("report.pdf".into());
    assert_eq!(
        shown(pdf),
        json!({
            "type": "document", "title": "report.pdf",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQ="},
        })
    );
    assert_eq!(
        shown(media("text/markdown; charset=utf-8", base64("R3LDvMOfZQ=="))),
        json!({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Grüße"}})
    );
    assert_eq!(shown(media("application/octet-stream", base64("JVBERi0x")))["source"]["media_type"], "application/pdf");
    let url = MediaSource::Url("https://example.com/a.pdf".into());
    let expected = json!({"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}});
    assert_eq!(shown(media("application/pdf", url)), expected);
}

#[test]
fn files_that_the_vendor_holds_are_asked_for() {
    let file = media("application/octet-stream", MediaSource::File("file_1".into()));
    let request = asks(vec![Message::new(Role::User, vec![Part::Media(file)])]);
    let run = run(request);
    let beta = run.sent().headers.iter().find(|header| header.name == "anthropic-beta").unwrap();
    assert_eq!(beta.value, "files-api-2025-04-14");
    assert_eq!(
        run.sent_json()["messages"][0]["content"][0],
        json!({"type": "document", "source": {"type": "file", "file_id": "file_1"}})
    );
}

#[test]
fn results_may_show_things() {
    let parts = vec![ResultPart::Text("Look:".into()), ResultPart::Media(media("image/png", base64("iVBORw0K")))];
    let result = Part::Outcome(ToolResult { call_id: "a".into(), parts, failed: false });
    let messages =
        vec![Message::user("?"), assistant(vec![call("a", "f", "")]), Message::new(Role::Tool, vec![result])];
    assert_eq!(
        said(messages)["messages"][2]["content"][0]["content"],
        json!([
            {"type": "text", "text": "Look:"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0K"}},
        ])
    );
}

#[test]
fn what_the_vendor_cannot_take_is_named_and_never_dropped() {
    let shows = |role, media| refused(asks(vec![Message::user("?"), Message::new(role, vec![Part::Media(media)])]));
    for (media, word) in [
        (media("audio/wav", base64("x")), "audio"),
        (media("video/mp4", base64("x")), "video"),
        (media("image/tiff", base64("x")), "image/tiff"),
        (media("image/*", base64("x")), "image/*"),
        (media("application/zip", base64("x")), "application/zip"),
    ] {
        let error = shows(Role::User, media);
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(error.message.contains(word), "{}", error.message);
    }
    for role in [Role::Assistant, Role::System] {
        assert_eq!(shows(role, media("image/png", base64("x"))).kind, ErrorKind::Unsupported);
    }
    for data in ["/w==", "not base64!"] {
        assert_eq!(shows(Role::User, media("text/plain", base64(data))).kind, ErrorKind::InvalidRequest, "{data}");
    }
}
