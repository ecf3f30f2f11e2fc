//! Vendors' habits that broke other gateways, as every surface tells them.

use serde_json::{Value, json};

use super::{CHAT, MESSAGES, Told, server, server_with, surfaces, told};
use crate::upstream::openai::{call_begins, call_goes_on, calling, chunk, opening, usage_chunk, word};
use crate::upstream::{Answer, Upstream, anthropic, openai};

/// Asks on every surface, and checks that each tells the same.
async fn all_tell(plugin: &str, answer: Answer, stream: bool, expected: &Told) {
    let upstreams = [Upstream::always(answer).await];
    let server = server(plugin, &upstreams, "").await;
    for request in surfaces("p0", stream) {
        let reply = server.client.send(&request).await;
        assert_eq!(reply.status(), 200, "{}: {}", request.path, reply.text());
        assert_eq!(&told(&request, &reply), expected, "{plugin}, {}: {}", request.path, reply.text());
    }
}

fn calls(text: &str, calls: &[(&str, Value)]) -> Told {
    let calls = calls.iter().map(|(name, arguments)| ((*name).to_owned(), arguments.clone())).collect();
    Told { text: text.into(), calls, reason: Some("tool_calls".into()), failed: false }
}

#[tokio::test]
async fn an_end_that_is_told_twice_is_one_end() {
    let end = |reason: &str| chunk(json!({}), Some(reason));
    let events = [opening(), call_begins(0, "a", "f"), call_goes_on(0, "{\"x\":1}"), end("tool_calls"), end("stop")];
    let mut events = events.to_vec();
    events.extend([end("tool_calls"), usage_chunk(1, 2)]);
    let expected = calls("", &[("f", json!({"x": 1}))]);
    all_tell("openai", Answer::stream(&events), true, &expected).await;

    let mut events = anthropic::answer(&[anthropic::call(0, "toolu_1", "f", &["{\"x\":1}"])], "tool_use");
    events.pop();
    events.extend(anthropic::closing("end_turn"));
    events.extend(anthropic::closing("tool_use"));
    all_tell("anthropic", anthropic::stream(&events), true, &expected).await;
}

#[tokio::test]
async fn a_call_is_told_as_one_whatever_the_vendor_calls_the_end() {
    let expected = calls("", &[("f", json!({"x": 1}))]);
    let events = [opening(), call_begins(0, "a", "f"), call_goes_on(0, "{\"x\":1}"), chunk(json!({}), Some("stop"))];
    all_tell("openai", Answer::stream(&events), true, &expected).await;
    let mut whole = calling(&[openai::call("a", "f", "{\"x\":1}")]);
    whole["choices"][0]["finish_reason"] = json!("stop");
    all_tell("openai", Answer::json(&whole), false, &expected).await;
    let call = anthropic::call(0, "toolu_1", "f", &["{\"x\":1}"]);
    all_tell("anthropic", anthropic::stream(&anthropic::answer(&[call], "end_turn")), true, &expected).await;
    let whole = anthropic::message(json!([anthropic::tool_use("toolu_1", "f", json!({"x": 1}))]), "end_turn");
    all_tell("anthropic", Answer::json(&whole), false, &expected).await;
}

#[tokio::test]
async fn calls_whose_pieces_interleave_are_told_whole() {
    let events = [
        opening(),
        word("so"),
        call_begins(0, "a", "f"),
        call_begins(1, "b", "g"),
        call_goes_on(1, "{\"y\":"),
        call_goes_on(0, "{\"x\":"),
        call_goes_on(1, "2}"),
        call_goes_on(0, "1}"),
        chunk(json!({}), Some("tool_calls")),
    ];
    let expected = calls("so", &[("f", json!({"x": 1})), ("g", json!({"y": 2}))]);
    all_tell("openai", Answer::stream(&events), true, &expected).await;
}

/// Whoever reads the answers here refuses two calls of one id.
#[tokio::test]
async fn calls_of_the_same_id_are_told_apart() {
    let expected = calls("", &[("f", json!({"x": 1})), ("f", json!({"x": 2})), ("g", json!({}))]);
    let events = [
        opening(),
        call_begins(0, "call_0", "f"),
        call_goes_on(0, "{\"x\":1}"),
        call_begins(1, "call_0", "f"),
        call_goes_on(1, "{\"x\":2}"),
        call_begins(2, "call_0", "g"),
        chunk(json!({}), Some("tool_calls")),
    ];
    all_tell("openai", Answer::stream(&events), true, &expected).await;
    let whole = calling(&[
        openai::call("call_0", "f", "{\"x\":1}"),
        openai::call("call_0", "f", "{\"x\":2}"),
        openai::call("call_0", "g", "{}"),
    ]);
    all_tell("openai", Answer::json(&whole), false, &expected).await;
}

