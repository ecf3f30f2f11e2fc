//! How many tokens a caller may use: taken before the vendor is asked, settled with what was used.
//!
//! What is left is found by asking for more and more of a vendor that fails before its first word, which costs nothing.

use serde_json::{Value, json};

use crate::client::Request;
use crate::harness::Server;
use crate::patience::until;
use crate::shape;
use crate::upstream::openai::{completion, embeddings, opening, usage, word, words};
use crate::upstream::{Answer, Gate, Upstream};

const LIMIT: u64 = 100;
/// Tokens of the prompt, as the server guesses them: a quarter of its bytes.
const PROMPT: u64 = 2;

async fn limited(upstream: &Upstream) -> Server {
    let limits = "{openai: {tokens: [100/1d]}, chat: {requests: [], tokens: [100/1d]}}";
    Server::vendor(upstream, &format!("server: {{rate_limit: {{surfaces: {limits}}}}}")).await
}

/// Asks for an answer of so many tokens at most.
fn asks(answer: u64, stream: bool) -> Request {
    let mut body =
        json!({"model": "openai/m", "max_tokens": answer, "messages": [{"role": "user", "content": "Hello!"}]});
    if stream {
        body["stream"] = json!(true);
    }
    Request::new("POST", "/v1/chat/completions").json(&body)
}

/// An upstream of these answers, which fails when there are none left.
async fn vendor(answers: impl IntoIterator<Item = Answer>) -> Upstream {
    let upstream = Upstream::always(Answer::error(500, "server_error", "nothing for you")).await;
    answers.into_iter().for_each(|answer| upstream.then(answer));
    upstream
}

/// Tokens that were used, to the last one.
async fn used(server: &Server) -> u64 {
    let fits = async |left: u64| {
        let reply = server.client.send(&asks(left - PROMPT, false)).await;
        assert!([502, 429].contains(&reply.status()), "{}", reply.text());
        reply.status() == 502
    };
    // A caller who has used nothing may ask for more than all.
    if fits(LIMIT + 1).await {
        return 0;
    }
    let (mut some, mut too_many) = (PROMPT, LIMIT + 1);
    while too_many - some > 1 {
        let middle = some.midpoint(too_many);
        if fits(middle).await { some = middle } else { too_many = middle }
    }
    LIMIT - some
}

#[tokio::test]
async fn what_the_vendor_counted_is_what_was_used() {
    let upstream = vendor([]).await;
    let server = limited(&upstream).await;
    assert_eq!(used(&server).await, 0);
    upstream.then(Answer::json(&completion("Hi!")));
    assert_eq!(server.client.send(&asks(50, false)).await.status(), 200);
    assert_eq!(used(&server).await, 21);
    upstream.then(Answer::stream(&words(&["Hi", "!"])));
    assert!(!server.client.send(&asks(50, true)).await.events().is_empty());
    assert_eq!(used(&server).await, 42);
}

#[tokio::test]
async fn where_it_counted_nothing_its_words_are() {
    let mut whole = completion(&"w".repeat(40));
    whole["usage"] = Value::Null;
    let mut told = words(&["twelve bytes", "twelve bytes"]);
    told.pop();
    let upstream = vendor([Answer::json(&whole)]).await;
    let server = limited(&upstream).await;
    assert_eq!(server.client.send(&asks(50, false)).await.status(), 200);
    assert_eq!(used(&server).await, PROMPT + 10);
    upstream.then(Answer::stream(&told));
    assert_eq!(server.client.send(&asks(50, true)).await.status(), 200);
    assert_eq!(used(&server).await, 2 * PROMPT + 10 + 6);
}

#[tokio::test]
async fn who_is_told_nothing_pays_nothing() {
    let role = Answer::stream(&[opening(), word("never")]);
    let after_the_role = role.event(1);
    let upstream = vendor([]).await;
    let server = limited(&upstream).await;
    for (answer, stream) in [
        (Answer::error(429, "rate_limit", "slow down"), false),
        (Answer::error(400, "invalid", "no"), true),
        (Answer::hang_up(), false),
        (Answer::json(&completion("cut")).cut(30), false),
        (Answer::text("").cut(0), true),
        (role.cut(after_the_role), true),
        (Answer::body(200, "application/json", "no JSON"), false),
    ] {
        upstream.then(answer);
        let reply = server.client.send(&asks(50, stream)).await;
        assert!(reply.status() >= 400, "{}", reply.text());
        assert_eq!(used(&server).await, 0, "{}", reply.text());
    }
}

