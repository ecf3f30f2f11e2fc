//! Anthropic's surface in front of a vendor that speaks OpenAI's wire format, well or badly.

use serde_json::{Value, json};

use super::{PATH, asks, streamed, tool};
use crate::client::Request;
use crate::harness::Server;
use crate::upstream::openai::{
    call, call_begins, call_goes_on, calling, calls, chunk, completion, opening, sse, word, words,
};
use crate::upstream::{Answer, Upstream};
use crate::{grammar, shape, snapshot};

fn vendor(text: &str) -> Value {
    let mut body = asks(text);
    body["model"] = json!("openai/gpt-4o-mini");
    body
}

/// What a coding agent sends in its second turn.
fn agent() -> Value {
    let mut body = vendor("Read the file.");
    let more = json!({
        "system": [
            {"type": "text", "text": "You are an agent."},
            {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}},
        ],
        "metadata": {"user_id": "user_1"}, "thinking": {"type": "adaptive", "display": "omitted"}, "temperature": 1,
        "context_management": {"edits": []}, "service_tier": "auto", "some_field_of_tomorrow": true,
        "tools": [{
            "name": "Read", "description": "Reads.", "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}},
            "cache_control": {"type": "ephemeral"}, "eager_input_streaming": true,
        }],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body["messages"].as_array_mut().unwrap().extend([
        json!({"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": ""},
            {"type": "text", "text": "I will."},
            {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"path": "a.txt"}, "caller": {"type": "direct"}},
            {"type": "tool_use", "id": "toolu_2", "name": "Read", "input": {}},
        ]}),
        json!({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "hello"}],
                "cache_control": {"type": "ephemeral"}},
            {"type": "tool_result", "tool_use_id": "toolu_2", "content": "no path", "is_error": true},
            {"type": "text", "text": "And now?"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
        ]}),
        json!({"role": "system", "content": "From now on in French."}),
    ]);
    body
}

#[tokio::test]
async fn an_agents_request_arrives_in_the_vendors_words() {
    let upstream = Upstream::always(Answer::json(&completion("Bien."))).await;
    let server = Server::vendor(&upstream, "").await;
    let request = Request::new("POST", &format!("{PATH}?beta=true")).json(&agent()).header("anthropic-beta", "a-1,b-2");
    let answer = server.client.send(&request).await.expect(200);
    assert_eq!((&answer["content"][0]["text"], &answer["stop_reason"]), (&json!("Bien."), &json!("end_turn")));
    assert_eq!((&answer["usage"]["input_tokens"], &answer["usage"]["output_tokens"]), (&json!(9), &json!(12)));
    snapshot!(upstream.request(0).await.json());
}

#[tokio::test]
async fn what_another_vendor_cannot_take_is_named() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    for (name, value) in [
        ("mcp_servers", json!([{"type": "url", "url": "https://example.com", "name": "x"}])),
        (
            "messages",
            json!([{"role": "user", "content": [{"type": "search_result", "source": "s", "title": "t", "content": []}]}]),
        ),
    ] {
        let mut body = vendor("Hello!");
        body[name] = value;
        shape::anthropic(&server.client.post(PATH, &body).await, 400, "invalid_request_error");
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn a_stream_is_translated() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    let thought = chunk(json!({"reasoning_content": "hm"}), None);
    let mut events = words(&["one ", "two"]);
    events.insert(1, thought);
    upstream.then(Answer::stream(&events));
    let said = grammar::anthropic(&server.client.send(&streamed(vendor("Hello!"))).await.events());
    let content = json!([
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "text", "text": "one two"},
    ]);
    assert_eq!((json!(said.content), said.stop.as_deref()), (content, Some("end_turn")));
    assert_eq!((&said.usage["input_tokens"], &said.usage["output_tokens"]), (&json!(9), &json!(12)));
    assert_eq!(upstream.request(0).await.json()["stream_options"]["include_usage"], true);
}

#[tokio::test]
async fn what_was_cached_is_told_apart() {
    let mut whole = completion("ok");
    whole["usage"]["prompt_tokens_details"]["cached_tokens"] = json!(4);
    whole["usage"]["completion_tokens_details"]["reasoning_tokens"] = json!(5);
    let upstream = Upstream::always(Answer::json(&whole)).await;
    let server = Server::vendor(&upstream, "").await;
    let usage = server.client.post(PATH, &vendor("Hello!")).await.expect(200)["usage"].clone();
    assert_eq!((&usage["input_tokens"], &usage["cache_read_input_tokens"]), (&json!(5), &json!(4)));
    assert_eq!(usage["output_tokens_details"]["thinking_tokens"], 5);
}

/// Two calls whose pieces interleave, ended for a reason that doesn't fit.
fn parallel() -> Vec<Value> {
    let mut events = calls(vec![
        call_begins(0, "functions.weather:0", "weather"),
        call_begins(1, "call_b", "time"),
        call_goes_on(1, "{\"zone\":"),
        call_goes_on(0, "{\"city\":"),
        call_goes_on(1, "\"UTC\"}"),
        call_goes_on(0, "\"Paris\"}"),
    ]);
    for event in &mut events {
        if event["choices"][0]["finish_reason"] == "tool_calls" {
            event["choices"][0]["finish_reason"] = json!("stop");
        }
    }
    events
}

