//! Connections without a request end after a while; connections with one never do, however silent.

use tokio::net::TcpStream;

use super::wire::{PREFACE, SETTINGS, closed, frame, http2, post, text};
use super::{body, held, request};
use crate::client::Request;
use crate::harness::{ECHO, Server};
use crate::upstream::{Gate, Upstream};

const SHORT: &str = "server: {idle_timeout_secs: 1, read_timeout_secs: 1}";

#[tokio::test]
async fn an_idle_connection_ends() {
    let server = Server::start(&format!("{ECHO}{SHORT}")).await;
    let mut first = server.client.connect().await;
    assert_eq!(first.exchange(&Request::new("GET", "/health")).await.status(), 200);
    assert!(first.reply("GET").await.is_none());
    // HTTP/2, after its preface and after answers to whatever the server asks.
    let mut second = TcpStream::connect(server.addresses[0]).await.unwrap();
    let begin = [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(SETTINGS, 1, 0, &[])].concat();
    tokio::io::AsyncWriteExt::write_all(&mut second, &begin).await.unwrap();
    closed(&mut second).await;
}

#[tokio::test]
async fn a_silent_stream_is_not_idle() {
    let gates = [Gate::new(), Gate::new()];
    let upstream = Upstream::script(gates.iter().map(held)).await;
    let server = Server::vendor(&upstream, SHORT).await;
    let mut first = server.client.stream(&request()).await;
    gates[0].reached().await;
    let mut sender = http2(TcpStream::connect(server.addresses[0]).await.unwrap()).await;
    let second = sender.send_request(post("/v1/chat/completions", &body())).await.unwrap();
    gates[1].reached().await;
    // The clock: three connections that end one after the other because they are idle.
    for _ in 0..3 {
        let mut idle = server.client.connect().await;
        assert_eq!(idle.exchange(&Request::new("GET", "/health")).await.status(), 200);
        assert!(idle.reply("GET").await.is_none());
    }
    gates.iter().for_each(Gate::open);
    let mut events = Vec::new();
    while let Some(event) = first.next().await {
        events.push(event.data);
    }
    assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
    assert!(text(second).await.ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn a_kept_connection_is_not_a_late_head() {
    let server = Server::start(&format!("{ECHO}server: {{read_timeout_secs: 1}}")).await;
    let mut kept = server.client.connect().await;
    assert_eq!(kept.exchange(&Request::new("GET", "/health")).await.status(), 200);
    // The clock: two callers who say nothing.
    for _ in 0..2 {
        closed(&mut TcpStream::connect(server.addresses[0]).await.unwrap()).await;
    }
    assert_eq!(kept.exchange(&Request::new("GET", "/health")).await.status(), 200);
}
