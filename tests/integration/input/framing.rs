//! Requests that are broken below the body: heads, headers and lengths.

use tokio::time::Instant;

use super::logs_are_calm;
use crate::harness::{ECHO, Server};

/// Answered with one of these, or by hanging up.
async fn refused(server: &Server, bytes: &[u8], statuses: &[u16]) {
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
    if let Some(reply) = server.client.raw(bytes).await {
        assert!(statuses.contains(&reply.status()), "{shown:?}: {} {}", reply.status(), reply.text());
    }
    assert_eq!(server.client.get("/health").await.status(), 200, "after {shown:?}");
}

#[tokio::test]
async fn broken_heads_are_refused() {
    let server = Server::echo().await;
    for broken in [
        "nonsense\r\n\r\n",
        "GET\r\n\r\n",
        "GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n",
        "GET /health HTTP/1.1\r\nno colon\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: localhost\r\nBad Name: x\r\n\r\n",
        "GET /he alth HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "G\u{0}ET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        "POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n{}",
        "POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}",
    ] {
        refused(&server, format!("{broken}\r\n\r\n").as_bytes(), &[400, 411, 501, 505]).await;
    }
    logs_are_calm(&server);
}

#[tokio::test]
async fn huge_heads_are_refused() {
    let server = Server::echo().await;
    let long = "x".repeat(1 << 20);
    refused(
        &server,
        format!("GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: {long}\r\n\r\n").as_bytes(),
        &[400, 431],
    )
    .await;
    refused(&server, format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes(), &[400, 414, 431]).await;
    let many: String = (0..5000).map(|number| format!("X-{number}: x\r\n")).collect();
    refused(&server, format!("GET /health HTTP/1.1\r\nHost: localhost\r\n{many}\r\n").as_bytes(), &[400, 431]).await;
    logs_are_calm(&server);
}

#[tokio::test]
async fn a_caller_who_never_finishes_is_let_go() {
    let server = Server::start(&format!("{ECHO}server: {{read_timeout_secs: 1}}\n")).await;
    for unfinished in [
        "GET /health HTTP/1.1\r\nHost: localhost\r\n",
        "POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"message\"",
    ] {
        let before = Instant::now();
        let reply = server.client.raw(unfinished.as_bytes()).await;
        assert!(before.elapsed().as_secs() < 10, "{:?}", before.elapsed());
        assert!(reply.is_none_or(|reply| reply.status() == 408), "{unfinished:?}");
    }
    logs_are_calm(&server);
}

#[tokio::test]
async fn a_caller_who_is_silent_holds_up_nobody() {
    let server = Server::echo().await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        let mut connection = server.client.connect().await;
        connection.write(b"POST /api/v1/chat HTTP/1.1\r\n").await.unwrap();
        silent.push(connection);
    }
    assert_eq!(server.client.get("/health").await.status(), 200);
}

#[tokio::test]
async fn requests_may_come_before_the_answers() {
    let server = Server::echo().await;
    let mut connection = server.client.connect().await;
    let body = |text: &str| format!("{{\"message\": \"{text}\"}}");
    let request = |text: &str| {
        let body = body(text);
        format!("POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    let texts = ["one", "two", "three"];
    connection.write(texts.map(request).concat().as_bytes()).await.unwrap();
    for text in texts {
        assert_eq!(connection.reply("POST").await.expect("an answer").expect(200)["response"], text);
    }
}
