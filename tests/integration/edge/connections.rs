//! How many connections there may be, and what their heads may be like.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::wire::{GET, PREFACE, closed, connect_from, exchange};
use crate::client::Request;
use crate::harness::{ECHO, Server};
use crate::patience::until;

async fn bounded(server: &str) -> Server {
    Server::start(&format!("{ECHO}server: {{{server}}}")).await
}

async fn is_served(stream: &mut TcpStream) -> bool {
    exchange(stream, GET).await.starts_with("HTTP/1.1 200")
}

#[tokio::test]
async fn only_so_many_connections_are_taken_and_places_are_free_again() {
    let server = bounded("max_connections: 2").await;
    let mut first = server.client.connect().await;
    assert_eq!(first.exchange(&Request::new("GET", "/health")).await.status(), 200);
    let mut second = server.client.connect().await;
    assert_eq!(second.exchange(&Request::new("GET", "/health")).await.status(), 200);
    let mut third = TcpStream::connect(server.addresses[0]).await.unwrap();
    assert!(!is_served(&mut third).await);
    drop(first);
    until("a place", async || {
        let mut next = TcpStream::connect(server.addresses[0]).await.unwrap();
        is_served(&mut next).await.then_some(())
    })
    .await;
    assert_eq!(second.exchange(&Request::new("GET", "/health")).await.status(), 200, "who is in stays in");
}

#[tokio::test]
async fn one_address_does_not_take_all_places() {
    let server = bounded("max_connections_per_address: 1").await;
    let mut first = server.client.connect().await;
    assert_eq!(first.exchange(&Request::new("GET", "/health")).await.status(), 200);
    assert!(!is_served(&mut connect_from("127.0.0.1", server.addresses[0]).await).await);
    assert!(is_served(&mut connect_from("127.0.0.2", server.addresses[0]).await).await);
}

#[tokio::test]
async fn trusted_proxies_may_have_more() {
    let server = bounded("max_connections_per_address: 1, trusted_proxies: [127.0.0.3/32]").await;
    let mut first = connect_from("127.0.0.3", server.addresses[0]).await;
    first.write_all(b"GET /health HT").await.unwrap();
    let mut second = connect_from("127.0.0.3", server.addresses[0]).await;
    assert!(is_served(&mut second).await);
}

#[tokio::test]
async fn heads_are_bounded_in_bytes_and_in_number() {
    let server = bounded("max_header_bytes: 16KiB, max_headers: 50").await;
    let head = |lines: &str| format!("GET /health HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n").into_bytes();
    let long = |length: usize| head(&format!("X-Long: {}\r\n", "x".repeat(length)));
    let many = |count: usize| head(&(0..count).map(|n| format!("X-{n}: x\r\n")).collect::<String>());
    for (bytes, status) in [(long(8 << 10), 200), (long(17 << 10), 431), (many(49), 200), (many(50), 431)] {
        assert_eq!(server.client.raw(&bytes).await.expect("an answer").status(), status);
    }
    // One that never ends is not read to its end.
    let mut endless = TcpStream::connect(server.addresses[0]).await.unwrap();
    let answer = exchange(&mut endless, &long(8 << 20)[..8 << 20]).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn the_usual_number_of_headers_is_bounded_too() {
    let server = Server::echo().await;
    let lines: String = (0..100).map(|n| format!("X-{n}: x\r\n")).collect();
    let head = format!("GET /health HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n");
    assert_eq!(server.client.raw(head.as_bytes()).await.expect("an answer").status(), 431);
}

#[tokio::test]
async fn who_begins_and_does_not_go_on_is_let_go() {
    let server = bounded("read_timeout_secs: 1").await;
    for beginning in [b"".as_slice(), &PREFACE[..10], b"GET /health HTTP/1.1\r\nHo"] {
        let mut stream = TcpStream::connect(server.addresses[0]).await.unwrap();
        stream.write_all(beginning).await.unwrap();
        closed(&mut stream).await;
    }
}

#[tokio::test]
async fn a_head_that_comes_drop_by_drop_is_let_go() {
    let server = bounded("read_timeout_secs: 1").await;
    let (mut reading, mut writing) = TcpStream::connect(server.addresses[0]).await.unwrap().into_split();
    let dripping = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(std::time::Duration::from_millis(50));
        writing.write_all(b"GET /health HTTP/1.1\r\nX: ").await.unwrap();
        loop {
            ticks.tick().await;
            if writing.write_all(b"x").await.is_err() {
                break;
            }
        }
    });
    closed(&mut reading).await;
    dripping.abort();
}

#[tokio::test]
async fn several_listeners_serve_side_by_side() {
    let listen = "listen: [{address: '127.0.0.1:0'}, {address: '127.0.0.1:0', proxy_protocol: true}]";
    let server = bounded(listen).await;
    assert_eq!(server.addresses.len(), 2);
    assert!(is_served(&mut TcpStream::connect(server.addresses[0]).await.unwrap()).await);
    let mut proxied = TcpStream::connect(server.addresses[1]).await.unwrap();
    proxied.write_all(b"PROXY UNKNOWN\r\n").await.unwrap();
    assert!(is_served(&mut proxied).await);
}
