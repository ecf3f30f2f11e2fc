//! A vendor whose stream goes wrong on its way: the caller is told within the stream, or it is whole.

use serde_json::json;

use super::{native, request};
use crate::grammar;
use crate::harness::Server;
use crate::upstream::openai::{DONE, chunk, completion, opening, sse, usage_chunk, word, words};
use crate::upstream::{Answer, Upstream};

fn stream() -> Answer {
    Answer::stream(&words(&["one ", "two ", "three"]))
}

#[tokio::test]
async fn a_stream_cut_at_any_event_ends_with_an_error() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    // Before the first event, between two, and within one; the finish reason is event 4.
    for number in 0..=4 {
        for within in [0, 20] {
            let at = stream().event(number) + within;
            upstream.then(stream().cut(at));
            let reply = server.client.send(&request(true)).await;
            if reply.status() == 200 {
                let said = grammar::openai(&reply.events(), true);
                assert!(said.error.is_some(), "cut at {at}: {said:?}");
                assert!("one two three".starts_with(&said.text) && said.finish.is_none(), "cut at {at}: {said:?}");
            } else {
                assert_eq!(reply.status(), 502, "cut at {at}: {}", reply.text());
                assert!(number <= 1, "what was said before byte {at} is lost");
            }
            upstream.then(stream().cut(at));
            let reply = server.client.send(&native(true)).await;
            if reply.status() == 200 {
                let told = grammar::chat(&reply.events());
                assert!(told.error.is_some(), "cut at {at}: {told:?}");
            } else {
                assert_eq!(reply.status(), 502, "cut at {at}: {}", reply.text());
            }
        }
    }
}

#[tokio::test]
async fn a_whole_answer_that_is_cut_is_an_error() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    for at in [0, 1, 100] {
        for answer in [
            Answer::json(&completion("never whole")).cut(at),
            Answer::json(&completion("never whole")).split(&[50]).cut(at),
        ] {
            upstream.then(answer);
            let reply = server.client.send(&request(false)).await;
            assert_eq!(reply.status(), 502, "cut at {at}: {}", reply.text());
        }
    }
}

#[tokio::test]
async fn a_stream_without_its_last_word_is_whole_if_it_has_a_reason() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    upstream.then(Answer::text(sse(&words(&["one ", "two"]))));
    let said = grammar::openai(&server.client.send(&request(true)).await.events(), true);
    assert_eq!((said.text.as_str(), said.error, said.usage.is_some()), ("one two", None, true));
    upstream.then(Answer::text(sse(&words(&["one ", "two"]))));
    assert_eq!(grammar::chat(&server.client.send(&native(true)).await.events()).error, None);

    // Without a reason it is not known to be whole.
    upstream.then(Answer::text(sse(&[opening(), word("one")])));
    let said = grammar::openai(&server.client.send(&request(true)).await.events(), true);
    assert!(said.error.is_some() && said.finish.is_none(), "{said:?}");
    upstream.then(Answer::text(sse(&[opening(), word("one")]) + DONE));
    let said = grammar::openai(&server.client.send(&request(true)).await.events(), true);
    assert!(said.error.is_some() || said.finish.is_some(), "{said:?}");
}

#[tokio::test]
async fn a_connection_cut_after_the_reason_is_whole() {
    let answer = stream();
    let end = answer.event(6);
    let upstream = Upstream::always(answer.cut(end)).await;
    let server = Server::vendor(&upstream, "").await;
    let said = grammar::openai(&server.client.send(&request(true)).await.events(), true);
    assert_eq!((said.text.as_str(), said.error), ("one two three", None));
}

#[tokio::test]
async fn a_malformed_event_leaks_nothing() {
    let secrets = [
        "{\"id\": \"sk-leak",
        "sk-leak",
        "\"sk-leak\"",
        "[1, \"sk-leak\"]",
        "{\"choices\": \"sk-leak\"}",
        "{}",
        "null",
    ];
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    for malformed in secrets {
        let text = format!("{}data: {malformed}\n\n{}", sse(&[opening(), word("one")]), sse(&words(&["two"])[1..]));
        for request in [request(true), native(true)] {
            upstream.then(Answer::text(text.clone() + DONE));
            let reply = server.client.send(&request).await;
            assert_eq!(reply.status(), 200, "{malformed}: {}", reply.text());
            assert!(!reply.text().contains("sk-leak"), "{malformed}: {}", reply.text());
            let error = match request.path.starts_with("/openai") {
                true => grammar::openai(&reply.events(), true).error,
                false => grammar::chat(&reply.events()).error,
            };
            // Skipped or told, but never swallowed together with what stands beside it.
            assert!(error.is_some() || reply.text().contains("two"), "{malformed}: {}", reply.text());
        }
    }
}

#[tokio::test]
async fn an_error_within_the_stream_reaches_the_caller() {
    let error =
        json!({"error": {"message": "the vendor fell over", "type": "server_error", "param": null, "code": null}});
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    upstream.then(Answer::text(sse(&[opening(), word("one"), error.clone()])));
    let said = grammar::openai(&server.client.send(&request(true)).await.events(), true);
    assert!(said.error.unwrap()["message"].as_str().unwrap().contains("the vendor fell over"));
    upstream.then(Answer::text(sse(&[opening(), word("one"), error.clone()])));
    let told = grammar::chat(&server.client.send(&native(true)).await.events());
    assert!(told.error.unwrap()["error"].as_str().unwrap().contains("the vendor fell over"));
    // Before the first word there is still a status to tell it with.
    upstream.then(Answer::text(sse(&[error])));
    let reply = server.client.send(&request(true)).await;
    assert_eq!(reply.status(), 502, "{}", reply.text());
}

#[tokio::test]
async fn nothing_after_the_last_word_is_read() {
    let late = sse(&words(&["one"])) + DONE + &sse(&[word("late")]);
    let upstream = Upstream::always(Answer::text(late)).await;
    let server = Server::vendor(&upstream, "").await;
    let said = grammar::openai(&server.client.send(&request(true)).await.events(), true);
    assert_eq!((said.text.as_str(), said.error), ("one", None));
}

#[tokio::test]
async fn an_endless_answer_is_stopped() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "egress: {max_body: 1MiB, max_frame: 64KiB}").await;
    upstream.then(Answer::json(&completion("x")).endless(&" ".repeat(1024)));
    let reply = server.client.send(&request(false)).await;
    assert_eq!(reply.status(), 502, "{}", reply.text());
    upstream.closed(0).await;
    // One event that never ends.
    upstream.then(Answer::text(sse(&[opening(), word("one")]) + "data: ").endless(&"x".repeat(1024)));
    let said = grammar::openai(&server.client.send(&request(true)).await.events(), true);
    assert!(said.error.is_some(), "{said:?}");
    upstream.closed(1).await;
    let whole = [opening(), word("one"), chunk(json!({}), Some("stop")), usage_chunk(1, 2)];
    upstream.then(Answer::stream(&whole));
    assert_eq!(grammar::openai(&server.client.send(&request(true)).await.events(), true).text, "one");
}
