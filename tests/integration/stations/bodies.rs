//! What bodies may hold together, and how they may be written.

use serde_json::json;

use super::refused;
use crate::client::Request;
use crate::harness::{ECHO, Server};
use crate::patience::until;

const PATHS: [&str; 2] = ["/api/v1/chat", "/v1/chat/completions"];

fn long(path: &str, bytes: usize) -> Request {
    let text = "x".repeat(bytes);
    let body = match path {
        "/api/v1/chat" => json!({"message": text}),
        _ => json!({"model": "echo", "messages": [{"role": "user", "content": text}]}),
    };
    Request::new("POST", path).json(&body)
}

#[tokio::test]
async fn bodies_share_their_memory_and_give_it_back() {
    let server = Server::start(&format!("{ECHO}server: {{max_body_memory: 100KiB}}\n")).await;
    for path in PATHS {
        let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n");
        let half = format!("{head}{}", "x".repeat(80_000));
        let ask = long(path, 30_000);
        let (slow, reply) = until("the memory to be taken", async || {
            // Half of a body stays where it is for as long as its caller likes; if it comes second, it is the one refused.
            let mut slow = server.client.connect().await;
            slow.write(half.as_bytes()).await.unwrap();
            let reply = server.client.send(&ask).await;
            (reply.status() != 200).then_some((slow, reply))
        })
        .await;
        refused(&reply, path, 503, "OVERLOADED", "server_error");
        assert!(super::number(&reply, "retry-after") >= 1);
        assert_eq!(server.client.send(&long(path, 100)).await.status(), 200, "a short one still fits");
        drop(slow);
        until("the memory to be given back", async || {
            let reply = server.client.send(&ask).await;
            (reply.status() == 200).then_some(())
        })
        .await;
    }
    // Refused ones give back what they took, too.
    for _ in 0..20 {
        assert_eq!(server.client.send(&long(PATHS[0], 110_000)).await.status(), 503);
        assert_eq!(server.client.send(&Request::new("POST", PATHS[0]).body("{".repeat(50_000))).await.status(), 400);
    }
    assert_eq!(server.client.send(&long(PATHS[1], 30_000)).await.status(), 200);
}

#[tokio::test]
async fn bodies_are_read_as_they_are() {
    let server = Server::echo().await;
    for path in PATHS {
        for coding in ["gzip", "br", "zstd", "deflate", "GZIP", "identity, gzip", "nonsense"] {
            let reply = server.client.send(&long(path, 1).header("Content-Encoding", coding)).await;
            refused(&reply, path, 415, "UNSUPPORTED_MEDIA_TYPE", "invalid_request_error");
        }
        for coding in ["", "identity", "Identity"] {
            let reply = server.client.send(&long(path, 1).header("Content-Encoding", coding)).await;
            assert_eq!(reply.status(), 200, "{coding}: {}", reply.text());
        }
    }
}