#[tokio::test]
async fn a_vendor_that_fails_amid_the_words_is_paid_for_them() {
    let answer = Answer::stream(&words(&["twelve bytes", "never"]));
    let cut = answer.event(2);
    let upstream = vendor([answer.cut(cut)]).await;
    let server = limited(&upstream).await;
    let reply = server.client.send(&asks(50, true)).await;
    assert!(reply.text().contains("twelve bytes") && !reply.text().contains("[DONE]"), "{}", reply.text());
    assert_eq!(used(&server).await, PROMPT + 3);
}

#[tokio::test]
async fn a_caller_who_hangs_up_pays_for_what_was_said() {
    let gate = Gate::new();
    let answer = Answer::stream(&words(&["twelve bytes", "never"]));
    let (before, between) = (answer.event(1), answer.event(2));
    let upstream = vendor([answer.clone().pause(between, &gate)]).await;
    let server = limited(&upstream).await;
    let mut stream = server.client.stream(&asks(50, true)).await;
    while !stream.next().await.unwrap().data.contains("twelve") {}
    assert_eq!(used(&server).await, PROMPT + 50, "all of it is taken while it may still be used");
    let body = shape::openai(&server.client.send(&asks(60, false)).await, 429, "rate_limit_error");
    assert_eq!(body["code"], "rate_limit_exceeded");
    drop(stream);
    until("the rest to be given back", async || (used(&server).await == PROMPT + 3).then_some(())).await;
    // Before the first word the prompt has been used: asking and hanging up is not for free.
    upstream.then(answer.pause(before, &gate));
    let seen = upstream.requests().len();
    let mut connection = server.client.connect().await;
    connection.send(&asks(50, true)).await;
    upstream.request(seen).await;
    drop(connection);
    until("the rest to be given back", async || (used(&server).await == 2 * PROMPT + 3).then_some(())).await;
}

#[tokio::test]
async fn texts_are_counted_where_the_vendor_doesnt() {
    let told = Answer::json(&embeddings(&[&[0.5, 1.5]]));
    let mut silent = embeddings(&[&[0.5, 1.5]]);
    silent.as_object_mut().unwrap().remove("usage");
    let upstream = vendor([told]).await;
    let server = limited(&upstream).await;
    let ask = Request::new("POST", "/v1/embeddings").json(&json!({"model": "openai/m", "input": "x".repeat(40)}));
    assert_eq!(server.client.send(&ask).await.status(), 200);
    assert_eq!(used(&server).await, 5);
    upstream.then(Answer::json(&silent));
    assert_eq!(server.client.send(&ask).await.status(), 200);
    assert_eq!(used(&server).await, 5 + 10);
    assert_eq!(server.client.send(&ask).await.status(), 502);
    assert_eq!(used(&server).await, 5 + 10);
}

#[tokio::test]
async fn the_refusal_names_the_limit_on_either_surface() {
    let mut much = completion("Hi!");
    much["usage"] = usage(900, 50);
    let upstream = vendor([Answer::json(&much), Answer::json(&much)]).await;
    let server = limited(&upstream).await;
    let native =
        Request::new("POST", "/api/v1/chat").json(&json!({"message": "Hello!", "max_tokens": 50, "model": "openai/m"}));
    for request in [asks(50, false), native] {
        assert_eq!(server.client.send(&request).await.status(), 200, "{}", request.path);
        let reply = server.client.send(&request).await;
        assert_eq!(reply.status(), 429, "{}", request.path);
        assert!(super::number(&reply, "retry-after") > 0);
        if !super::is_openai(&request.path) {
            let body = shape::native(&reply, 429, "RATE_LIMITED");
            assert_eq!((&body["details"]["limit"], &body["details"]["window"]), (&json!(100), &json!(86_400)));
        }
    }
    // Neither refusal has reached the vendor.
    assert_eq!(upstream.requests().len(), 2);
}
