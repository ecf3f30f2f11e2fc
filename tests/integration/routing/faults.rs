//! Every way in which a vendor fails, and what the caller sees of it: the right conduct is a law, and each has a test here.
//!
//! Beside these, `vendor/cuts.rs`, `vendor/timeouts.rs` and `vendor/cancellation.rs` show what becomes of one vendor alone.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{QUICK, asks, pair, says, served, server, text};
use crate::grammar;
use crate::shape;
use crate::upstream::openai::{DONE, opening, sse, word, words};
use crate::upstream::{Answer, Upstream};

async fn second() -> Upstream {
    Upstream::always(Answer::json(&says("from the second", "large-1"))).await
}

fn busy() -> Answer {
    Answer::error(503, "overloaded", "too much to do")
}

fn limited() -> Answer {
    Answer::error(429, "rate_limit_exceeded", "slow down")
}

#[tokio::test]
async fn a_429_with_retry_after_fails_over_and_is_honoured_by_other_requests() {
    let first = Upstream::script([limited().header("Retry-After", "600")]).await;
    let second = second().await;
    let server = pair(&first, &second, QUICK).await;
    for attempts in ["2", "1", "1"] {
        let reply = server.client.send(&asks("fast", false)).await;
        assert_eq!(text(&reply), "from the second");
        assert_eq!(served(&reply), ["two", "large", attempts]);
    }
    assert_eq!((first.requests().len(), second.requests().len()), (1, 3), "asked before it wanted to be");
}

#[tokio::test]
async fn a_429_with_retry_after_is_waited_for_where_there_is_nobody_else() {
    let pause = Duration::from_millis(120);
    let answers = [limited().header("retry-after-ms", "120"), Answer::json(&says("at last", "m"))];
    let upstream = Upstream::script(answers).await;
    let server = server(&[("one", &upstream)], QUICK).await;
    let before = Instant::now();
    let reply = server.client.send(&asks("one/small", false)).await;
    assert!(before.elapsed() >= pause, "sooner than told: {:?}", before.elapsed());
    assert_eq!((text(&reply).as_str(), served(&reply)[2]), ("at last", "2"));
}

#[tokio::test]
async fn a_longer_retry_after_than_may_be_waited_for_is_told() {
    let date = |second: u32| format!("Wed, 21 Oct 2026 07:28:{second:02} GMT");
    let seconds = limited().header("Retry-After", "11");
    let until = limited().header("Date", &date(0)).header("Retry-After", &date(11));
    for answer in [seconds, until] {
        let upstream = Upstream::script([answer]).await;
        let server = server(&[("one", &upstream)], QUICK).await;
        let reply = server.client.send(&asks("one/small", false)).await;
        shape::openai(&reply, 429, "rate_limit_error");
        assert_eq!(reply.head.header("retry-after"), Some("11"));
    }
}

#[tokio::test]
async fn a_429_for_ever_without_a_header_fails_over_after_a_few_attempts() {
    let (first, second) = (Upstream::always(limited()).await, second().await);
    let server = pair(&first, &second, QUICK).await;
    let reply = server.client.send(&asks("fast", false)).await;
    assert_eq!((text(&reply).as_str(), served(&reply)), ("from the second", ["two", "large", "4"]));
    assert_eq!(first.requests().len(), 3, "one, and routing.retries");
}

#[tokio::test]
async fn a_500_once_is_one_retry_at_the_same_provider() {
    for stream in [false, true] {
        let good =
            if stream { Answer::stream(&words(&["well ", "again"])) } else { Answer::json(&says("well again", "m")) };
        let first = Upstream::script([Answer::error(500, "server_error", "hiccup"), good]).await;
        let second = Upstream::start().await;
        let server = pair(&first, &second, QUICK).await;
        let reply = server.client.send(&asks("fast", stream)).await;
        assert_eq!((text(&reply).as_str(), served(&reply)), ("well again", ["one", "small", "2"]));
        let seen = first.requests();
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[0].body, seen[1].body, "the second attempt asks the same");
    }
}

#[tokio::test]
async fn a_503_for_ever_fails_over_within_the_budget() {
    let (first, second) = (Upstream::always(busy()).await, second().await);
    let server = pair(&first, &second, "routing: {backoff: 1ms, retries: 1}").await;
    let reply = server.client.send(&asks("fast", false)).await;
    assert_eq!((text(&reply).as_str(), served(&reply)), ("from the second", ["two", "large", "3"]));
    assert_eq!(first.requests().len(), 2);
}

#[tokio::test]
async fn a_503_for_ever_is_told_where_there_is_nowhere_to_go() {
    let first = Upstream::always(busy()).await;
    let second = Upstream::always(Answer::error(500, "server_error", "also broken")).await;
    let server = pair(&first, &second, "routing: {backoff: 1ms, attempts: 4}").await;
    let reply = server.client.send(&asks("fast", false)).await;
    let error = shape::openai(&reply, 503, "server_error");
    assert!(error["message"].as_str().unwrap().contains("too much to do"), "the original error: {error}");
    assert_eq!(reply.head.header("x-mortise-attempts"), Some("4"));
    assert_eq!((first.requests().len(), second.requests().len()), (3, 1), "routing.attempts in all");
}

