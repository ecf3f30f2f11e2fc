//! WebSockets over real connections: the handshake, who may, what the edge does with them, and their end.

pub mod caller;
mod server;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::client::Request;
use crate::patience::{soon, until};
use crate::sdk_python::{python, root, said};
use caller::{Caller, HANDSHAKE, close_code, connect, connect_over_http2, refused};
use server::Repeater;

const KEY: &str = "alice-0123456789abcdef0123456789abcdef";

fn handshake() -> Request {
    HANDSHAKE.iter().fold(Request::new("GET", "/ws/a"), |request, (name, value)| request.header(name, value))
}

/// What a path gives that the API document doesn't know.
async fn unseen(server: &Repeater, request: &Request) -> serde_json::Value {
    let mut connection = crate::client::Client::new(server.address).connect().await;
    connection.send(request).await;
    connection.reply("GET").await.unwrap().expect(200)
}

#[tokio::test]
async fn a_socket_repeats_what_it_hears_on_either_version_of_http() {
    let server = Repeater::start("").await;
    let callers: [Caller; 2] = [
        connect(server.address, "/ws/a?from=3", &[]).await.unwrap(),
        connect_over_http2(server.address, "/ws/a?from=3", &[]).await.unwrap(),
    ];
    for mut caller in callers {
        let hello = caller.next().await.unwrap().unwrap().into_text().unwrap();
        let hello: serde_json::Value = serde_json::from_str(&hello).unwrap();
        assert_eq!((&hello["name"], &hello["query"]), (&json!("a"), &json!("from=3")));
        for said in ["one", &"naïve 🦀".repeat(10_000)] {
            caller.send(Message::text(said)).await.unwrap();
            assert_eq!(soon("an echo", caller.next()).await.unwrap().unwrap(), Message::text(said));
        }
        caller.send(Message::Ping("x".into())).await.unwrap();
        assert_eq!(soon("a pong", caller.next()).await.unwrap().unwrap(), Message::Pong("x".into()));
        caller.send(Message::text("close")).await.unwrap();
        assert_eq!(close_code(&mut caller).await, Some(4001));
    }
    until("both to be told", async || {
        (server.metric("mortise_websockets_closed_total{code=\"other\",by=\"server\"}") == Some(2.0)).then_some(())
    })
    .await;
    assert_eq!(server.metric("mortise_websockets_open"), Some(0.0));
}

#[tokio::test]
async fn what_is_no_handshake_is_told_what_one_is() {
    let server = Repeater::start("").await;
    let client = crate::client::Client::new(server.address);
    let plain = client.get("/ws/a").await;
    assert_eq!(plain.expect(426)["error_code"], "UPGRADE_REQUIRED");
    assert_eq!(plain.head.header("upgrade"), Some("websocket"));
    assert_eq!(plain.head.header("sec-websocket-version"), Some("13"));
    for (name, value, status) in [
        ("Sec-WebSocket-Version", "8", 426),
        ("Upgrade", "h2c", 426),
        ("Connection", "keep-alive", 400),
        ("Sec-WebSocket-Key", "c2hvcnQ=", 400),
        ("Sec-WebSocket-Key", "no base64!", 400),
    ] {
        let mut request = handshake();
        request.headers.retain(|(known, _)| known != name);
        assert_eq!(client.send(&request.clone()).await.status(), status, "without {name}");
        assert_eq!(client.send(&request.header(name, value)).await.status(), status, "{name}: {value}");
    }
    let mut post = handshake();
    post.method = "POST".into();
    assert_eq!(client.send(&post).await.status(), 405);
    // Who asks for a socket where there is none gets what is there.
    let mut other = handshake();
    other.path = "/plain".into();
    assert_eq!(unseen(&server, &other).await, json!({"plain": true}));
    let refusal = refused(connect_over_http2(server.address, "/plain", &[]).await);
    assert_eq!(refusal, 405);
}

#[tokio::test]
async fn who_may_not_is_refused_before_there_is_a_socket() {
    let server = Repeater::keyed(KEY).await;
    for refusal in [
        connect(server.address, "/ws/a", &[]).await,
        connect(server.address, "/ws/a?token=wrong", &[]).await,
        connect(server.address, "/ws/a?token=", &[]).await,
        connect(server.address, &format!("/ws/a?token={KEY}"), &[("Authorization", "Bearer wrong")]).await,
        // This one reads no query.
        connect(server.address, &format!("/deaf?token={KEY}"), &[]).await,
        connect_over_http2(server.address, "/ws/a", &[]).await,
    ] {
        assert_eq!(refused(refusal), 401);
    }
    for caller in [
        connect(server.address, &format!("/ws/a?token={KEY}&x=1"), &[]).await,
        connect(server.address, "/ws/a?x=1", &[("X-API-Key", KEY)]).await,
        connect(server.address, "/ws/a?x=1", &[("Authorization", &format!("Bearer {KEY}"))]).await,
        connect_over_http2(server.address, &format!("/ws/a?x=1&token={KEY}"), &[]).await,
    ] {
        let hello = caller.unwrap().next().await.unwrap().unwrap().into_text().unwrap();
        let hello: serde_json::Value = serde_json::from_str(&hello).unwrap();
        assert!(hello["caller"].as_str().unwrap().starts_with("key-"), "{hello}");
        assert_eq!(hello["query"], "x=1");
    }
    let told = crate::harness::logged();
    assert!(!told.contains(KEY) && told.contains("/ws/a"), "the token stands in the log");
    assert!(!server.metrics().contains(KEY));
}

