//! Answers that are kept: for whom, in which form they come back, and who asks when several want the same.

use serde_json::{Value, json};

use super::{QUICK, asks, says, served, server, text};
use crate::client::{Reply, Request};
use crate::exposition::Exposition;
use crate::grammar;
use crate::harness::Server;
use crate::patience::until;
use crate::shape;
use crate::upstream::openai::{call_begins, call_goes_on, calls, words};
use crate::upstream::{Answer, Gate, Upstream};

const ROUTES: &str = "models:
  mine: {targets: [one/m], cache: {ttl: 1h}}
  ours: {targets: [one/m], cache: {shared: true}}
  joined: {targets: [one/m], cache: {join: true}}
  none: [one/m]
";

async fn cached(upstream: &Upstream) -> Server {
    server(&[("one", upstream)], &format!("{ROUTES}{QUICK}")).await
}

fn cache(reply: &Reply) -> Option<&str> {
    reply.head.header("x-mortise-cache")
}

fn wishes(model: &str, stream: bool, wish: &str) -> Request {
    asks(model, stream).header("X-Mortise-Cache", wish)
}

#[tokio::test]
async fn an_answer_comes_back_whole_or_as_a_stream_and_costs_nothing() {
    for streamed_first in [true, false] {
        let upstream = Upstream::start().await;
        let server = cached(&upstream).await;
        upstream.then(if streamed_first {
            Answer::stream(&words(&["one ", "two"]))
        } else {
            Answer::json(&says("one two", "m-1"))
        });
        let first = server.client.send(&asks("mine", streamed_first)).await;
        assert_eq!((text(&first).as_str(), cache(&first)), ("one two", Some("miss")));
        let whole = server.client.send(&asks("mine", false)).await;
        assert_eq!((text(&whole).as_str(), cache(&whole)), ("one two", Some("hit")));
        assert_eq!(served(&whole), ["one", "m", "0"]);
        assert_eq!(
            (whole.head.header("x-mortise-cost"), &whole.json()["usage"]["cost"]),
            (Some("0.000000000"), &json!(0.0))
        );
        let stream = server.client.send(&asks("mine", true)).await;
        let said = grammar::openai(&stream.events(), true);
        assert_eq!((said.text.as_str(), said.error, cache(&stream)), ("one two", None, Some("hit")));
        assert_eq!(said.usage.unwrap()["total_tokens"], 21);
        assert_eq!(upstream.requests().len(), 1);
        let page = Exposition::parse(server.client.get("/metrics").await.text());
        let count = |result| page.get("mortise_cache_requests_total", &[("result", result)]);
        assert_eq!((count("hit"), count("miss")), (Some(2.0), Some(1.0)));
        let status = server.client.get("/api/v1/status").await.expect(200);
        assert_eq!((&status["cache"]["enabled"], &status["cache"]["size"]), (&json!(true), &json!(1)));
    }
}

#[tokio::test]
async fn tool_calls_come_back_as_they_were() {
    let pieces = vec![call_begins(0, "call_1", "f"), call_goes_on(0, "{\"x\""), call_goes_on(0, ":1}")];
    let upstream = Upstream::script([Answer::stream(&calls(pieces))]).await;
    let server = cached(&upstream).await;
    let first = server.client.send(&asks("mine", true)).await;
    let again = server.client.send(&asks("mine", true)).await;
    let (first, again) = (grammar::openai(&first.events(), true), grammar::openai(&again.events(), true));
    assert_eq!(format!("{:?}", first.calls), format!("{:?}", again.calls));
    assert_eq!((first.finish, again.error), (again.finish, None));
}

#[tokio::test]
async fn callers_do_not_see_each_others_answers_unless_the_route_shares_them() {
    let upstream = Upstream::start().await;
    let server = cached(&upstream).await;
    let (alice, bob) = (server.client, server.client.from("127.0.0.2"));
    for (caller, said) in [(alice, "for alice"), (bob, "for bob")] {
        upstream.then(Answer::json(&says(said, "m")));
        let reply = caller.send(&asks("mine", false)).await;
        assert_eq!((text(&reply).as_str(), cache(&reply)), (said, Some("miss")));
    }
    assert_eq!(text(&alice.send(&asks("mine", false)).await), "for alice");
    assert_eq!(text(&bob.send(&asks("mine", false)).await), "for bob");
    upstream.then(Answer::json(&says("for both", "m")));
    for (caller, found) in [(alice, "miss"), (bob, "hit")] {
        let reply = caller.send(&asks("ours", false)).await;
        assert_eq!((text(&reply).as_str(), cache(&reply)), ("for both", Some(found)));
    }
}

