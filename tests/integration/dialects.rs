//! One vendor's answer as every surface tells it: the rules that hold whichever dialect meets which.
//!
//! What a rule asks of one plugin, or of one surface alone, is tested beside it; `tests/tidy/dialects.rs` knows which test keeps
//! which rule.

mod habits;
mod mishaps;
mod refusals;

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::client::{Reply, Request};
use crate::grammar;
use crate::harness::{KEY, Server};
use crate::upstream::Upstream;

const CHAT: &str = "/openai/v1/chat/completions";
const MESSAGES: &str = "/anthropic/v1/messages";
const RESPONSES: &str = "/openai/v1/responses";
const NATIVE: &str = "/api/v1/chat/stream";

/// What a surface told of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
struct Told {
    text: String,
    /// Name and arguments.
    calls: Vec<(String, Value)>,
    /// Why it ended, in OpenAI's words; absent where it didn't.
    reason: Option<String>,
    /// Whether a failure was told.
    failed: bool,
}

/// A server with a provider of this plugin for each upstream, called by its number; `more` are further lines.
async fn server(plugin: &str, upstreams: &[Upstream], more: &str) -> Server {
    // Our upstreams know OpenAI's older endpoint only.
    let more_of_it = if plugin == "openai" { ", settings: {responses: false}" } else { "" };
    server_with(&format!("plugin: {plugin}{more_of_it}"), upstreams, more).await
}

/// The same with these entries for each provider.
async fn server_with(entries: &str, upstreams: &[Upstream], more: &str) -> Server {
    Server::configured(|home| {
        let key = home.join("key");
        std::fs::write(&key, KEY).unwrap();
        let mut yaml = "providers:\n".to_owned();
        for (number, upstream) in upstreams.iter().enumerate() {
            let (url, key) = (upstream.base_url(), key.display());
            writeln!(yaml, "  p{number}: {{{entries}, base_url: {url}, api_key: \"file:{key}\", retries: 0}}").unwrap();
        }
        yaml + more + "\n"
    })
    .await
}

/// The same question on the three surfaces that have vendors of their own, and on ours where it is streamed.
fn surfaces(provider: &str, stream: bool) -> Vec<Request> {
    let model = format!("{provider}/m");
    let hello = json!([{"role": "user", "content": "Hello!"}]);
    let schema = json!({"type": "object"});
    let function = json!({"name": "f", "parameters": schema});
    let mut asked = vec![
        (
            CHAT,
            json!({"model": model, "messages": hello, "stream": stream,
                "tools": [{"type": "function", "function": function}]}),
        ),
        (
            MESSAGES,
            json!({"model": model, "messages": hello, "stream": stream, "max_tokens": 100,
                "tools": [{"name": "f", "input_schema": schema}]}),
        ),
        (
            RESPONSES,
            json!({"model": model, "input": "Hello!", "stream": stream,
                "tools": [{"type": "function", "name": "f", "parameters": schema}]}),
        ),
    ];
    if stream {
        asked.push((NATIVE, json!({"provider": provider, "model": "m", "message": "Hello!"})));
    }
    asked.into_iter().map(|(path, body)| Request::new("POST", path).json(&body)).collect()
}

