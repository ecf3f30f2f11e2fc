//! Tests of `fetch_url`.

use mortise_sdk::tool::ErrorKind;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{call, web};

const PAGE: &str = "<!doctype html><html><head><title>A &amp; B</title><meta name=description content='What it is'></head>\
    <body><nav><a href=/home>Home</a></nav><main><h1>Title</h1><p>Some <b>bold</b> text, <a href='sub?x=1'>a link</a>.</p></main>\
    <footer>Imprint</footer><script>alert('no')</script></body></html>";

#[test]
fn a_page_is_read() {
    let host = web(200, "text/html; charset=utf-8", PAGE);
    let answer = call(&host, "fetch_url", json!({"url": "example.com/dir/page"})).unwrap();
    assert_eq!(
        answer.text,
        "A & B\nhttps://example.com/dir/page\n\n# Title\n\nSome **bold** text, [a link](https://example.com/dir/sub?x=1)."
    );
    assert_eq!(answer.json["title"], "A & B");
    assert_eq!(answer.json["description"], "What it is");
    assert_eq!(answer.json["links"], json!([{"text": "a link", "url": "https://example.com/dir/sub?x=1"}]));
    assert_eq!((&answer.json["next_offset"], &answer.json["truncated"]), (&Value::Null, &json!(false)));
    let plain = call(&host, "fetch_url", json!({"url": "https://example.com", "format": "text"})).unwrap();
    assert_eq!(plain.json["text"], "Title\n\nSome bold text, a link.");
    let raw = call(&host, "fetch_url", json!({"url": "https://example.com", "format": "raw"})).unwrap();
    assert_eq!(raw.json["text"], PAGE);
}

#[test]
fn other_texts_are_shown_as_they_are() {
    for (kind, body) in
        [("application/json", "{\"a\":1}"), ("text/plain", "<b>"), ("application/ld+json", "[]"), ("", "words")]
    {
        let answer = call(&web(200, kind, body), "fetch_url", json!({"url": "https://a.example"})).unwrap();
        assert_eq!((&answer.json["text"], &answer.json["title"]), (&json!(body), &Value::Null), "{kind}");
    }
}

#[test]
fn encodings_are_read_or_said() {
    let utf16: Vec<u8> = "\u{feff}grün".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (kind, body, text) in [
        ("text/plain; charset=ISO-8859-1", b"gr\xFCn \x80".to_vec(), "grün €"),
        ("text/html", b"<meta charset=windows-1252><p>gr\xFCn".to_vec(), "grün"),
        ("text/html", b"<meta http-equiv=x content='text/html; charset=latin1'><p>gr\xFCn".to_vec(), "grün"),
        ("text/plain", utf16, "grün"),
        ("text/plain", b"\xEF\xBB\xBFgr\xC3\xBCn".to_vec(), "grün"),
    ] {
        let answer = call(&web(200, kind, body), "fetch_url", json!({"url": "https://a.example"})).unwrap();
        assert_eq!(answer.json["text"], text, "{kind}");
    }
    let host = web(200, "text/plain; charset=Shift_JIS", b"ok \x83\x65".to_vec());
    let answer = call(&host, "fetch_url", json!({"url": "https://a.example"})).unwrap();
    assert!(answer.text.contains("written in shift_jis, which can't be read here"), "{}", answer.text);
}

#[test]
fn a_long_text_comes_in_pieces_that_join() {
    let body: String = (0..5000).map(|line| format!("line {line} ü\n")).collect();
    let host = web(200, "text/plain", body.clone());
    let mut joined = String::new();
    let mut offset = json!(0);
    while !offset.is_null() {
        let piece = call(&host, "fetch_url", json!({"url": "https://a.example", "offset": offset, "max_length": 7001}))
            .unwrap();
        let text = piece.json["text"].as_str().unwrap();
        assert!(text.len() <= 7001 && text.ends_with('\n'));
        joined.push_str(text);
        offset = piece.json["next_offset"].clone();
    }
    assert_eq!(joined, body);
    let error = call(&host, "fetch_url", json!({"url": "https://a.example", "offset": 10_000_000})).unwrap_err();
    assert!(error.message.ends_with("offset 10000000 is behind it"), "{}", error.message);
    // More than what is read of any page.
    let large =
        call(&web(200, "text/plain", "x".repeat(5 << 20)), "fetch_url", json!({"url": "https://a.example"})).unwrap();
    assert!(large.json["truncated"] == true && large.text.len() < 21_000);
}

#[test]
fn what_can_t_be_read_is_said() {
    for (status, kind, error_kind, says) in [
        (404, "text/html", ErrorKind::NotFound, "https://a.example/ answered with status 404"),
        (403, "text/html", ErrorKind::Denied, "https://a.example/ answered with status 403"),
        (503, "text/html", ErrorKind::Unavailable, "https://a.example/ answered with status 503; it may work later"),
        (418, "text/html", ErrorKind::Failed, "https://a.example/ answered with status 418"),
        (200, "image/png", ErrorKind::Failed, "https://a.example/ is no text but image/png of 4 bytes"),
        (200, "", ErrorKind::Failed, "https://a.example/ is no text but binary data of 4 bytes"),
        (200, "text/plain", ErrorKind::Failed, "https://a.example/ is no text but text/plain of 4 bytes"),
    ] {
        let error = call(&web(status, kind, b"a\0\xFFb".to_vec()), "fetch_url", json!({"url": "https://a.example"}))
            .unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (error_kind, says));
    }
    let host = web(200, "text/html", "");
    for url in
        ["ftp://a.example", "file:///etc/passwd", "https://user:pw@a.example", "http://", "https://a.example\r\nX: y"]
    {
        assert_eq!(
            call(&host, "fetch_url", json!({"url": url})).unwrap_err().kind,
            ErrorKind::InvalidArguments,
            "{url}"
        );
    }
    let empty = call(&host, "fetch_url", json!({"url": "https://a.example"})).unwrap();
    assert!(empty.text.ends_with("[the page has no text; it may be made by scripts, which do not run here]"));
}

proptest! {
    #[test]
    fn no_page_makes_it_panic(body in "(<(/?)(p|a|li|ul|ol|pre|table|tr|td|main|h1|script|blockquote|b|code|title)( href='?x)?>?|&(amp|#x41|#);?|[a-z]{0,4}| |\n|ü|\"){0,60}", offset in 0usize..50) {
        let host = web(200, "text/html", body);
        let _ = call(&host, "fetch_url", json!({"url": "https://a.example", "offset": offset, "max_length": 100}));
    }

    #[test]
    fn nor_do_any_bytes(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = call(&web(200, "text/html", body), "fetch_url", json!({"url": "https://a.example"}));
    }
}