#[tokio::test]
async fn a_reset_before_the_head_is_tried_again() {
    for fault in [Answer::reset(), Answer::hang_up()] {
        let first = Upstream::script([fault, Answer::json(&says("well again", "m"))]).await;
        let second = Upstream::start().await;
        let server = pair(&first, &second, QUICK).await;
        let reply = server.client.send(&asks("fast", false)).await;
        assert_eq!((text(&reply).as_str(), served(&reply)), ("well again", ["one", "small", "2"]));
    }
}

#[tokio::test]
async fn a_server_that_is_gone_is_failed_over() {
    let (first, second) = (Upstream::start().await, second().await);
    let server = pair(&first, &second, QUICK).await;
    drop(first);
    let reply = server.client.send(&asks("fast", false)).await;
    assert_eq!((text(&reply).as_str(), served(&reply)[0]), ("from the second", "two"));
}

#[tokio::test]
async fn silence_after_the_request_fails_over_at_once() {
    let (first, second) = (Upstream::always(Answer::silent()).await, second().await);
    let server = pair(&first, &second, "egress: {timeouts: {head: 500ms}}").await;
    let reply = server.client.send(&asks("fast", false)).await;
    assert_eq!((text(&reply).as_str(), served(&reply)), ("from the second", ["two", "large", "2"]));
    assert_eq!(first.requests().len(), 1, "not the same way again");
    first.closed(0).await;
}

#[tokio::test]
async fn a_head_without_a_first_word_fails_over() {
    for begin in [String::new(), sse(&[opening()])] {
        let first = Upstream::always(Answer::text(begin).unended()).await;
        let mut answer = words(&["from ", "the second"]);
        answer.iter_mut().for_each(|chunk| chunk["model"] = json!("large-1"));
        let second = Upstream::always(Answer::stream(&answer)).await;
        let server = pair(&first, &second, "egress: {timeouts: {first_token: 500ms}}").await;
        let reply = server.client.send(&asks("fast", true)).await;
        assert_eq!((text(&reply).as_str(), served(&reply)), ("from the second", ["two", "large", "2"]));
        let said = grammar::openai(&reply.events(), true);
        assert_eq!(
            (said.model.as_str(), &said.usage.unwrap()["prompt_tokens"]),
            ("large-1", &json!(9)),
            "who answered"
        );
        assert_eq!(first.requests().len(), 1);
        first.closed(0).await;
    }
}

#[tokio::test]
async fn a_stream_cut_before_its_first_word_is_nobodys_business() {
    let answer = Answer::stream(&words(&["never"]));
    let at = answer.event(1);
    let first = Upstream::always(answer.cut(at)).await;
    let second = Upstream::always(Answer::stream(&words(&["from ", "the second"]))).await;
    let server = pair(&first, &second, QUICK).await;
    let reply = server.client.send(&asks("fast", true)).await;
    assert_eq!((text(&reply).as_str(), served(&reply)[0]), ("from the second", "two"));
}

#[tokio::test]
async fn a_stream_cut_in_the_middle_is_an_error_within_it() {
    let answer = Answer::stream(&words(&["one ", "two"]));
    let at = answer.event(2);
    let (first, second) = (Upstream::always(answer.cut(at)).await, Upstream::start().await);
    let server = pair(&first, &second, QUICK).await;
    let said = grammar::openai(&server.client.send(&asks("fast", true)).await.events(), true);
    assert!(said.error.is_some() && said.finish.is_none(), "{said:?}");
    assert_eq!((said.text.as_str(), first.requests().len()), ("one ", 1), "what was said can't be said again");
}

#[tokio::test]
async fn a_stream_that_stalls_ends_with_an_error() {
    let answer = Answer::stream(&words(&["one ", "two"]));
    let at = answer.event(2);
    let (first, second) = (Upstream::always(answer.stall(at)).await, Upstream::start().await);
    let server = pair(&first, &second, "egress: {timeouts: {idle: 500ms}}").await;
    let said = grammar::openai(&server.client.send(&asks("fast", true)).await.events(), true);
    assert!(said.error.unwrap()["message"].as_str().unwrap().contains("timeouts.idle"));
    first.closed(0).await;
}

#[tokio::test]
async fn a_malformed_event_is_skipped_or_told_and_leaks_nothing() {
    let malformed = format!("{}data: {{\"sk-leak\n\n{}", sse(&[opening(), word("one")]), sse(&words(&["two"])[1..]));
    let (first, second) = (Upstream::always(Answer::text(malformed + DONE)).await, Upstream::start().await);
    let server = pair(&first, &second, QUICK).await;
    let reply = server.client.send(&asks("fast", true)).await;
    let said = grammar::openai(&reply.events(), true);
    assert!(said.error.is_some() || said.text == "onetwo", "{said:?}");
    assert!(!reply.text().contains("sk-leak"), "{}", reply.text());
}