/// What the answer to one of [`surfaces`] tells, whole or streamed.
#[track_caller]
fn told(request: &Request, reply: &Reply) -> Told {
    match (request.path.as_str(), reply.head.kind()) {
        (CHAT, "text/event-stream") => {
            let said = grammar::openai(&reply.events(), false);
            let calls = said.calls.iter().map(|call| (call.name.clone(), parsed(&call.arguments)));
            let calls = if said.finish.is_some() { calls.collect() } else { Vec::new() };
            Told { text: said.text, calls, reason: said.finish, failed: said.error.is_some() }
        }
        (MESSAGES, "text/event-stream") => {
            let said = grammar::anthropic(&reply.events());
            let ended = said.stop.is_some();
            let content = if ended { said.content.clone() } else { Vec::new() };
            Told {
                text: said.text(),
                failed: said.error.is_some(),
                ..of_blocks(&content, said.stop.as_deref().unwrap_or_default())
            }
        }
        (RESPONSES, "text/event-stream") => {
            let said = grammar::responses(&reply.events());
            Told { text: said.text.clone(), ..of_response(&said.response) }
        }
        (NATIVE, _) => {
            let told = grammar::chat(&reply.events());
            let called = if told.calls.is_empty() { "stop" } else { "tool_calls" };
            let reason = told.error.is_none().then(|| told.stop_reason.unwrap_or_else(|| called.into()));
            Told { text: told.text, calls: told.calls, reason, failed: told.error.is_some() }
        }
        (CHAT, _) => {
            let choice = reply.expect(200)["choices"][0].clone();
            let calls = choice["message"]["tool_calls"].as_array().into_iter().flatten();
            let calls = calls.map(|call| &call["function"]).map(|function| named(function, &function["arguments"]));
            Told {
                text: choice["message"]["content"].as_str().unwrap_or_default().into(),
                calls: calls.collect(),
                reason: choice["finish_reason"].as_str().map(Into::into),
                failed: false,
            }
        }
        (MESSAGES, _) => {
            let body = reply.expect(200);
            of_blocks(body["content"].as_array().unwrap(), body["stop_reason"].as_str().unwrap())
        }
        (RESPONSES, _) => of_response(&reply.expect(200)),
        (other, kind) => panic!("nobody reads {kind} of {other}"),
    }
}

fn parsed(arguments: &str) -> Value {
    serde_json::from_str(arguments).unwrap_or_else(|error| panic!("no arguments ({error}): {arguments:?}"))
}

fn named(call: &Value, arguments: &Value) -> (String, Value) {
    let arguments = arguments.as_str().map_or_else(|| panic!("arguments that are no text: {call}"), parsed);
    (call["name"].as_str().unwrap().into(), arguments)
}

fn of_blocks(blocks: &[Value], reason: &str) -> Told {
    for block in blocks {
        assert!(block["type"] != "text" || block["text"] != "", "an empty block: {blocks:?}");
    }
    let calls = blocks.iter().filter(|block| block["type"] == "tool_use");
    let reason = match reason {
        "end_turn" | "stop_sequence" => Some("stop"),
        "tool_use" => Some("tool_calls"),
        "max_tokens" => Some("length"),
        "refusal" => Some("content_filter"),
        _ => None,
    };
    Told {
        text: blocks.iter().filter_map(|block| block["text"].as_str()).collect(),
        calls: calls.map(|call| (call["name"].as_str().unwrap().into(), call["input"].clone())).collect(),
        reason: reason.map(Into::into),
        failed: false,
    }
}

fn of_response(response: &Value) -> Told {
    let items = response["output"].as_array().unwrap();
    let ended = matches!(response["status"].as_str(), Some("completed" | "incomplete"));
    let calls = items.iter().filter(|item| item["type"] == "function_call" && ended);
    let calls: Vec<_> = calls.map(|call| named(call, &call["arguments"])).collect();
    let reason = match (response["status"].as_str(), response["incomplete_details"]["reason"].as_str()) {
        (Some("completed"), _) if calls.is_empty() => Some("stop"),
        (Some("completed"), _) => Some("tool_calls"),
        (Some("incomplete"), Some("max_output_tokens")) => Some("length"),
        (Some("incomplete"), reason) => reason,
        _ => None,
    };
    let parts = items.iter().filter(|item| item["type"] == "message");
    let parts = parts.flat_map(|item| item["content"].as_array().unwrap());
    Told {
        text: parts.filter_map(|part| part["text"].as_str()).collect(),
        calls,
        reason: reason.map(Into::into),
        failed: response["status"] == "failed",
    }
}
