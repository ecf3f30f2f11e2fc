//! The tools of the tests, tested on each other: the upstream's faults as the caller sees them.

use std::time::Duration;

use tokio::time::Instant;

use crate::client::{Client, Request};
use crate::grammar;
use crate::patience::until;
use crate::upstream::openai::{completion, words};
use crate::upstream::{Answer, Gate, Upstream};

const PATH: &str = "/v1/chat/completions";

fn request() -> Request {
    Request::new("POST", PATH).json(&serde_json::json!({"model": "m", "messages": []}))
}

#[tokio::test]
async fn requests_are_recorded_and_answers_come_in_order() {
    let upstream = Upstream::script([Answer::json(&completion("one")), Answer::error(429, "slow", "later")]).await;
    upstream.route("/v1/models", Answer::json(&serde_json::json!({})));
    let client = Client::new(upstream.address());
    let mut connection = client.connect().await;
    let first = connection.exchange(&request().header("X-Test", "yes")).await;
    assert_eq!(first.expect(200)["choices"][0]["message"]["content"], "one");
    assert_eq!(connection.exchange(&Request::new("GET", "/v1/models?a=b")).await.status(), 200);
    assert_eq!(connection.exchange(&request()).await.expect(429)["error"]["message"], "later");
    assert_eq!((upstream.connections(), upstream.requests().len()), (1, 3));
    let seen = upstream.request(0).await;
    assert_eq!((seen.method.as_str(), seen.path.as_str(), seen.header("x-test")), ("POST", PATH, Some("yes")));
    assert_eq!(seen.json()["model"], "m");
}

#[tokio::test]
async fn a_stream_is_the_same_however_it_is_cut() {
    let whole = Answer::stream(&words(&["naïve ", "café ", "日本 ", "🦀"]));
    for answer in [whole.clone(), whole.clone().every_byte(), whole.clone().trickle(), whole.split(&[3, 3, 700, 9000])]
    {
        let upstream = Upstream::always(answer).await;
        let client = Client::new(upstream.address());
        let said = grammar::openai(&client.send(&request()).await.events(), true);
        assert_eq!(said.text, "naïve café 日本 🦀");
        let streamed = client.stream(&request()).await.rest().await;
        assert_eq!(grammar::openai(&streamed, true).text, said.text);
    }
}

#[tokio::test]
async fn a_gate_holds_the_rest_back_and_a_client_that_goes_is_noticed() {
    let (head, middle) = (Gate::new(), Gate::new());
    let answer = Answer::stream(&words(&["one", "two"]));
    let at = answer.event(2);
    let upstream = Upstream::always(answer.pause_head(&head).pause(at, &middle)).await;
    let client = Client::new(upstream.address());
    let opening = tokio::spawn(async move { client.stream(&request()).await });
    head.reached().await;
    assert!(!opening.is_finished());
    head.open();
    let mut stream = opening.await.unwrap();
    middle.reached().await;
    assert!(stream.next().await.unwrap().data.contains("assistant"));
    assert!(stream.next().await.unwrap().data.contains("one"));
    assert!(!upstream.is_closed(0));
    let before = Instant::now();
    drop(stream);
    let closed = upstream.closed(0).await;
    assert!(closed >= before && closed - before < Duration::from_secs(1));
}

#[tokio::test]
async fn faults_are_what_they_are_called() {
    let body = Answer::json(&completion("never whole"));
    for answer in [Answer::hang_up(), Answer::reset(), Answer::raw("HTTP/1.1 20")] {
        let upstream = Upstream::always(answer).await;
        assert!(Client::new(upstream.address()).connect().await.fails(&request()).await);
    }
    for answer in [body.clone().cut(10), Answer::stream(&words(&["a"])).cut(10)] {
        let upstream = Upstream::always(answer).await;
        assert!(Client::new(upstream.address()).connect().await.fails(&request()).await);
    }
    for answer in [Answer::silent(), body.stall(10), Answer::text("").endless(": more\n\n")] {
        let upstream = Upstream::always(answer).await;
        let mut connection = Client::new(upstream.address()).connect().await;
        assert!(tokio::time::timeout(Duration::from_millis(50), connection.exchange(&request())).await.is_err());
        drop(connection);
        upstream.closed(0).await;
    }
}

#[tokio::test]
async fn the_upstream_ends_when_it_is_dropped() {
    let upstream = Upstream::always(Answer::silent()).await;
    let client = Client::new(upstream.address());
    let mut connection = client.connect().await;
    drop(upstream);
    assert!(connection.reply("GET").await.is_none());
    until("the port to be free", async || std::net::TcpListener::bind(connection.host()).ok()).await;
}

#[tokio::test]
#[should_panic(expected = "no script foresaw")]
async fn an_unforeseen_request_fails_the_test() {
    let upstream = Upstream::start().await;
    Client::new(upstream.address()).get("/v1/models").await;
}
