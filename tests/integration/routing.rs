//! More than one provider for one name: who is asked, when somebody else is, and what the caller sees of it.

mod breaker;
mod cache;
mod faults;
mod metering;
mod routes;

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::client::{Reply, Request};
use crate::grammar;
use crate::harness::{KEY, Server};
use crate::upstream::Upstream;
use crate::upstream::openai::completion;

/// A server with a provider for each of these upstreams, by name; `more` are further lines.
async fn server(upstreams: &[(&str, &Upstream)], more: &str) -> Server {
    Server::configured(|home| {
        let key = home.join("key");
        std::fs::write(&key, KEY).unwrap();
        let mut yaml = "providers:\n".to_owned();
        for (name, upstream) in upstreams {
            let (url, key) = (upstream.base_url(), key.display());
            writeln!(yaml, "  {name}: {{plugin: openai, base_url: {url}, api_key: \"file:{key}\"}}").unwrap();
        }
        yaml + more + "\n"
    })
    .await
}

/// Two of them behind the name `fast`, the first one first, and hardly a pause.
async fn pair(first: &Upstream, second: &Upstream, more: &str) -> Server {
    let routes = "models: {fast: [one/small, two/large]}\n";
    server(&[("one", first), ("two", second)], &format!("{routes}{more}")).await
}

/// Pauses that keep no test waiting.
const QUICK: &str = "routing: {backoff: 1ms, max_backoff: 2ms}";

fn asks(model: &str, stream: bool) -> Request {
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": "Hello!"}]});
    if stream {
        body["stream"] = json!(true);
        body["stream_options"] = json!({"include_usage": true});
    }
    Request::new("POST", "/v1/chat/completions").json(&body)
}

/// An answer that says so, from a model of that name.
fn says(text: &str, model: &str) -> Value {
    let mut answer = completion(text);
    answer["model"] = json!(model);
    answer
}

/// What the answer says, whole or streamed, and nothing but success.
#[track_caller]
fn text(reply: &Reply) -> String {
    if reply.head.kind() == "text/event-stream" {
        let said = grammar::openai(&reply.events(), true);
        assert_eq!(said.error, None);
        return said.text;
    }
    let body = reply.expect(200);
    body["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
}

/// Who served it: provider, model, attempts.
#[track_caller]
fn served(reply: &Reply) -> [&str; 3] {
    ["x-mortise-provider", "x-mortise-model", "x-mortise-attempts"]
        .map(|name| reply.head.header(name).unwrap_or_else(|| panic!("no {name}: {:?}", reply.head)))
}