#[tokio::test]
async fn pages_of_other_origins_may_not() {
    let server = Repeater::start("").await;
    let here = format!("http://{}", server.address);
    for origin in ["https://evil.example", "null", "http://localhost.evil.example"] {
        assert_eq!(refused(connect(server.address, "/ws/a", &[("Origin", origin)]).await), 403, "{origin}");
        assert_eq!(refused(connect_over_http2(server.address, "/ws/a", &[("Origin", origin)]).await), 403, "{origin}");
    }
    for origin in [&here, "http://localhost:5173"] {
        assert!(connect(server.address, "/ws/a", &[("Origin", origin)]).await.is_ok(), "{origin}");
    }
}

#[tokio::test]
async fn there_are_only_so_many_and_they_take_no_room_of_requests() {
    let server = Repeater::start("websocket: {max_connections: 2}, max_concurrent_requests: 1, queue_length: 0").await;
    let first = connect(server.address, "/ws/a", &[]).await.unwrap();
    let _second = connect_over_http2(server.address, "/ws/a", &[]).await.unwrap();
    assert_eq!(refused(connect(server.address, "/ws/a", &[]).await), 503);
    // The refused one's own room is free a moment after its answer is there.
    until("room for a request", async || {
        let mut connection = crate::client::Client::new(server.address).connect().await;
        connection.send(&Request::new("GET", "/plain")).await;
        connection.reply("GET").await.filter(|reply| reply.status() == 200)
    })
    .await;
    drop(first);
    until("its place", async || connect(server.address, "/ws/a", &[]).await.ok()).await;
}

#[tokio::test]
async fn a_message_that_is_too_long_and_a_panic_close_only_their_own() {
    let server = Repeater::start("websocket: {max_message_bytes: 1000}").await;
    let mut innocent = connect(server.address, "/ws/a", &[]).await.unwrap();
    for (said, code) in [("x".repeat(5_000_000), 1009), ("panic".into(), 1011)] {
        let mut caller = connect(server.address, "/ws/a", &[]).await.unwrap();
        // The server may close before it has read all of it.
        drop(caller.send(Message::text(said)).await);
        assert_eq!(close_code(&mut caller).await, Some(code));
    }
    innocent.next().await.unwrap().unwrap();
    innocent.send(Message::text("still here")).await.unwrap();
    assert_eq!(innocent.next().await.unwrap().unwrap(), Message::text("still here"));
}

#[tokio::test]
async fn a_caller_who_vanishes_leaves_nothing() {
    let server = Repeater::start("").await;
    for over_http2 in [false, true] {
        let caller = if over_http2 {
            connect_over_http2(server.address, "/ws/a", &[]).await.unwrap()
        } else {
            connect(server.address, "/ws/a", &[]).await.unwrap()
        };
        until("it to be open", async || (server.metric("mortise_websockets_open") == Some(1.0)).then_some(())).await;
        drop(caller);
        until("it to be gone", async || (server.metric("mortise_websockets_open") == Some(0.0)).then_some(())).await;
    }
}

#[tokio::test]
async fn a_server_that_stops_closes_sockets_and_then_ends() {
    let mut server = Repeater::start("").await;
    let mut callers = [
        connect(server.address, "/ws/a", &[]).await.unwrap(),
        connect_over_http2(server.address, "/ws/a", &[]).await.unwrap(),
    ];
    for caller in &mut callers {
        caller.next().await.unwrap().unwrap();
    }
    server.signal();
    for caller in &mut callers {
        assert_eq!(close_code(caller).await, Some(1001));
    }
    drop(callers);
    soon("the server to end", server.ended()).await;
}

#[tokio::test]
async fn a_silent_caller_outlives_the_idle_time_of_its_connection() {
    let server = Repeater::start("idle_timeout_secs: 1, websocket: {ping_interval: 300ms}").await;
    let mut callers = [
        connect(server.address, "/ws/a", &[]).await.unwrap(),
        connect_over_http2(server.address, "/ws/a", &[]).await.unwrap(),
    ];
    for caller in &mut callers {
        caller.next().await.unwrap().unwrap();
        let began = tokio::time::Instant::now();
        let mut pings = 0;
        while began.elapsed() < Duration::from_millis(1500) {
            let heard = soon("a ping", caller.next()).await.unwrap().unwrap();
            assert!(matches!(heard, Message::Ping(_)), "{heard:?}");
            caller.flush().await.unwrap();
            pings += 1;
        }
        assert!(pings >= 3);
        caller.send(Message::text("still here")).await.unwrap();
        assert_eq!(caller.next().await.unwrap().unwrap(), Message::text("still here"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_websockets_package_of_python_is_content() {
    let server = Repeater::start("").await;
    let mut command = python();
    command.arg(root().join("tests/sdk/websocket.py")).arg(format!("ws://{}/ws/a", server.address));
    let (success, text) = said(command).await;
    assert!(success && text.contains("content"), "{text}");
}
