//! Bodies that are no JSON, no object, too long or too deep.

use serde_json::json;

use super::{TAKERS, logs_are_calm, refused};
use crate::client::Request;
use crate::harness::{ECHO, Server};

const LIMIT: usize = 64 << 10;

async fn limited() -> Server {
    Server::start(&format!("{ECHO}server: {{max_request_body_bytes: {LIMIT}}}\n")).await
}

#[tokio::test]
async fn malformed_bodies_are_refused() {
    let server = Server::echo().await;
    for (path, good) in TAKERS {
        assert_eq!(server.client.send(&Request::new("POST", path).body(good)).await.status(), 200, "{path}");
        let malformed: Vec<Vec<u8>> = vec![
            "".into(),
            " \n".into(),
            "{".into(),
            good[..good.len() - 1].into(),
            format!("{good}x").into(),
            format!("{good}{good}").into(),
            "nonsense".into(),
            "null".into(),
            "[]".into(),
            "1".into(),
            "\"x\"".into(),
            "[1, 2]".into(),
            "{'message': 'x'}".into(),
            "{\"message\": NaN}".into(),
            "message=x".into(),
            "\u{feff}".into(),
            "{\"a\": 1e999}".into(),
            "{\"a\": \"\\ud800\"}".into(),
            b"{\"message\": \"\xff\xfe\", \"model\": \"\xff\", \"input\": \"\xff\"}".to_vec(),
            b"\x1f\x8b\x08\x00".to_vec(),
            vec![0; 100],
        ];
        for body in malformed {
            let reply = server.client.send(&Request::new("POST", path).body(body.clone())).await;
            let shown = String::from_utf8_lossy(&body).into_owned();
            assert_eq!(reply.status(), 400, "{path} {shown:?}: {}", reply.text());
            refused(&reply, path, 400);
        }
        assert_eq!(server.client.send(&Request::new("POST", path).body(good)).await.status(), 200, "{path}");
    }
    logs_are_calm(&server);
}

#[tokio::test]
async fn the_place_of_a_syntax_error_is_told() {
    let server = Server::echo().await;
    let body = "{\n  \"message\": \"x\",\n  \"temperature\": 0.5.5\n}";
    let reply = server.client.send(&Request::new("POST", "/api/v1/chat").body(body)).await;
    let message = crate::shape::message(&reply);
    assert!(message.contains("line 3"), "{message}");
}

#[tokio::test]
async fn deep_nesting_is_refused() {
    let server = Server::echo().await;
    for (path, good) in TAKERS {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = open.repeat(100_000) + &close.repeat(100_000);
            let name = if path.starts_with("/api") { "tools" } else { "user" };
            let inside = |name: &str| good.replacen('{', &format!("{{\"{name}\": {deep}, "), 1);
            for body in [deep.clone(), open.repeat(100_000), inside(name)] {
                let reply = server.client.send(&Request::new("POST", path).body(body)).await;
                refused(&reply, path, 400);
            }
            // A field that nobody here knows may be as deep as its vendor likes; it is not looked into.
            let reply = server.client.send(&Request::new("POST", path).body(inside("unknown"))).await;
            assert!([200, 400].contains(&reply.status()), "{path}: {}", reply.text());
        }
    }
    logs_are_calm(&server);
}

#[tokio::test]
async fn of_a_field_that_is_told_twice_the_last_counts() {
    let server = Server::echo().await;
    for (path, good) in TAKERS {
        let name = if path.starts_with("/api") { "message" } else { "model" };
        // The first one alone would be refused.
        let twice = good.replacen('{', &format!("{{\"{name}\": [], "), 1);
        let reply = server.client.send(&Request::new("POST", path).body(twice)).await;
        assert_eq!(reply.status(), 200, "{path}: {}", reply.text());
        let turned = format!("{}, \"{name}\": []}}", good.strip_suffix('}').unwrap());
        refused(&server.client.send(&Request::new("POST", path).body(turned)).await, path, 400);
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() {
    let server = limited().await;
    for (path, good) in TAKERS {
        let filled = |length: usize| format!("{}{}", good, " ".repeat(length - good.len()));
        assert_eq!(server.client.send(&Request::new("POST", path).body(filled(LIMIT))).await.status(), 200, "{path}");
        refused(&server.client.send(&Request::new("POST", path).body(filled(LIMIT + 1))).await, path, 413);
        // Long by its own word, though nothing of it has come.
        let request = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n");
        refused(&server.client.raw(request.as_bytes()).await.expect("an answer"), path, 413);
        // Without a word: the last byte decides.
        for (length, fits) in [(LIMIT, true), (LIMIT + 1, false), (3 * LIMIT, false)] {
            let body = filled(length);
            let chunk = |piece: &[u8]| format!("{:x}\r\n{}\r\n", piece.len(), String::from_utf8_lossy(piece));
            let chunks: String = body.as_bytes().chunks(4096).map(chunk).collect();
            let request = format!(
                "POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"
            );
            let reply = server.client.raw(request.as_bytes()).await.expect("an answer");
            if fits {
                assert_eq!(reply.status(), 200, "{path}: {}", reply.text());
            } else {
                refused(&reply, path, 413);
            }
        }
    }
    logs_are_calm(&server);
}

#[tokio::test]
async fn a_long_text_within_the_limit_comes_back_whole() {
    let server = Server::echo().await;
    let text = "日本語 ".repeat(15_000);
    let answer = server.client.post("/api/v1/chat", &json!({"message": text})).await.expect(200);
    assert_eq!(answer["response"].as_str().unwrap().trim_end(), text.trim_end());
}

#[tokio::test]
async fn a_body_is_the_same_however_it_is_cut() {
    let server = Server::echo().await;
    let text: String = (0..12_000).map(|number| format!("{number} ")).collect();
    let body = json!({"message": text}).to_string();
    for sizes in [&[1, 5000, 4095, 4096, 2, 9000][..], &[7], &[5000, 1], &[4095], &[100_000]] {
        let (mut rest, mut chunks) = (body.as_str(), String::new());
        for size in sizes.iter().cycle() {
            let (piece, left) = rest.split_at(rest.len().min(*size));
            chunks += &format!("{:x}\r\n{piece}\r\n", piece.len());
            rest = left;
            if rest.is_empty() {
                break;
            }
        }
        let head = "POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
        let reply = server.client.raw(format!("{head}{chunks}0\r\n\r\n").as_bytes()).await.expect("an answer");
        assert_eq!(reply.expect(200)["response"].as_str().unwrap().trim_end(), text.trim_end(), "{sizes:?}");
    }
}
