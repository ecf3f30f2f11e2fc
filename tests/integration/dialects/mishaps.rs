//! A vendor's stream that is cut, falls silent or fails before any of its events.
//!
//! Each surface tells an error in its own form, never a truncated answer for a whole one.

use tokio::task::JoinSet;

use super::{server, surfaces, told};
use crate::patience::soon;
use crate::upstream::{Answer, Upstream, anthropic, openai};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mishap {
    Cut,
    Silence,
    /// The vendor says so itself.
    Failure,
}

/// A vendor's stream that says `one two`.
struct Script {
    plugin: &'static str,
    text: String,
    events: usize,
    /// Before an event after that one something had been said.
    first_word: usize,
    /// Before an event after that one it was known why the answer ended.
    reason: usize,
    failure: String,
}

fn scripts() -> [Script; 2] {
    let words = ["one ", "two"];
    let theirs = anthropic::answer(&[anthropic::words(0, &words)], "end_turn");
    [
        Script {
            plugin: "openai",
            text: openai::sse(&openai::words(&words)) + openai::DONE,
            events: 6,
            first_word: 1,
            reason: 3,
            failure: openai::sse(&[openai::error("server_error", "the vendor fell over")]),
        },
        Script {
            plugin: "anthropic",
            text: anthropic::sse(&theirs),
            events: theirs.len(),
            first_word: 3,
            reason: 6,
            failure: anthropic::sse(&[anthropic::failure("api_error", "the vendor fell over")]),
        },
    ]
}

impl Script {
    fn answer(&self, number: usize, mishap: Mishap) -> Answer {
        let answer = Answer::text(self.text.clone());
        let at = answer.event(number);
        match mishap {
            Mishap::Cut => answer.cut(at),
            Mishap::Silence => answer.stall(at),
            Mishap::Failure => Answer::text(format!("{}{}", &self.text[..at], self.failure)),
        }
    }

    async fn play(&self, mishap: Mishap) {
        let mut upstreams = Vec::new();
        for number in 0..self.events {
            upstreams.push(Upstream::always(self.answer(number, mishap)).await);
        }
        let patience = match mishap {
            Mishap::Silence => "egress: {timeouts: {first_token: 2s, idle: 1s}}",
            Mishap::Cut | Mishap::Failure => "",
        };
        let server = server(self.plugin, &upstreams, patience).await;
        let mut asked = JoinSet::new();
        for number in 0..self.events {
            for request in surfaces(&format!("p{number}"), true) {
                let client = server.client;
                asked.spawn(async move { (number, client.send(&request).await, request) });
            }
        }
        while let Some(answered) = soon("each of them", asked.join_next()).await {
            let (number, reply, request) = answered.unwrap();
            let case = format!("{}: {mishap:?} before event {number}, {}", self.plugin, request.path);
            if reply.status() != 200 {
                assert!((500..600).contains(&reply.status()), "{case}: {}", reply.text());
                assert!(number <= self.first_word, "{case}: what was said is lost");
                continue;
            }
            let told = told(&request, &reply);
            assert!(number > self.first_word && "one two".starts_with(&told.text), "{case}: {told:?}");
            assert_ne!(told.failed, told.reason.is_some(), "{case}: one of them, {told:?}");
            if number <= self.reason {
                assert!(told.failed, "{case}: sold as whole, {told:?}");
            } else if mishap != Mishap::Failure {
                assert!(!told.failed && told.text == "one two", "{case}: {told:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_stream_cut_before_any_event_is_no_success() {
    for script in scripts() {
        script.play(Mishap::Cut).await;
    }
}

#[tokio::test]
async fn a_stream_that_stalls_before_any_event_is_no_success() {
    for script in scripts() {
        script.play(Mishap::Silence).await;
    }
}

#[tokio::test]
async fn a_stream_that_fails_before_any_event_is_no_success() {
    for script in scripts() {
        script.play(Mishap::Failure).await;
    }
}
