//! Tests of `POST /openai/v1/responses` in front of a vendor that knows only chat completions, well or badly.

use serde_json::{Value, json};

use crate::client::Request;
use crate::grammar;
use crate::harness::Server;
use crate::shape;
use crate::upstream::openai::{
    call, call_begins, call_goes_on, calling, calls, chunk, completion, opening, sse, usage_chunk, word, words,
};
use crate::upstream::{Answer, Upstream};

const PATH: &str = "/openai/v1/responses";
/// The provider's settings.
const CHAT_ONLY: &str = "    settings: {responses: false}";

fn body(stream: bool) -> Value {
    let function = json!({"type": "function", "name": "f", "strict": true, "parameters": {"type": "object"}});
    json!({"model": "openai/gpt-4o-mini", "input": "Hello!", "stream": stream, "store": false,
        "tools": [function, {"type": "custom", "name": "patch", "description": "Edits."}]})
}

fn request(stream: bool) -> Request {
    Request::new("POST", PATH).json(&body(stream))
}

async fn said(server: &Server) -> grammar::Answered {
    grammar::responses(&server.client.send(&request(true)).await.events())
}

#[tokio::test]
async fn a_request_is_written_in_the_vendors_words() {
    let upstream = Upstream::always(Answer::json(&completion("ok"))).await;
    let server = Server::vendor(&upstream, CHAT_ONLY).await;
    let mut body = body(false);
    let more = json!({
        "instructions": "Be brief.", "max_output_tokens": 50, "temperature": 0.5, "reasoning": {"effort": "low", "summary": "auto"},
        "parallel_tool_calls": false, "tool_choice": {"type": "custom", "name": "patch"}, "safety_identifier": "u-1",
        "include": ["reasoning.encrypted_content"], "prompt_cache_key": "k", "metadata": {"a": "b"}, "truncation": "disabled",
        "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": true}},
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "Look:"},
                {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}]},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{\"a\":1}"},
            {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "*** \"x\""},
            {"type": "function_call_output", "call_id": "c1", "output": "one"},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": "two"},
            {"role": "user", "content": "Go on."},
        ],
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = server.client.post(PATH, &body).await.expect(200);
    assert_eq!(answer["output"][0]["content"][0]["text"], "ok");
    assert_eq!(answer["usage"]["input_tokens"], 9);

    let seen = upstream.requests().pop().unwrap().json();
    let messages = seen["messages"].as_array().unwrap();
    let roles: Vec<_> = messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "tool", "user"]);
    assert_eq!(messages[1]["content"][1]["image_url"]["url"], "data:image/png;base64,iVBORw0KGgo=");
    let calls = &messages[2]["tool_calls"];
    assert_eq!(calls[0]["function"]["arguments"], "{\"a\":1}");
    assert_eq!(calls[1]["function"]["arguments"], r#"{"input":"*** \"x\""}"#);
    assert_eq!((&messages[3]["tool_call_id"], &messages[4]["content"]), (&json!("c1"), &json!("two")));
    assert_eq!(seen["tools"][1]["function"]["parameters"]["required"], json!(["input"]));
    assert_eq!(seen["tool_choice"]["function"]["name"], "patch");
    assert_eq!(seen["response_format"]["json_schema"]["strict"], true);
    assert_eq!((&seen["reasoning_effort"], &seen["user"]), (&json!("low"), &json!("u-1")));
    for foreign in ["store", "include", "prompt_cache_key", "metadata", "truncation", "text", "input", "instructions"] {
        assert!(seen.get(foreign).is_none(), "{foreign} in {seen}");
    }
}

