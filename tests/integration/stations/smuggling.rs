//! Requests that a proxy and this server might cut differently: what one takes for a body must never be another request here.

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{ECHO, Server};
use crate::patience::soon;

/// What would show that a body was taken for a request.
const HIDDEN: &str = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Everything that comes back for these bytes until the server hangs up, which it does soon after falling idle.
async fn answers(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.client.address()).await.unwrap();
    // A server that has refused already need not read on.
    drop(stream.write_all(bytes).await);
    let mut said = Vec::new();
    // A reset is a way to hang up.
    drop(soon("the server to hang up", stream.read_to_end(&mut said)).await);
    String::from_utf8_lossy(&said).into_owned()
}

/// Heads and bodies that are cut in two ways, with which statuses are right.
fn ambiguous() -> Vec<(&'static str, String)> {
    let body = format!("{{}}{HIDDEN}");
    let chunked =
        |extra: &str, chunk: &str| format!("POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\n{extra}\r\n{chunk}");
    let length = |more: &str| chunked(more, &body);
    let empty = format!("0\r\n\r\n{HIDDEN}");
    let all = body.len();
    vec![
        (
            "length, then chunks",
            chunked(&format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", empty.len()), &empty),
        ),
        (
            "chunks, then length",
            chunked(&format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", empty.len()), &empty),
        ),
        ("chunks, then a short length", chunked("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", &empty)),
        ("two lengths", length(&format!("Content-Length: 2\r\nContent-Length: {all}\r\n"))),
        ("two lengths, the other way", length(&format!("Content-Length: {all}\r\nContent-Length: 2\r\n"))),
        ("two lengths in a list", length(&format!("Content-Length: 2, {all}\r\n"))),
        ("a length with a sign", length("Content-Length: +2\r\n")),
        ("a negative length", length("Content-Length: -2\r\n")),
        ("a hexadecimal length", length("Content-Length: 0x2\r\n")),
        ("a length with a space inside", length("Content-Length: 2 0\r\n")),
        ("an endless length", length("Content-Length: 99999999999999999999999\r\n")),
        ("an empty length", length("Content-Length:\r\n")),
        ("a folded line", length(&format!("Content-Length: 2\r\n X: y\r\nX-Length: {all}\r\n"))),
        ("a folded value", length("Transfer-Encoding:\r\n chunked\r\nContent-Length: 2\r\n")),
        ("a space before the colon", length("Transfer-Encoding : chunked\r\nContent-Length: 2\r\n")),
        ("a tab before the colon", length("Content-Length\t: 2\r\n")),
        ("a space before the name", chunked(" Transfer-Encoding: chunked\r\n", &empty)),
        ("an unknown coding", length("Transfer-Encoding: xchunked\r\nContent-Length: 2\r\n")),
        ("a coding with a dot", length("Transfer-Encoding: chunked.\r\nContent-Length: 2\r\n")),
        ("a quoted coding", length("Transfer-Encoding: \"chunked\"\r\nContent-Length: 2\r\n")),
        ("chunks that aren't last", length("Transfer-Encoding: chunked, identity\r\nContent-Length: 2\r\n")),
        ("chunks on one line of two", length("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n")),
        ("an empty coding", length("Transfer-Encoding:\r\nContent-Length: 2\r\n")),
        ("a carriage return in a value", length("X: y\rTransfer-Encoding: chunked\r\nContent-Length: 2\r\n")),
        ("a zero byte in a name", length("Transfer-Encoding\0: chunked\r\nContent-Length: 2\r\n")),
        ("a zero byte in a value", length("Transfer-Encoding: chunked\0\r\nContent-Length: 2\r\n")),
        ("a size with a sign", chunked("Transfer-Encoding: chunked\r\n", &format!("+2\r\n{{}}\r\n{empty}"))),
        ("a size with a prefix", chunked("Transfer-Encoding: chunked\r\n", &format!("0x2\r\n{{}}\r\n{empty}"))),
        (
            "a size that is too large",
            chunked("Transfer-Encoding: chunked\r\n", &format!("10000000000000002\r\n{{}}\r\n{empty}")),
        ),
        ("a size and a bare line feed", chunked("Transfer-Encoding: chunked\r\n", &format!("2\n{{}}\r\n{empty}"))),
        (
            "an extension with a line feed",
            chunked("Transfer-Encoding: chunked\r\n", &format!("2;a=\nb\r\n{{}}\r\n{empty}")),
        ),
        ("a chunk that goes on", chunked("Transfer-Encoding: chunked\r\n", &format!("2\r\n{{}}xx{empty}"))),
        ("no chunk at all", chunked("Transfer-Encoding: chunked\r\n", HIDDEN)),
        (
            "an old version with chunks",
            format!(
                "POST /api/v1/chat HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n{empty}"
            ),
        ),
        (
            "an old version with both",
            format!(
                "POST /api/v1/chat HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n{empty}",
                empty.len()
            ),
        ),
        ("no version", format!("POST /api/v1/chat\r\nContent-Length: 2\r\n\r\n{body}")),
        (
            "an unknown version",
            format!("POST /api/v1/chat HTTP/1.2\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{body}"),
        ),
        (
            "a body of GET",
            format!("GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{HIDDEN}", HIDDEN.len()),
        ),
        (
            "a body of HEAD",
            format!("HEAD /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{HIDDEN}", HIDDEN.len()),
        ),
        (
            "a body of a refused method",
            format!("PUT /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{HIDDEN}", HIDDEN.len()),
        ),
        (
            "a body of a missing path",
            format!("POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{HIDDEN}", HIDDEN.len()),
        ),
        (
            "a body of two hosts",
            format!("POST /nothing HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: {}\r\n\r\n{HIDDEN}", HIDDEN.len()),
        ),
        (
            "a long body of a missing path",
            format!(
                "POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500000\r\n\r\n{}",
                HIDDEN.repeat(10_000)
            ),
        ),
        (
            "a body that is too long",
            format!("POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n{HIDDEN}"),
        ),
        (
            "a body that is refused",
            format!(
                "POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n{HIDDEN}",
                HIDDEN.len()
            ),
        ),
        (
            "chunks of a missing path",
            format!(
                "POST /nothing HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{HIDDEN}\r\n0\r\n\r\n",
                HIDDEN.len()
            ),
        ),
        (
            "an upgrade to HTTP/2",
            format!(
                "POST /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: {}\r\n\r\n{HIDDEN}",
                HIDDEN.len()
            ),
        ),
        (
            "a trailer",
            chunked(
                "Transfer-Encoding: chunked\r\n",
                &format!("2\r\n{{}}\r\n0\r\nContent-Length: {}\r\nHost: evil\r\n\r\n", HIDDEN.len()),
            ),
        ),
    ]
}

#[tokio::test]
async fn one_request_has_one_answer_at_most() {
    let server = Server::start(&format!("{ECHO}server: {{read_timeout_secs: 1, idle_timeout_secs: 1}}\n")).await;
    let cases = ambiguous();
    let said = join_all(cases.iter().map(|(_, bytes)| answers(&server, bytes.as_bytes()))).await;
    for ((name, _), said) in cases.iter().zip(said) {
        assert!(said.matches("HTTP/1.1 ").count() + said.matches("HTTP/1.0 ").count() <= 1, "{name}: {said}");
        assert!(!said.contains("smuggled"), "{name}: {said}");
        assert!(said.is_empty() || !said.contains(" 50"), "{name}: {said}");
    }
    let log = server.log();
    assert!(!log.contains("/smuggled"), "{log}");
    super::super::input::logs_are_calm(&server);
}

#[tokio::test]
async fn what_is_plain_is_understood() {
    let server = Server::start(&format!("{ECHO}server: {{read_timeout_secs: 1, idle_timeout_secs: 1}}\n")).await;
    let chat = |more: &str, body: &str| format!("POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\n{more}\r\n{body}");
    let whole = r#"{"message": "x"}"#;
    let chunks = format!("6;a=b\r\n{}\r\n{:X}\r\n{}\r\n0\r\n\r\n", &whole[..6], whole.len() - 6, &whole[6..]);
    let length = format!("Content-Length: {}\r\n", whole.len());
    let cases = [
        ("chunks", chat("Transfer-Encoding: chunked\r\n", &chunks)),
        ("chunks in capitals", chat("TRANSFER-ENCODING: CHUNKED\r\n", &chunks)),
        ("the same length twice", chat(&format!("{length}{length}"), whole)),
        ("no space after a colon", chat(&format!("Content-Length:{}\r\n", whole.len()), whole)),
        ("blank lines before", format!("\r\n\r\n{}", chat(&length, whole))),
    ];
    // The next request on the connection is answered, too.
    let next = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let asked: Vec<String> = cases.iter().map(|(_, bytes)| format!("{bytes}{next}")).collect();
    let said = join_all(asked.iter().map(|bytes| answers(&server, bytes.as_bytes()))).await;
    for ((name, _), said) in cases.iter().zip(said) {
        assert_eq!(said.matches("HTTP/1.1 200 OK").count(), 2, "{name}: {said}");
    }
}

#[tokio::test]
async fn heads_that_are_too_much_are_refused_by_every_surface() {
    let server = Server::start(&format!("{ECHO}server: {{read_timeout_secs: 1, idle_timeout_secs: 1}}\n")).await;
    let many: String = (0..10_000).map(|number| format!("X-{number}: {}\r\n", "y".repeat(100))).collect();
    let long = format!("X-API-Key: {}\r\n", "k".repeat(1 << 20));
    let same = "Cookie: a=b\r\n".repeat(20_000);
    let hops = format!("X-Forwarded-For: {}\r\n", "1.1.1.1, ".repeat(100_000));
    for path in ["/api/v1/chat", "/v1/models", "/health", "/nothing"] {
        let heads = [&many, &long, &same, &hops];
        let said = join_all(heads.map(|more| {
            let bytes = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n");
            let server = &server;
            async move { answers(server, bytes.as_bytes()).await }
        }))
        .await;
        for said in said {
            let refused = said.is_empty() || said.starts_with("HTTP/1.1 431 ") || said.starts_with("HTTP/1.1 400 ");
            assert!(refused && said.matches("HTTP/1.1 ").count() <= 1, "{path}: {said}");
        }
    }
    assert_eq!(server.client.get("/health").await.status(), 200);
}