#[tokio::test]
async fn calls_keep_their_ids_over_several_turns() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    let mut body = vendor("Weather and time?");
    body["tools"] = json!([tool("weather"), tool("time")]);
    upstream.then(Answer::stream(&parallel()));
    let said = grammar::anthropic(&server.client.send(&streamed(body.clone())).await.events());
    let whole =
        [call("functions.weather:0", "weather", "{\"city\":\"Paris\"}"), call("call_b", "time", "{\"zone\":\"UTC\"}")];
    upstream.then(Answer::json(&calling(&whole)));
    let answer = server.client.post(PATH, &body).await.expect(200);
    assert_eq!((json!(said.content), said.stop.as_deref()), (answer["content"].clone(), Some("tool_use")));
    assert_eq!(said.content[0]["input"], json!({"city": "Paris"}));
    assert_eq!(said.content[1], json!({"type": "tool_use", "id": "call_b", "name": "time", "input": {"zone": "UTC"}}));

    let results =
        said.content.iter().map(|block| json!({"type": "tool_result", "tool_use_id": block["id"], "content": "18"}));
    let results: Vec<Value> = results.collect();
    body["messages"]
        .as_array_mut()
        .unwrap()
        .extend([json!({"role": "assistant", "content": said.content}), json!({"role": "user", "content": results})]);
    upstream.then(Answer::json(&completion("done")));
    assert_eq!(server.client.post(PATH, &body).await.expect(200)["content"][0]["text"], "done");
    let seen = upstream.request(2).await.json()["messages"].clone();
    assert_eq!(seen[1]["tool_calls"], json!(whole));
    assert_eq!((&seen[2]["tool_call_id"], &seen[3]["tool_call_id"]), (&json!("functions.weather:0"), &json!("call_b")));
}

#[tokio::test]
async fn a_call_that_was_cut_is_not_sold_as_whole() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    let mut body = vendor("Write a file.");
    body["tools"] = json!([tool("write")]);
    let cut = |finish: &str| {
        let begun = chunk(json!({"role": "assistant", "content": null}), None);
        Answer::stream(&[
            begun,
            call_begins(0, "c", "write"),
            call_goes_on(0, "{\"text\":\"so"),
            chunk(json!({}), Some(finish)),
        ])
    };
    upstream.then(cut("length"));
    let said = grammar::anthropic(&server.client.send(&streamed(body)).await.events());
    assert_eq!((said.stop.as_deref(), &said.content[0]["input"]), (Some("max_tokens"), &json!("{\"text\":\"so")));
}

#[tokio::test]
async fn a_stream_cut_at_any_event_ends_with_an_error() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    for (answer, last) in [(Answer::stream(&words(&["one ", "two ", "three"])), 4), (Answer::stream(&parallel()), 7)] {
        for number in 0..=last {
            for within in [0, 20] {
                let at = answer.event(number) + within;
                upstream.then(answer.clone().cut(at));
                let reply = server.client.send(&streamed(vendor("Hello!"))).await;
                if reply.status() == 200 {
                    let said = grammar::anthropic(&reply.events());
                    assert_eq!(said.error.as_ref().unwrap()["type"], "api_error", "cut at {at}: {said:?}");
                    assert!(said.stop.is_none() && "one two three".starts_with(&said.text()), "cut at {at}: {said:?}");
                } else {
                    shape::anthropic(&reply, 502, "api_error");
                    assert!(number <= 1, "what was said before byte {at} is lost");
                }
            }
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
    let said = grammar::anthropic(&server.client.send(&streamed(vendor("Hello!"))).await.events());
    assert!(said.error.unwrap()["message"].as_str().unwrap().contains("the vendor fell over"));
    // Before the first word there is still a status to tell it with.
    upstream.then(Answer::text(sse(&[error])));
    shape::anthropic(&server.client.send(&streamed(vendor("Hello!"))).await, 502, "api_error");
}

#[tokio::test]
async fn the_vendors_refusal_keeps_its_kind() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    for (status, kind, expected, name) in [
        (400, "invalid_request_error", 400, "invalid_request_error"),
        (401, "invalid_api_key", 401, "authentication_error"),
        (404, "model_not_found", 404, "not_found_error"),
        (429, "rate_limit_exceeded", 429, "rate_limit_error"),
        (503, "overloaded", 529, "overloaded_error"),
        (500, "server_error", 502, "api_error"),
    ] {
        for stream in [false, true] {
            upstream.then(Answer::error(status, kind, "not today"));
            let mut body = vendor("Hello!");
            body["stream"] = json!(stream);
            let error = shape::anthropic(&server.client.post(PATH, &body).await, expected, name);
            assert!(error["message"].as_str().unwrap().contains("not today"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_refusal_in_words_is_a_refusal() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    let mut whole = completion("");
    whole["choices"][0]["message"] = json!({"role": "assistant", "content": null, "refusal": "I won't."});
    upstream.then(Answer::json(&whole));
    let answer = server.client.post(PATH, &vendor("Hello!")).await.expect(200);
    let content = json!([{"type": "text", "text": "I won't."}]);
    assert_eq!((&answer["content"], &answer["stop_reason"]), (&content, &json!("refusal")));
    upstream.then(Answer::stream(&[
        opening(),
        chunk(json!({"refusal": "I won't."}), None),
        chunk(json!({}), Some("stop")),
    ]));
    let said = grammar::anthropic(&server.client.send(&streamed(vendor("Hello!"))).await.events());
    assert_eq!((json!(said.content), said.stop.as_deref()), (content, Some("refusal")));
}