#[tokio::test]
async fn what_the_vendor_has_no_words_for_is_refused_by_name() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, CHAT_ONLY).await;
    let bad = [
        ("top_logprobs", json!(3)),
        ("text", json!({"verbosity": "low"})),
        ("prompt", json!({"id": "pmpt_1"})),
        ("context_management", json!([{"type": "compaction"}])),
    ];
    for (name, value) in bad {
        let mut body = body(false);
        body[name] = value;
        let error = shape::openai(&server.client.post(PATH, &body).await, 400, "invalid_request_error");
        assert!(error["message"].as_str().unwrap().contains(name), "{error}");
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn calls_are_items_whole_and_streamed() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, CHAT_ONLY).await;
    let patch = r#"{"input":"*** Begin"}"#;
    upstream.then(Answer::json(&calling(&[
        call("c1", "f", "{\"a\":1}"),
        call("c2", "patch", patch),
        call("c3", "f", ""),
    ])));
    // The second call begins before the first one is whole, and goes on in between.
    upstream.then(Answer::stream(&calls(vec![
        call_begins(0, "c1", "f"),
        call_begins(1, "c2", "patch"),
        call_begins(2, "c3", "f"),
        call_goes_on(1, &patch[..9]),
        call_goes_on(0, "{\"a\""),
        call_goes_on(1, &patch[9..]),
        call_goes_on(0, ":1}"),
    ])));
    let whole = server.client.send(&request(false)).await.expect(200);
    let streamed = said(&server).await;
    for items in [whole["output"].as_array().unwrap(), &streamed.items] {
        let told: Vec<_> = items
            .iter()
            .map(|item| {
                (item["call_id"].as_str().unwrap(), item["arguments"].as_str().or(item["input"].as_str()).unwrap())
            })
            .collect();
        assert_eq!(told, [("c1", "{\"a\":1}"), ("c2", "*** Begin"), ("c3", "{}")], "{items:?}");
        assert_eq!(items[1]["type"], "custom_tool_call");
    }
}

#[tokio::test]
async fn thoughts_come_before_the_words_they_led_to() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, CHAT_ONLY).await;
    let thought = |text: &str| chunk(json!({"reasoning_content": text}), None);
    let events = [
        opening(),
        thought("deep "),
        thought("thought"),
        word("done"),
        chunk(json!({}), Some("stop")),
        usage_chunk(1, 2),
    ];
    upstream.then(Answer::stream(&events));
    let said = said(&server).await;
    assert_eq!((said.thoughts.as_str(), said.text.as_str()), ("deep thought", "done"));
    let kinds: Vec<_> = said.items.iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!((kinds, said.response["usage"]["total_tokens"].as_u64()), (vec!["reasoning", "message"], Some(3)));
}

#[tokio::test]
async fn a_stream_cut_at_any_event_fails() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, CHAT_ONLY).await;
    let events = || {
        let mut events = calls(vec![call_begins(0, "c1", "f"), call_goes_on(0, "{\"a\""), call_goes_on(0, ":1}")]);
        events.insert(1, word("one "));
        events
    };
    for stream in [Answer::stream(&words(&["one ", "two ", "three"])), Answer::stream(&events())] {
        // Before each event, and within; the finish reason is event 4 or 5.
        for number in 0..=4 {
            for within in [0, 20] {
                let at = stream.event(number) + within;
                upstream.then(stream.clone().cut(at));
                let reply = server.client.send(&request(true)).await;
                if reply.status() != 200 {
                    assert_eq!(reply.status(), 502, "cut at {at}: {}", reply.text());
                    assert!(number <= 1, "what was said before byte {at} is lost");
                    continue;
                }
                let said = grammar::responses(&reply.events());
                assert_eq!(
                    (said.status(), said.response["error"]["code"].as_str()),
                    ("failed", Some("server_error")),
                    "cut at {at}"
                );
                assert!("one two three".starts_with(&said.text), "cut at {at}: {said:?}");
                assert!(said.of("function_call").is_empty(), "cut at {at}: a call that isn't whole must not be run");
            }
        }
    }
}

#[tokio::test]
async fn an_error_within_the_stream_reaches_the_caller() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, CHAT_ONLY).await;
    let error =
        json!({"error": {"message": "the vendor fell over", "type": "server_error", "param": null, "code": null}});
    upstream.then(Answer::text(sse(&[opening(), word("one"), error.clone()])));
    let failed = said(&server).await;
    assert!(failed.response["error"]["message"].as_str().unwrap().contains("the vendor fell over"));
    upstream.then(Answer::text(sse(&[error])));
    let reply = server.client.send(&request(true)).await;
    assert_eq!(reply.status(), 502, "{}", reply.text());
}

#[tokio::test]
async fn a_vendors_refusal_keeps_its_kind_and_words() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, CHAT_ONLY).await;
    for (status, kind) in [(400, "invalid_request_error"), (429, "rate_limit_error"), (401, "authentication_error")] {
        for stream in [false, true] {
            upstream.then(Answer::error(status, kind, "not today"));
            let error = shape::openai(&server.client.send(&request(stream)).await, status, kind);
            assert!(error["message"].as_str().unwrap().contains("not today"), "{error}");
        }
    }
}
