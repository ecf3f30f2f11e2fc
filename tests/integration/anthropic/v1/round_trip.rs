//! Conversations as nobody would think of them: what goes in at Anthropic's surface comes out at OpenAI's wire.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::PATH;
use crate::harness::Server;
use crate::upstream::openai::completion;
use crate::upstream::{Answer, Upstream};

const CASES: u32 = 100;

/// What a caller says, and what the vendor hears.
type Turn = (Vec<Value>, Vec<Value>);

/// Anything that JSON can carry, but not nothing and not blanks alone.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-z ]{0,12}[a-z]", 1 => "\\PC{1,8}x", 1 => any::<String>().prop_map(|text| text + "x")]
}

fn block() -> impl Strategy<Value = (Value, Value)> {
    let image = |source: Value, url: &str| {
        (json!({"type": "image", "source": source}), json!({"type": "image_url", "image_url": {"url": url}}))
    };
    let here = json!({"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="});
    let there = json!({"type": "url", "url": "https://example.com/a.png?b=c#d"});
    prop_oneof![
        3 => text().prop_map(|text| (json!({"type": "text", "text": text}), json!({"type": "text", "text": text}))),
        1 => text().prop_map(|text| {
            let marked = json!({"type": "text", "text": text, "cache_control": {"type": "ephemeral"}, "citations": null});
            (marked, json!({"type": "text", "text": text}))
        }),
        1 => Just(image(here, "data:image/png;base64,iVBORw0KGgo=")),
        1 => Just(image(there, "https://example.com/a.png?b=c#d")),
    ]
}

/// The model calls tools and is answered, in one message, perhaps with more words behind.
fn calls() -> impl Strategy<Value = Turn> {
    let call = ("[a-z_]{1,10}", text(), text(), any::<bool>());
    (proptest::option::of(text()), vec(call, 1..4), proptest::option::of(text())).prop_map(|(said, calls, more)| {
        let mut asked: Vec<Value> = said.iter().map(|text| json!({"type": "text", "text": text})).collect();
        let (mut answers, mut named, mut heard) = (Vec::new(), Vec::new(), Vec::new());
        for (number, (name, argument, result, plain)) in calls.into_iter().enumerate() {
            let (id, input) = (format!("toolu_{number}"), json!({"argument": argument, "n": 1.5}));
            named.push(
                json!({"id": id, "type": "function", "function": {"name": name, "arguments": input.to_string()}}),
            );
            heard.push(json!({"role": "tool", "tool_call_id": id, "content": result}));
            asked.push(json!({"type": "tool_use", "id": id, "name": name, "input": input}));
            let content = if plain { json!(result) } else { json!([{"type": "text", "text": result}]) };
            answers.push(json!({"type": "tool_result", "tool_use_id": id, "content": content}));
        }
        heard.insert(0, json!({"role": "assistant", "content": said, "tool_calls": named}));
        if let Some(text) = more {
            answers.push(json!({"type": "text", "text": text}));
            heard.push(json!({"role": "user", "content": text}));
        }
        (vec![json!({"role": "assistant", "content": asked}), json!({"role": "user", "content": answers})], heard)
    })
}

fn turn() -> impl Strategy<Value = Turn> {
    let said = |role: &'static str| {
        text().prop_map(move |text| {
            let message = json!({"role": role, "content": text});
            (vec![message.clone()], vec![message])
        })
    };
    let blocks = vec(block(), 2..5).prop_map(|blocks| {
        let (sent, heard): (Vec<Value>, Vec<Value>) = blocks.into_iter().unzip();
        (vec![json!({"role": "user", "content": sent})], vec![json!({"role": "user", "content": heard})])
    });
    prop_oneof![2 => said("user"), 2 => said("assistant"), 1 => said("system"), 2 => blocks, 2 => calls()]
}

/// Without what means nothing: fields that are null.
fn plain(messages: &[Value]) -> Vec<Value> {
    let message = |message: &Value| {
        let mut message = message.clone();
        let fields = message.as_object_mut().unwrap();
        fields.retain(|_, value| !value.is_null());
        fields.sort_keys();
        message
    };
    messages.iter().map(message).collect()
}

#[test]
fn every_conversation_arrives_as_it_was() {
    let runtime = Runtime::new().unwrap();
    let (upstream, server) = runtime.block_on(async {
        let upstream = Upstream::always(Answer::json(&completion("ok"))).await;
        let server = Server::vendor(&upstream, "").await;
        (upstream, server)
    });
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&(proptest::option::of(text()), vec(turn(), 1..6)), |(system, turns)| {
        let (sent, heard): (Vec<Vec<Value>>, Vec<Vec<Value>>) = turns.into_iter().unzip();
        let mut expected: Vec<Value> = system.iter().map(|text| json!({"role": "system", "content": text})).collect();
        expected.extend(heard.concat());
        let body = json!({"model": "openai/gpt-4o-mini", "max_tokens": 9, "system": system, "messages": sent.concat()});
        let reply = runtime.block_on(server.client.post(PATH, &body));
        prop_assert_eq!(reply.status(), 200, "{}", reply.text());
        let seen = upstream.requests().pop().ok_or(TestCaseError::fail("nothing was sent"))?.json();
        prop_assert_eq!(plain(seen["messages"].as_array().unwrap()), plain(&expected));
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    runtime.block_on(async { drop(server) });
}