#[tokio::test]
async fn a_caller_says_what_it_wants() {
    let upstream = Upstream::start().await;
    let server = cached(&upstream).await;
    for (model, wish, expected, asked) in [
        ("none", "", None, true),
        ("none", "use", Some("miss"), true),
        ("none", "use", Some("hit"), false),
        ("none", "refresh", Some("miss"), true),
        ("none", "use, join", Some("hit"), false),
        ("none", "", None, true),
        ("mine", "bypass", None, true),
        ("mine", "use", Some("miss"), true),
    ] {
        if asked {
            upstream.then(Answer::json(&says("x", "m")));
        }
        let request = if wish.is_empty() { asks(model, false) } else { wishes(model, false, wish) };
        let reply = server.client.send(&request).await;
        assert_eq!((text(&reply).as_str(), cache(&reply)), ("x", expected), "{model} {wish}");
    }
    let told = shape::openai(&server.client.send(&wishes("none", false, "always")).await, 400, "invalid_request_error");
    assert!(told["message"].as_str().unwrap().contains("X-Mortise-Cache"), "{told}");
    // The native surface has the same wishes.
    for found in ["miss", "hit"] {
        if found == "miss" {
            upstream.then(Answer::json(&says("x", "m")));
        }
        let native = Request::new("POST", "/api/v1/chat").json(&json!({"message": "Hello!", "model": "none"}));
        let reply = server.client.send(&native.header("X-Mortise-Cache", "use")).await;
        assert_eq!((reply.status(), cache(&reply)), (200, Some(found)));
    }
}

#[tokio::test]
async fn what_differs_in_anything_is_asked_for() {
    let upstream = Upstream::start().await;
    let server = cached(&upstream).await;
    let fields: [Value; 6] = [
        json!({}),
        json!({"temperature": 0.5}),
        json!({"seed": 1}),
        json!({"unknown": 1}),
        json!({"unknown": 2}),
        json!({"messages": [{"role": "user", "content": "Hello?"}]}),
    ];
    for fields in fields {
        upstream.then(Answer::json(&says("x", "m")));
        let mut body = json!({"model": "mine", "messages": [{"role": "user", "content": "Hello!"}]});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        for found in ["miss", "hit"] {
            let reply = server.client.post("/v1/chat/completions", &body).await;
            assert_eq!((reply.status(), cache(&reply)), (200, Some(found)), "{body}");
        }
    }
}

#[tokio::test]
async fn what_is_not_whole_is_not_kept() {
    let answer = Answer::stream(&words(&["one ", "two"]));
    let (cut, pause) = (answer.event(2), answer.event(2));
    let gate = Gate::new();
    let upstream = Upstream::start().await;
    let server = cached(&upstream).await;
    upstream.then(answer.clone().cut(cut));
    assert!(grammar::openai(&server.client.send(&asks("mine", true)).await.events(), true).error.is_some());
    upstream.then(answer.clone().pause(pause, &gate));
    let mut stream = server.client.stream(&asks("mine", true)).await;
    while !stream.next().await.unwrap().data.contains("one") {}
    drop(stream);
    upstream.closed(1).await;
    upstream.then(Answer::error(400, "invalid_request_error", "no"));
    assert_eq!(server.client.send(&asks("mine", false)).await.status(), 400);
    upstream.then(answer);
    let reply = server.client.send(&asks("mine", true)).await;
    assert_eq!((text(&reply).as_str(), cache(&reply)), ("one two", Some("miss")));
}

#[tokio::test]
async fn equal_requests_at_one_time_are_asked_once() {
    let gate = Gate::new();
    let answer = Answer::stream(&words(&["one ", "two"]));
    let at = answer.event(2);
    let upstream = Upstream::script([answer.pause(at, &gate)]).await;
    let server = cached(&upstream).await;
    let mut leader = server.client.stream(&asks("joined", true)).await;
    while !leader.next().await.unwrap().data.contains("one") {}
    let mut followers = Vec::new();
    for stream in [true, false, true] {
        let client = server.client;
        followers.push(tokio::spawn(async move { client.send(&asks("joined", stream)).await }));
    }
    // All of them are being served before the answer goes on.
    until("the followers", async || {
        let page = Exposition::parse(server.client.get("/metrics").await.text());
        (page.get("mortise_requests_active", &[]) == Some(5.0)).then_some(())
    })
    .await;
    gate.open();
    for follower in followers {
        let reply = follower.await.unwrap();
        assert_eq!((text(&reply).as_str(), cache(&reply)), ("one two", Some("hit")));
    }
    drop(leader);
    assert_eq!(upstream.requests().len(), 1);
}

#[tokio::test]
async fn one_takes_over_from_a_leader_who_hangs_up() {
    let gate = Gate::new();
    let answer = Answer::stream(&words(&["one ", "two"]));
    let at = answer.event(2);
    let upstream = Upstream::script([answer.clone().pause(at, &gate), answer]).await;
    let server = cached(&upstream).await;
    let mut leader = server.client.stream(&asks("joined", true)).await;
    while !leader.next().await.unwrap().data.contains("one") {}
    let mut followers = Vec::new();
    for _ in 0..3 {
        let client = server.client;
        followers.push(tokio::spawn(async move { client.send(&asks("joined", true)).await }));
    }
    drop(leader);
    let mut found = Vec::new();
    for follower in followers {
        let reply = follower.await.unwrap();
        assert_eq!(text(&reply), "one two");
        found.push(cache(&reply).unwrap().to_owned());
    }
    found.sort();
    assert_eq!((found.join(" ").as_str(), upstream.requests().len()), ("hit hit miss", 2));
}
