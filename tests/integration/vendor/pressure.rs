//! A caller who reads slowly: the vendor is made to wait, and the server keeps little.

use std::time::Duration;

use super::request;
use crate::harness::Server;
use crate::patience::soon;
use crate::upstream::openai::{sse, word, words};
use crate::upstream::{Answer, Upstream};

/// What sockets and buffers on the way may hold: far less than the vendor would say.
const HELD: usize = 48 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_does_not_read_holds_the_vendor_back() {
    let begin = sse(&words(&["one"])[..2]);
    let filler = sse(&[word(&"x".repeat(64 << 10))]);
    let upstream = Upstream::always(Answer::text(begin).endless(&filler)).await;
    let server = Server::vendor(&upstream, "plugins: {limits: {output: 4GiB}}").await;
    let mut stream = server.client.stream(&request(true)).await;
    while !stream.next().await.unwrap().data.contains("one") {}
    // Nobody reads on: the vendor's words must come to rest.
    let mut before = 0;
    let mut rests = 0;
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    while rests < 10 {
        ticks.tick().await;
        let written = upstream.written();
        assert!(written < HELD, "the vendor could say {written} bytes that nobody reads");
        rests = if written == before { rests + 1 } else { 0 };
        before = written;
    }
    assert!(before > filler.len(), "the vendor did speak");
    // As soon as somebody reads, it goes on.
    for _ in 0..2000 {
        stream.next().await.unwrap();
    }
    assert!(upstream.written() > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_never_reads_is_given_up() {
    let begin = sse(&words(&["one"])[..2]);
    let filler = sse(&[word(&"x".repeat(64 << 10))]);
    let upstream = Upstream::always(Answer::text(begin).endless(&filler)).await;
    let server = Server::vendor(&upstream, "plugins: {limits: {output: 4GiB}}\nserver: {write_timeout_secs: 1}").await;
    let mut stream = server.client.stream(&request(true)).await;
    while !stream.next().await.unwrap().data.contains("one") {}
    // The caller is still there and reads nothing: what the vendor is paid for must end.
    soon("the vendor's connection to be closed", upstream.closed(0)).await;
    drop(stream);
}
