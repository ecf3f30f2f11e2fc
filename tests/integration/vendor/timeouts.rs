//! The five time-outs of a call to a vendor, each by itself: the others are long enough to stay out of it.

use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

use super::{native, request};
use crate::client::{Reply, Request};
use crate::grammar;
use crate::harness::Server;
use crate::shape;
use crate::upstream::openai::{completion, words};
use crate::upstream::{Answer, Upstream};

const SHORT: Duration = Duration::from_millis(150);
/// For what comes after the time-out on a loaded machine.
const SLACK: Duration = Duration::from_secs(3);

fn only(name: &str) -> String {
    let names = ["connect", "head", "first_token", "idle", "total"];
    let all = names.map(|known| format!("{known}: {}ms", if known == name { SHORT.as_millis() } else { 60_000 }));
    format!("    timeouts: {{{}}}", all.join(", "))
}

/// Asks in every way, and checks that each answer took as long as the time-out says.
async fn timed(answer: Answer, name: &str, requests: &[Request], check: impl Fn(&Reply)) {
    let upstream = Upstream::always(answer).await;
    let server = Server::vendor(&upstream, &only(name)).await;
    for (number, request) in requests.iter().enumerate() {
        let before = Instant::now();
        let reply = server.client.send(request).await;
        let passed = before.elapsed();
        assert!((SHORT..SHORT + SLACK).contains(&passed), "{} took {passed:?}", request.path);
        check(&reply);
        upstream.closed(number).await;
    }
}

fn refused(reply: &Reply) {
    assert_eq!(reply.status(), 504, "{}", reply.text());
    let message = shape::message(reply);
    assert!(message.contains("openai"), "whose fault it is: {message}");
}

fn ended(reply: &Reply) {
    if reply.text().starts_with("event: start") {
        assert!(grammar::chat(&reply.events()).error.is_some(), "{}", reply.text());
    } else {
        assert!(grammar::openai(&reply.events(), true).error.is_some(), "{}", reply.text());
    }
}

fn whole() -> [Request; 2] {
    [request(false), native(false)]
}

fn streamed() -> [Request; 2] {
    [request(true), native(true)]
}

#[tokio::test]
async fn connect() {
    // A listener whose queue is full: it takes no further connection, and says nothing.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) = tokio::time::timeout(SHORT, TcpStream::connect(address)).await {
        queue.push(stream.unwrap());
    }
    let server =
        Server::start(&format!("providers:\n  openai:\n    base_url: http://{address}\n{}\n", only("connect"))).await;
    for request in whole().iter().chain(&streamed()) {
        let before = Instant::now();
        let reply = server.client.send(request).await;
        let passed = before.elapsed();
        assert!((SHORT..SHORT + SLACK).contains(&passed), "{} took {passed:?}", request.path);
        refused(&reply);
    }
}

#[tokio::test]
async fn head() {
    let all: Vec<Request> = whole().into_iter().chain(streamed()).collect();
    timed(Answer::silent(), "head", &all, refused).await;
}

#[tokio::test]
async fn first_token_after_the_head() {
    timed(Answer::text("").stall(0), "first_token", &streamed(), refused).await;
}

#[tokio::test]
async fn first_token_is_no_comment_and_no_opening() {
    let opening = crate::upstream::openai::sse(&words(&[])[..1]);
    timed(Answer::text(format!(": alive\n\n{opening}: alive\n\n")).unended(), "first_token", &streamed(), |reply| {
        // The opening may have been passed on already; then only the stream itself can tell.
        if reply.status() == 200 { ended(reply) } else { refused(reply) }
    })
    .await;
}

#[tokio::test]
async fn idle_between_two_words() {
    let answer = Answer::stream(&words(&["one", "two"]));
    let at = answer.event(2);
    timed(answer.stall(at), "idle", &streamed(), ended).await;
}

#[tokio::test]
async fn idle_within_a_whole_answer() {
    timed(Answer::json(&completion("x")).stall(10), "idle", &whole(), refused).await;
}

#[tokio::test]
async fn total() {
    timed(Answer::silent(), "total", &whole(), refused).await;
    let answer = Answer::stream(&words(&["one", "two"]));
    let at = answer.event(2);
    timed(answer.stall(at), "total", &streamed(), ended).await;
}

#[tokio::test]
async fn total_ends_a_stream_that_never_rests() {
    let begin = crate::upstream::openai::sse(&words(&["one"])[..2]);
    let word = crate::upstream::openai::sse(&[crate::upstream::openai::word("x")]);
    let answer = Answer::text(begin).drip(&word, SHORT / 15);
    timed(answer, "total", &streamed(), ended).await;
}

#[tokio::test]
async fn a_slow_answer_within_every_limit_is_whole() {
    // Each pause is shorter than the idle time-out, all of them together are longer.
    let answer = Answer::stream(&words(&["one ", "two ", "three ", "four ", "five "]));
    let pauses: Vec<usize> = (1..=5).map(|number| answer.event(number)).collect();
    let upstream = Upstream::always(answer.slow(&pauses, SHORT / 3)).await;
    let server = Server::vendor(&upstream, &only("idle")).await;
    let before = Instant::now();
    let said = grammar::openai(&server.client.send(&request(true)).await.events(), true);
    assert!(before.elapsed() > SHORT);
    assert_eq!((said.text.as_str(), said.error), ("one two three four five ", None));
}
