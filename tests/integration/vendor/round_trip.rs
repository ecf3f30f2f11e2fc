//! Conversations as nobody would think of them: what goes in at OpenAI's surface comes out at OpenAI's wire.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::PATH;
use crate::harness::Server;
use crate::upstream::openai::completion;
use crate::upstream::{Answer, Upstream};

const CASES: u32 = 150;

/// Anything that JSON can carry, but not nothing and not blanks alone.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-z ]{0,12}[a-z]", 1 => "\\PC{1,8}x", 1 => any::<String>().prop_map(|text| text + "x")]
}

fn part() -> impl Strategy<Value = Value> {
    let image = |url: &str| json!({"type": "image_url", "image_url": {"url": url}});
    prop_oneof![
        4 => text().prop_map(|text| json!({"type": "text", "text": text})),
        1 => Just(image("https://example.com/a.png?b=c#d")),
        1 => Just(image("data:image/png;base64,iVBORw0KGgo=")),
    ]
}

fn content() -> impl Strategy<Value = Value> {
    prop_oneof![text().prop_map(Value::from), vec(part(), 2..5).prop_map(Value::from)]
}

/// One turn: somebody speaks, or the model calls tools and is answered.
fn turn() -> impl Strategy<Value = Vec<Value>> {
    let said = |role: &'static str| text().prop_map(move |text| vec![json!({"role": role, "content": text})]);
    let calls = vec(("[a-z_]{1,10}", text(), text()), 1..4).prop_map(|calls| {
        let id = |number: usize| format!("call_{number}");
        let named = calls.iter().enumerate().map(|(number, (name, argument, _))| {
            let arguments = json!({"argument": argument}).to_string();
            json!({"id": id(number), "type": "function", "function": {"name": name, "arguments": arguments}})
        });
        let mut turn = vec![json!({"role": "assistant", "content": null, "tool_calls": named.collect::<Vec<_>>()})];
        let results = calls.iter().enumerate();
        turn.extend(
            results
                .map(|(number, (.., result))| json!({"role": "tool", "tool_call_id": id(number), "content": result})),
        );
        turn
    });
    prop_oneof![
        3 => content().prop_map(|content| vec![json!({"role": "user", "content": content})]),
        2 => said("assistant"),
        1 => said("system"),
        1 => said("developer"),
        2 => calls,
    ]
}

/// What two ways of writing have in common: a list of one text is that text, and no content is null.
fn plain(messages: &Value) -> Vec<Value> {
    let message = |message: &Value| {
        let mut message = message.clone();
        if let [only] = message["content"].as_array().map(Vec::as_slice).unwrap_or_default()
            && only["type"] == "text"
        {
            message["content"] = only["text"].clone();
        }
        let fields = message.as_object_mut().unwrap();
        fields.retain(|_, value| !value.is_null());
        fields.sort_keys();
        message
    };
    messages.as_array().unwrap().iter().map(message).collect()
}

/// Asks whatever comes to mind; `settings` are a line of the provider's entry. `arrives` checks what the vendor sees of a
/// caller's messages.
fn converse(settings: &str, arrives: impl Fn(&Value, &Value) -> Result<(), TestCaseError>) {
    let runtime = Runtime::new().unwrap();
    let (upstream, server) = runtime.block_on(async {
        let upstream = Upstream::always(Answer::json(&completion("ok"))).await;
        let server = Server::vendor(&upstream, settings).await;
        (upstream, server)
    });
    let question = || {
        vec(turn(), 0..6).prop_map(|turns| {
            let mut messages = turns.concat();
            messages.push(json!({"role": "user", "content": "the last word"}));
            Value::from(messages)
        })
    };
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&question(), |messages| {
        let body = json!({"model": "openai/gpt-4o-mini", "messages": messages});
        let reply = runtime.block_on(server.client.post(PATH, &body));
        let said = reply.status();
        prop_assert_eq!(said, 200, "{}", reply.text());
        let seen = upstream.requests().pop().ok_or(TestCaseError::fail("nothing was sent"))?.json();
        arrives(&seen["messages"], &messages)
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    runtime.block_on(async { drop(server) });
}

#[test]
fn every_conversation_passes_on_as_it_was() {
    converse("", |seen, said| {
        prop_assert_eq!(seen, said);
        Ok(())
    });
}

#[test]
fn every_conversation_that_is_written_anew_says_the_same() {
    converse("    settings: {developer_role: false}", |seen, said| {
        let mut said = plain(said);
        for message in said.iter_mut().filter(|message| message["role"] == "developer") {
            message["role"] = json!("system");
        }
        prop_assert_eq!(plain(seen), said);
        Ok(())
    });
}