#[tokio::test]
async fn a_complete_stream_without_done_is_finished_with_usage() {
    let first = Upstream::always(Answer::text(sse(&words(&["one ", "two"])))).await;
    let second = Upstream::start().await;
    let server = pair(&first, &second, QUICK).await;
    let said = grammar::openai(&server.client.send(&asks("fast", true)).await.events(), true);
    assert_eq!((said.text.as_str(), said.error, said.usage.is_some()), ("one two", None, true));
}

#[tokio::test]
async fn a_complete_stream_whose_connection_stays_open_is_finished() {
    let first = Upstream::always(Answer::text(sse(&words(&["one ", "two"]))).unended()).await;
    let second = Upstream::start().await;
    let server = pair(&first, &second, "egress: {timeouts: {idle: 500ms}}").await;
    let said = grammar::openai(&server.client.send(&asks("fast", true)).await.events(), true);
    assert_eq!((said.text.as_str(), said.error, said.usage.is_some()), ("one two", None, true));
}

#[tokio::test]
async fn a_context_that_is_too_long_goes_to_a_larger_model() {
    let error = json!({"error": {
        "message": "This model's maximum context length is 8192 tokens.", "type": "invalid_request_error",
        "param": "messages", "code": "context_length_exceeded",
    }});
    let first = Upstream::always(Answer::body(400, "application/json", error.to_string())).await;
    let second = second().await;
    let server = pair(&first, &second, QUICK).await;
    let reply = server.client.send(&asks("fast", false)).await;
    assert_eq!((text(&reply).as_str(), served(&reply)), ("from the second", ["two", "large", "2"]));
    assert_eq!(first.requests().len(), 1, "no retry on that model");
    let told = shape::openai(&server.client.send(&asks("one/small", false)).await, 400, "invalid_request_error");
    assert_eq!((&told["code"], first.requests().len()), (&json!("context_length_exceeded"), 2));
    // Who wasn't asked wasn't asked in vain.
    assert_eq!(server.client.send(&asks("nobody/small", false)).await.head.header("x-mortise-attempts"), None);
}

#[tokio::test]
async fn a_content_filter_is_final_and_its_reason_is_told() {
    let error = json!({"error": {
        "message": "The prompt was filtered: violence.", "type": "invalid_request_error", "param": "prompt",
        "code": "content_filter",
    }});
    let first = Upstream::always(Answer::body(400, "application/json", error.to_string())).await;
    let second = Upstream::start().await;
    let server = pair(&first, &second, QUICK).await;
    let told = shape::openai(&server.client.send(&asks("fast", false)).await, 400, "invalid_request_error");
    assert!(told["message"].as_str().unwrap().contains("violence"), "{told}");
    assert_eq!(first.requests().len(), 1);
}

#[tokio::test]
async fn a_request_that_is_wrong_is_wrong_everywhere() {
    let first = Upstream::always(Answer::error(400, "invalid_request_error", "temperature is too high")).await;
    let second = Upstream::start().await;
    let server = pair(&first, &second, QUICK).await;
    let told = shape::openai(&server.client.send(&asks("fast", false)).await, 400, "invalid_request_error");
    assert!(told["message"].as_str().unwrap().contains("temperature"), "{told}");
    assert_eq!(first.requests().len(), 1);
}

#[tokio::test]
async fn a_vendor_that_lets_the_operator_not_in_is_failed_over_without_a_retry() {
    for status in [401, 403] {
        let first = Upstream::always(Answer::error(status, "authentication_error", "who are you")).await;
        let second = second().await;
        let server = pair(&first, &second, QUICK).await;
        let reply = server.client.send(&asks("fast", false)).await;
        assert_eq!((text(&reply).as_str(), served(&reply)), ("from the second", ["two", "large", "2"]));
        assert_eq!(first.requests().len(), 1);
    }
}

#[tokio::test]
async fn all_targets_together_take_no_longer_than_total() {
    let (first, second) = (Upstream::always(Answer::silent()).await, Upstream::start().await);
    let server = pair(&first, &second, "egress: {timeouts: {total: 150ms}}").await;
    let told = shape::openai(&server.client.send(&asks("fast", false)).await, 504, "server_error");
    assert!(told["message"].as_str().unwrap().contains("timeouts.total"), "{told}");
    assert_eq!(second.requests().len(), 0, "its time was up before it was asked");
}

#[tokio::test]
async fn no_pause_is_longer_than_what_is_left_of_total() {
    let first = Upstream::always(Answer::error(500, "server_error", "hiccup")).await;
    let second = Upstream::start().await;
    let more = "routing: {backoff: 1h, max_backoff: 1h, attempts: 100, retries: 100}\negress: {timeouts: {total: 5s}}";
    let server = server(&[("one", &first), ("two", &second)], more).await;
    let reply = server.client.send(&asks("one/small", false)).await;
    // Whatever chance makes of an hour, it is not waited for.
    shape::openai(&reply, 502, "server_error");
}
