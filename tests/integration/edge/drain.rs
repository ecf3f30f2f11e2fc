//! The end: not ready, then nobody new, then whatever is under way is finished.

use tokio::net::TcpStream;

use super::wire::{get, http2, post, text};
use super::{body, held, request};
use crate::client::Request;
use crate::harness::{ECHO, Server};
use crate::patience::{soon, until};
use crate::upstream::{Gate, Upstream};

#[tokio::test]
async fn a_hundred_streams_are_finished() {
    let gate = Gate::new();
    let upstream = Upstream::always(held(&gate)).await;
    let mut server = Server::vendor(&upstream, "").await;
    let sender = http2(TcpStream::connect(server.addresses[0]).await.unwrap()).await;
    let mut streams = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (client, mut sender) = (server.client, sender.clone());
        streams.spawn(async move { client.stream(&request()).await.rest().await.pop().unwrap().data });
        streams.spawn(async move {
            let response = sender.send_request(post("/v1/chat/completions", &body())).await.unwrap();
            text(response).await.trim_end().rsplit("data: ").next().unwrap().to_owned()
        });
    }
    until("all of them to be under way", async || (upstream.requests().len() == 100).then_some(())).await;
    gate.reached().await;
    let client = server.client;
    server.signal();
    until("the door to be shut", async || (!client.is_open().await).then_some(())).await;
    gate.open();
    while let Some(last) = soon("every stream", streams.join_next()).await {
        assert_eq!(last.unwrap(), "[DONE]");
    }
    server.ended().await;
}

#[tokio::test]
async fn balancers_are_told_before_the_door_is_shut() {
    let mut server = Server::start(&format!("{ECHO}server: {{shutdown_delay_secs: 2}}")).await;
    let client = server.client;
    let mut kept = client.connect().await;
    let ask = Request::new("GET", "/health/live");
    assert_eq!(kept.exchange(&ask).await.status(), 200);
    server.signal();
    let told = until("the server not to be ready", async || {
        Some(client.get("/health/ready").await).filter(|reply| reply.status() == 503)
    })
    .await;
    assert_eq!(told.json()["status"], "draining");
    assert_eq!(told.json()["checks"]["plugins"], "healthy");
    assert_eq!(told.head.header("connection"), Some("close"));
    assert_eq!(client.get("/health").await.expect(200)["status"], "draining");
    // Who has a connection is answered, and sent elsewhere for the next time.
    let reply = kept.exchange(&ask).await;
    assert_eq!((reply.status(), reply.head.header("connection")), (200, Some("close")));
    assert!(kept.reply("GET").await.is_none());
    server.ended().await;
    assert!(!client.is_open().await);
}

#[tokio::test]
async fn an_http2_connection_finishes_what_it_has_and_takes_nothing_new() {
    let gate = Gate::new();
    let upstream = Upstream::always(held(&gate)).await;
    let mut server = Server::vendor(&upstream, "").await;
    let mut sender = http2(TcpStream::connect(server.addresses[0]).await.unwrap()).await;
    let response = sender.send_request(post("/v1/chat/completions", &body())).await.unwrap();
    gate.reached().await;
    server.signal();
    until("the connection to take nothing new", async || {
        let mut sender = sender.clone();
        sender.send_request(get("/health")).await.is_err().then_some(())
    })
    .await;
    gate.open();
    assert!(text(response).await.ends_with("data: [DONE]\n\n"));
    server.ended().await;
}

#[tokio::test]
async fn who_has_not_asked_yet_is_not_waited_for_long() {
    let mut server = Server::echo().await;
    let _silent = server.client.connect().await;
    let mut begun = server.client.connect().await;
    begun.write(b"GET /health HTTP/1.1\r\n").await.unwrap();
    let _idle = http2(TcpStream::connect(server.addresses[0]).await.unwrap()).await;
    let before = tokio::time::Instant::now();
    server.signal();
    server.ended().await;
    assert!(before.elapsed().as_secs() < 10, "{:?}", before.elapsed());
}
