//! The PROXY protocol, where the listener says so: its word on the caller counts, and without it nobody comes in.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::certificates::Authority;
use super::wire::{GET, closed, exchange};
use crate::harness::{ECHO, Server};

/// One connection of each address: what shows whose word counts.
async fn proxied(more: &str) -> Server {
    let listen = "listen: [{address: '127.0.0.1:0', proxy_protocol: true}]";
    let bounds = "max_connections_per_address: 1, handshake_timeout_secs: 1";
    Server::start(&format!("{ECHO}server: {{{listen}, {bounds}{more}}}")).await
}

fn version_2(source: [u8; 4]) -> Vec<u8> {
    let addresses = [source.as_slice(), &[5, 6, 7, 8, 0, 80, 1, 187]].concat();
    [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".as_slice(), &addresses].concat()
}

async fn connect(server: &Server, header: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.addresses[0]).await.unwrap();
    stream.write_all(header).await.unwrap();
    stream
}

#[tokio::test]
async fn its_word_counts_in_both_versions() {
    let server = proxied("").await;
    let mut first =
        connect(&server, b"PROXY TCP4 1.2.3.4 5.6.7.8 80 443\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_ne!(tokio::io::AsyncReadExt::read(&mut first, &mut [0; 64]).await.unwrap(), 0);
    // The same caller, by the other version; then another caller.
    assert_eq!(exchange(&mut connect(&server, &version_2([1, 2, 3, 4])).await, GET).await, "");
    let answer = exchange(&mut connect(&server, &version_2([1, 2, 3, 5])).await, GET).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn without_it_nobody_comes_in() {
    let server = proxied("").await;
    assert_eq!(exchange(&mut TcpStream::connect(server.addresses[0]).await.unwrap(), GET).await, "");
    for header in [b"".as_slice(), b"PROXY", b"PROXY TCP4 1.2.3.4", b"PROXY TCP4 nobody 5.6.7.8 80 443\r\n"] {
        closed(&mut connect(&server, header).await).await;
    }
    let answer = exchange(&mut connect(&server, b"PROXY TCP4 1.2.3.4 5.6.7.8 80 443\r\n").await, GET).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn it_is_a_bad_request_where_it_is_not_spoken() {
    let server = Server::echo().await;
    let answer = exchange(&mut connect(&server, b"PROXY TCP4 1.2.3.4 5.6.7.8 80 443\r\n").await, GET).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test]
async fn it_comes_before_tls() {
    let authority = Authority::new();
    let listen = "listen: [{address: '127.0.0.1:0', proxy_protocol: true}]";
    let server =
        Server::configured(|home| format!("{ECHO}server: {{{listen}, ssl: {{{}}}}}", authority.issue().put(home)))
            .await;
    let tcp = connect(&server, &version_2([1, 2, 3, 4])).await;
    let config = authority.caller(rustls::ALL_VERSIONS, &["http/1.1"]);
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let mut stream = connector.connect("localhost".try_into().unwrap(), tcp).await.unwrap();
    assert!(exchange(&mut stream, GET).await.starts_with("HTTP/1.1 200"));
}