#[tokio::test]
async fn nothing_empty_stands_before_a_call() {
    let expected = calls("", &[("f", json!({}))]);
    let empty = |delta: Value| chunk(delta, None);
    let events = [
        opening(),
        empty(json!({"content": ""})),
        empty(json!({"content": null, "reasoning_content": ""})),
        call_begins(0, "a", "f"),
        empty(json!({"content": ""})),
        chunk(json!({"content": ""}), Some("tool_calls")),
    ];
    let mut whole = calling(&[openai::call("a", "f", "")]);
    whole["choices"][0]["message"]["content"] = json!("");
    whole["choices"][0]["message"]["reasoning_content"] = json!("");
    let theirs = [anthropic::words(0, &[]), anthropic::call(1, "toolu_1", "f", &[])];
    let message = json!([anthropic::text(""), anthropic::tool_use("toolu_1", "f", json!({}))]);
    all_tell("openai", Answer::stream(&events), true, &expected).await;
    all_tell("openai", Answer::json(&whole), false, &expected).await;
    all_tell("anthropic", anthropic::stream(&anthropic::answer(&theirs, "tool_use")), true, &expected).await;
    all_tell("anthropic", Answer::json(&anthropic::message(message, "tool_use")), false, &expected).await;
    // The same in blocks: only the call.
    let upstreams = [Upstream::always(Answer::json(&whole)).await];
    let server = server("openai", &upstreams, "").await;
    for request in surfaces("p0", false) {
        let body = server.client.send(&request).await.expect(200);
        match request.path.as_str() {
            MESSAGES => assert_eq!(body["content"].as_array().unwrap().len(), 1, "{body}"),
            CHAT => assert_eq!(body["choices"][0]["message"]["content"], Value::Null, "{body}"),
            _ => assert_eq!(body["output"].as_array().unwrap().len(), 1, "{body}"),
        }
    }
}

#[tokio::test]
async fn the_chunk_that_opens_may_hold_all_the_rest() {
    let call = json!({"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}});
    let all = chunk(json!({"role": "assistant", "content": "so", "tool_calls": [call]}), Some("tool_calls"));
    all_tell("openai", Answer::stream(&[all]), true, &calls("so", &[("f", json!({"x": 1}))])).await;
    let begun = |index: u32, block: Value| anthropic::block(index, block, &[]);
    let whole = [begun(0, anthropic::text("so")), begun(1, anthropic::tool_use("toolu_1", "f", json!({"x": 1})))];
    let stream = anthropic::stream(&anthropic::answer(&whole, "tool_use"));
    all_tell("anthropic", stream, true, &calls("so", &[("f", json!({"x": 1}))])).await;
}

#[tokio::test]
async fn why_it_ended_is_told_in_every_dialect() {
    let ended = |reason: &str| Told { text: "Hi".into(), reason: Some(reason.into()), ..Told::default() };
    for (ours, theirs) in [("stop", "end_turn"), ("length", "max_tokens"), ("content_filter", "refusal")] {
        let events = [opening(), word("Hi"), chunk(json!({}), Some(ours)), usage_chunk(1, 2)];
        let stream = anthropic::stream(&anthropic::answer(&[anthropic::words(0, &["Hi"])], theirs));
        for (plugin, answer) in [("openai", Answer::stream(&events)), ("anthropic", stream)] {
            let upstreams = [Upstream::always(answer).await];
            let server = server(plugin, &upstreams, "").await;
            for request in surfaces("p0", true).into_iter().take(3) {
                let reply = server.client.send(&request).await;
                assert_eq!(told(&request, &reply), ended(ours), "{plugin}, {}: {}", request.path, reply.text());
            }
        }
    }
}

#[tokio::test]
async fn a_limit_is_no_higher_than_the_models_own() {
    let upstreams = [Upstream::always(Answer::json(&openai::completion("Hi"))).await];
    let ours = server_with("preset: groq", &upstreams, "").await;
    let theirs =
        [Upstream::always(Answer::json(&anthropic::message(json!([anthropic::text("Hi")]), "end_turn"))).await];
    let claude = server("anthropic", &theirs, "").await;
    let hello = json!([{"role": "user", "content": "Hello!"}]);
    let asks = |model: &str| json!({"model": format!("p0/{model}"), "max_tokens": 500_000, "messages": hello});
    let cases = [
        (&ours, &upstreams[0], MESSAGES, "openai/gpt-oss-20b", 65_536),
        (&claude, &theirs[0], CHAT, "claude-sonnet-4-6", 128_000),
        // Who speaks the vendor's own language is told by the vendor what is too much.
        (&claude, &theirs[0], MESSAGES, "claude-sonnet-4-6", 500_000),
        // Of a model that nobody knows nothing is too much.
        (&claude, &theirs[0], CHAT, "claude-unheard-of", 500_000),
    ];
    for (server, upstream, path, model, expected) in cases {
        let reply = server.client.post(path, &asks(model)).await;
        assert_eq!(reply.status(), 200, "{}", reply.text());
        let sent = upstream.requests().pop().unwrap().json();
        let limit = sent.get("max_completion_tokens").or(sent.get("max_tokens"));
        assert_eq!(limit, Some(&json!(expected)), "{model} by {path}: {sent}");
    }
}
