//! What the caller reads: what the vendor said, whole.

use serde_json::{Value, json};

use super::{PATH, asks, native, request};
use crate::client::Request;
use crate::harness::Server;
use crate::upstream::openai::{
    self, call, call_begins, call_goes_on, calling, calls, chunk, completion, opening, usage_chunk, word, words,
};
use crate::upstream::{Answer, Upstream};
use crate::{grammar, snapshot};

async fn answered(answer: Answer, request: &Request) -> crate::client::Reply {
    let upstream = Upstream::always(answer).await;
    let server = Server::vendor(&upstream, "").await;
    server.client.send(request).await
}

async fn said(events: &[Value]) -> grammar::Said {
    grammar::openai(&answered(Answer::stream(events), &request(true)).await.events(), true)
}

#[tokio::test]
async fn a_whole_answer_keeps_every_field() {
    snapshot!(answered(Answer::json(&completion("Hi, naïve 🦀!")), &request(false)).await, 200);
}

#[tokio::test]
async fn tool_calls_of_a_whole_answer() {
    let two = [call("call_a", "get_weather", r#"{"city": "Paris"}"#), call("call_b", "now", "")];
    let body = answered(Answer::json(&calling(&two)), &request(false)).await.expect(200);
    let choice = &body["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(choice["message"]["tool_calls"][0], two[0]);
    assert_eq!(choice["message"]["tool_calls"][1]["function"]["arguments"], "{}", "no arguments are an empty object");
}

#[tokio::test]
async fn a_stream_is_what_the_vendor_streamed() {
    let said = said(&words(&["Hel", "lo ", "naïve ", "🦀"])).await;
    assert_eq!((said.text.as_str(), said.finish.as_deref()), ("Hello naïve 🦀", Some("stop")));
    let usage = said.usage.unwrap();
    assert_eq!((&usage["prompt_tokens"], &usage["completion_tokens"]), (&json!(9), &json!(12)));
}

#[tokio::test]
async fn tool_calls_of_a_stream() {
    let pieces = vec![
        call_begins(0, "call_a", "get_weather"),
        call_goes_on(0, "{\"city\":"),
        call_goes_on(0, "\"Par"),
        call_goes_on(0, "is\"}"),
        call_begins(1, "call_b", "now"),
    ];
    let said = said(&calls(pieces)).await;
    let arguments: Vec<&str> = said.calls.iter().map(|call| call.arguments.as_str()).collect();
    assert_eq!(arguments, ["{\"city\":\"Paris\"}", "{}"]);
    assert_eq!((said.calls[0].id.as_str(), said.calls[1].name.as_str()), ("call_a", "now"));
}

#[tokio::test]
async fn deltas_of_parallel_calls_may_interleave() {
    let pieces = vec![
        call_begins(0, "call_a", "f"),
        call_begins(1, "call_b", "g"),
        call_goes_on(1, "{\"b\":"),
        call_goes_on(0, "{\"a\":1}"),
        call_goes_on(1, "2}"),
    ];
    let said = said(&calls(pieces)).await;
    let arguments: Vec<&str> = said.calls.iter().map(|call| call.arguments.as_str()).collect();
    assert_eq!(arguments, ["{\"a\":1}", "{\"b\":2}"]);
}

#[tokio::test]
async fn one_chunk_may_hold_everything() {
    let piece =
        json!({"index": 0, "id": "call_a", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}});
    let all = json!({"role": "assistant", "content": "Let me see.", "tool_calls": [piece]});
    let said = said(&[chunk(all, Some("tool_calls")), usage_chunk(1, 2)]).await;
    assert_eq!((said.text.as_str(), said.calls[0].arguments.as_str()), ("Let me see.", "{\"a\":1}"));
}

#[tokio::test]
async fn a_call_that_the_vendor_ends_with_stop_is_still_a_call() {
    let said =
        said(&[opening(), call_begins(0, "call_a", "f"), chunk(json!({}), Some("stop")), usage_chunk(1, 2)]).await;
    assert_eq!(said.finish.as_deref(), Some("tool_calls"));
    let mut whole = calling(&[call("call_a", "f", "{}")]);
    whole["choices"][0]["finish_reason"] = json!("stop");
    let body = answered(Answer::json(&whole), &request(false)).await.expect(200);
    assert_eq!(body["choices"][0]["finish_reason"], "tool_calls");
}

#[tokio::test]
async fn usage_may_come_with_the_finish_reason_or_not_at_all() {
    let mut finish = chunk(json!({}), Some("stop"));
    finish["usage"] = openai::usage(3, 4);
    assert_eq!(said(&[opening(), word("Hi"), finish]).await.usage.unwrap()["total_tokens"], 7);
    let events = [opening(), word("Hi"), chunk(json!({}), Some("stop"))];
    let reply = answered(Answer::stream(&events), &request(true)).await;
    // What nobody counted is not made up.
    assert_eq!(grammar::openai(&reply.events(), false).text, "Hi");
}

#[tokio::test]
async fn what_was_cached_and_thought_is_counted() {
    let mut usage = openai::usage(100, 50);
    usage["prompt_tokens_details"]["cached_tokens"] = json!(64);
    usage["completion_tokens_details"]["reasoning_tokens"] = json!(30);
    let mut body = completion("Hi!");
    body["usage"] = usage;
    let answer = answered(Answer::json(&body), &request(false)).await.expect(200);
    assert_eq!(answer["usage"]["prompt_tokens"], 100);
    assert_eq!(answer["usage"]["prompt_tokens_details"]["cached_tokens"], 64);
    assert_eq!(answer["usage"]["completion_tokens_details"]["reasoning_tokens"], 30);
}

#[tokio::test]
async fn reasons_of_the_end_are_kept() {
    for reason in ["stop", "length", "content_filter"] {
        let events = [opening(), word("Hi"), chunk(json!({}), Some(reason)), usage_chunk(1, 2)];
        assert_eq!(said(&events).await.finish.as_deref(), Some(reason));
    }
}

#[tokio::test]
async fn reasoning_and_refusals_are_kept() {
    let events = [
        chunk(json!({"role": "assistant", "content": null, "reasoning_content": "Hm. "}), None),
        chunk(json!({"reasoning_content": "Yes."}), None),
        word("Hi"),
        chunk(json!({}), Some("stop")),
        usage_chunk(1, 2),
    ];
    let said = said(&events).await;
    assert_eq!((said.reasoning.as_str(), said.text.as_str()), ("Hm. Yes.", "Hi"));
    let mut body = completion("");
    body["choices"][0]["message"] = json!({"role": "assistant", "content": null, "refusal": "I won't."});
    let answer = answered(Answer::json(&body), &request(false)).await.expect(200);
    assert_eq!(answer["choices"][0]["message"]["refusal"], "I won't.");
}

#[tokio::test]
async fn the_native_stream_tells_the_same() {
    let reply = answered(Answer::stream(&words(&["Hel", "lo"])), &native(true)).await;
    assert_eq!(grammar::chat(&reply.events()).text, "Hello");
    let pieces = vec![call_begins(0, "call_a", "f"), call_goes_on(0, "{\"a\":1}")];
    let reply = answered(Answer::stream(&calls(pieces)), &native(true)).await;
    assert_eq!(grammar::chat(&reply.events()).calls, [("f".to_owned(), json!({"a": 1}))]);
}

#[tokio::test]
async fn the_vendors_models_are_listed() {
    let upstream = Upstream::start().await;
    upstream.route("/v1/models", Answer::json(&openai::models(&["gpt-4o-mini", "gpt-new"])));
    let server = Server::vendor(&upstream, "").await;
    let list = server.client.get("/openai/v1/models").await.expect(200);
    let ids: Vec<&str> = list["data"].as_array().unwrap().iter().filter_map(|model| model["id"].as_str()).collect();
    assert!(ids.contains(&"openai/gpt-new"), "{ids:?}");
}

#[tokio::test]
async fn what_comes_is_passed_on_at_once() {
    let gate = crate::upstream::Gate::new();
    let answer = Answer::stream(&words(&["one", "two"]));
    let at = answer.event(2);
    let upstream = Upstream::always(answer.pause(at, &gate)).await;
    let server = Server::vendor(&upstream, "").await;
    let mut body = asks(true);
    body["user"] = json!("u-1");
    let mut stream = server.client.stream(&Request::new("POST", PATH).json(&body)).await;
    let mut events = vec![stream.next().await.unwrap()];
    while !events.iter().any(|event| event.data.contains("one")) {
        events.push(stream.next().await.unwrap());
    }
    gate.open();
    events.extend(stream.rest().await);
    assert_eq!(grammar::openai(&events, true).text, "onetwo");
}
