//! The name under which the server is asked: a page of another site can give its own name this machine's address.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{ALICE, refused};
use crate::client::Request;
use crate::harness::{ECHO, Server};
use crate::patience::soon;

const EVIL: [&str; 6] =
    ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "", "caf\u{e9}"];

#[tokio::test]
async fn made_up_names_are_refused_while_nobody_needs_a_key() {
    let server = Server::start(&format!("{ECHO}server: {{allowed_hosts: [mortise.example]}}\n")).await;
    for path in ["/api/v1/status", "/v1/models"] {
        for host in EVIL {
            let reply = server.client.send(&Request::new("GET", path).header("Host", host)).await;
            refused(&reply, path, 403, "FORBIDDEN", "permission_error");
        }
        for host in
            ["localhost", "LocalHost:99", "127.0.0.1", "[::1]:8080", "10.1.2.3", "app.localhost", "Mortise.Example"]
        {
            let reply = server.client.send(&Request::new("GET", path).header("Host", host)).await;
            assert_eq!(reply.status(), 200, "{host}: {}", reply.text());
        }
    }
    // A key is something that the page doesn't have.
    let server = Server::configured(|home| {
        std::fs::write(home.join("key"), ALICE).unwrap();
        format!("{ECHO}server: {{auth: {{api_key: 'file:{}/key'}}}}\n", home.display())
    })
    .await;
    for host in EVIL {
        let request = Request::new("GET", "/v1/models").header("Host", host);
        assert_eq!(server.client.send(&request.clone()).await.status(), 401);
        assert_eq!(server.client.send(&request.header("X-API-Key", ALICE)).await.status(), 200);
    }
}

#[tokio::test]
async fn the_name_beside_the_path_is_the_one_that_counts() {
    let server = Server::echo().await;
    let ask = async |target: &str, hosts: &str| {
        let reply = server.client.raw(format!("GET {target} HTTP/1.1\r\n{hosts}\r\n").as_bytes()).await;
        reply.expect("an answer").status()
    };
    assert_eq!(ask("http://localhost/health", "Host: localhost\r\n").await, 200);
    assert_eq!(ask("http://localhost/health", "Host: evil.example\r\n").await, 200);
    assert_eq!(ask("http://evil.example/health", "Host: localhost\r\n").await, 403);
    assert_eq!(ask("http://localhost@evil.example/health", "Host: localhost\r\n").await, 403);
    // One name, and only one.
    assert_eq!(ask("/health", "Host: localhost\r\nHost: localhost\r\n").await, 400);
    assert_eq!(ask("/health", "Host: localhost\r\nHost: evil.example\r\n").await, 400);
    assert_eq!(ask("/health", "").await, 400);
    // A page under a made-up name is of the same site as that name.
    let body = json!({"message": "x"}).to_string();
    let head = format!("POST http://evil.example/api/v1/chat HTTP/1.1\r\nContent-Length: {}\r\n", body.len());
    let sent = format!("{head}Host: localhost\r\nOrigin: http://localhost\r\n\r\n{body}");
    assert_eq!(server.client.raw(sent.as_bytes()).await.expect("an answer").status(), 403);
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header as HPACK writes one that it doesn't remember.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    [vec![0], text(name), text(value)].concat()
}

/// What HTTP/2 answers to a request for this name: the body.
async fn over_http2(server: &Server, method: &str, path: &str, more: &[(&str, &str)], body: &str) -> String {
    let mut stream = TcpStream::connect(server.client.address()).await.unwrap();
    let head: Vec<u8> = [(":method", method), (":scheme", "http"), (":path", path)]
        .iter()
        .chain(more)
        .flat_map(|(name, value)| literal(name, value))
        .collect();
    let end = if body.is_empty() { 0x1 } else { 0 };
    let mut sent =
        [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, &[]), &frame(1, 4 | end, 1, &head)].concat();
    if !body.is_empty() {
        sent.extend(frame(0, 1, 1, body.as_bytes()));
    }
    stream.write_all(&sent).await.unwrap();
    let mut said = Vec::new();
    loop {
        let mut head = [0; 9];
        soon("a frame", stream.read_exact(&mut head)).await.unwrap();
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        soon("the rest of a frame", stream.read_exact(&mut payload)).await.unwrap();
        assert!(![3, 7].contains(&head[3]), "the server gave up: {head:?} {payload:?}");
        if head[3] == 0 {
            said.extend(payload);
        }
        if [0, 1].contains(&head[3]) && head[4] & 1 == 1 {
            return String::from_utf8(said).unwrap();
        }
    }
}

#[tokio::test]
async fn http_2_has_its_own_place_for_the_name() {
    let server = Server::echo().await;
    let ask = async |more: &[(&str, &str)]| over_http2(&server, "GET", "/health", more, "").await;
    assert!(ask(&[(":authority", "localhost")]).await.contains("uptime_seconds"));
    assert!(ask(&[(":authority", "evil.example")]).await.contains("FORBIDDEN"));
    assert!(ask(&[(":authority", "evil.example"), ("host", "localhost")]).await.contains("FORBIDDEN"));
    assert!(ask(&[("host", "evil.example")]).await.contains("FORBIDDEN"));
    // The rule for pages of other sites knows this place, too.
    let body = json!({"message": "over two"}).to_string();
    for (origin, word) in [("http://localhost", "\"over two\""), ("http://evil.example", "UNSUPPORTED_MEDIA_TYPE")] {
        let more = [(":authority", "localhost"), ("origin", origin), ("content-type", "text/plain")];
        let said = over_http2(&server, "POST", "/api/v1/chat", &more, &body).await;
        assert!(said.contains(word), "{origin}: {said}");
    }
}
