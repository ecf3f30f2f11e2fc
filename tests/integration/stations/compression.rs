//! Shorter bodies for who can read them, read here with decoders that the server doesn't use.

use std::io::Read;

use serde_json::json;

use crate::client::{Reply, Request};
use crate::harness::{ECHO, Server};

/// Longer than what is worth it, and easily made shorter.
fn long() -> String {
    "the same words again and again; ".repeat(200)
}

fn chat(text: &str) -> Request {
    Request::new("POST", "/api/v1/chat").json(&json!({"message": text}))
}

fn encoding(reply: &Reply) -> &str {
    reply.head.header("content-encoding").unwrap_or_default()
}

fn varies(reply: &Reply) -> bool {
    reply.head.headers.iter().any(|(name, value)| name == "vary" && value.eq_ignore_ascii_case("accept-encoding"))
}

/// The body as it was before it was made shorter.
fn decoded(reply: &Reply) -> String {
    let mut text = String::new();
    let body = &*reply.body;
    match encoding(reply) {
        "gzip" => flate2::read::MultiGzDecoder::new(body).read_to_string(&mut text).unwrap(),
        "br" => brotli::Decompressor::new(body, 4096).read_to_string(&mut text).unwrap(),
        "zstd" => zstd::stream::read::Decoder::new(body).unwrap().read_to_string(&mut text).unwrap(),
        "" => return reply.text().to_owned(),
        other => panic!("nobody reads {other}"),
    };
    text
}

#[tokio::test]
async fn callers_read_what_was_said() {
    let server = Server::echo().await;
    for (accepted, coding) in [
        ("gzip", "gzip"),
        ("br", "br"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate", "gzip"),
        ("gzip;q=0.5, br;q=0.9, zstd;q=0", "br"),
        ("GZIP;Q=1.0", "gzip"),
        ("*", "zstd"),
        ("identity;q=0.5, gzip", "gzip"),
        ("gzip;q=0.5, identity", ""),
        ("gzip;q=0", ""),
        ("deflate", ""),
        ("identity", ""),
        ("", ""),
    ] {
        let reply = server.client.send(&chat(&long()).header("Accept-Encoding", accepted)).await;
        assert_eq!((reply.status(), encoding(&reply)), (200, coding), "{accepted}");
        assert!(varies(&reply), "{accepted}: {:?}", reply.head);
        let body: serde_json::Value = serde_json::from_str(&decoded(&reply)).unwrap();
        assert_eq!(body["response"], long());
        assert_eq!(reply.body.len() < long().len() / 4, !coding.is_empty(), "{accepted}: {}", reply.body.len());
    }
    // Two lines are one list.
    let two = chat(&long()).header("Accept-Encoding", "zstd;q=0").header("Accept-Encoding", "gzip");
    assert_eq!(encoding(&server.client.send(&two).await), "gzip");
    let reply = server.client.send(&chat(&long())).await;
    assert!(encoding(&reply).is_empty() && varies(&reply), "{:?}", reply.head);
}

#[tokio::test]
async fn short_bodies_and_streams_stay_as_they_are() {
    let server = Server::echo().await;
    let all = |request: Request| request.header("Accept-Encoding", "gzip, br, zstd");
    let reply = server.client.send(&all(chat("short"))).await;
    assert!(encoding(&reply).is_empty() && !varies(&reply), "{:?}", reply.head);
    let native = Request::new("POST", "/api/v1/chat/stream").json(&json!({"message": long()}));
    let body = json!({"model": "echo", "stream": true, "messages": [{"role": "user", "content": long()}]});
    for request in [native, Request::new("POST", "/v1/chat/completions").json(&body)] {
        let reply = server.client.send(&all(request)).await;
        assert!(encoding(&reply).is_empty(), "{:?}", reply.head);
        assert!(reply.events().len() > 10);
    }
}

#[tokio::test]
async fn errors_and_heads_too() {
    let server = Server::start(&format!("{ECHO}server: {{compression: {{min_bytes: 100}}}}\n")).await;
    let path = format!("/v1/{}", "nothing/".repeat(200));
    let reply = server.client.send(&Request::new("GET", &path).header("Accept-Encoding", "gzip")).await;
    assert_eq!((reply.status(), encoding(&reply)), (404, "gzip"));
    assert!(decoded(&reply).contains(&path));
    for coding in ["gzip", "br", "zstd"] {
        let ask = |method: &str| Request::new(method, "/api/v1/providers").header("Accept-Encoding", coding);
        let (get, head) = (server.client.send(&ask("GET")).await, server.client.send(&ask("HEAD")).await);
        assert_eq!((encoding(&get), encoding(&head), head.body.len()), (coding, coding, 0));
        assert_eq!(head.head.header("content-length"), Some(&*get.body.len().to_string()));
        serde_json::from_str::<serde_json::Value>(&decoded(&get)).unwrap();
    }
}

#[tokio::test]
async fn it_can_be_turned_off_and_bounded() {
    let server = Server::start(&format!("{ECHO}server: {{compression: {{enabled: false}}}}\n")).await;
    let reply = server.client.send(&chat(&long()).header("Accept-Encoding", "gzip")).await;
    assert!(encoding(&reply).is_empty() && !varies(&reply), "{:?}", reply.head);
    // A long body is written elsewhere, and is the same.
    let server = Server::echo().await;
    let much = long().repeat(20);
    for coding in ["gzip", "br", "zstd"] {
        let reply = server.client.send(&chat(&much).header("Accept-Encoding", coding)).await;
        assert_eq!(reply.status(), 200, "{}", reply.text());
        let body: serde_json::Value = serde_json::from_str(&decoded(&reply)).unwrap();
        assert_eq!((encoding(&reply), body["response"] == much), (coding, true));
    }
}
