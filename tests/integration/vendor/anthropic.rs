//! Callers of OpenAI's dialect in front of a vendor that speaks Anthropic's.

use serde_json::{Value, json};

use super::PATH;
use crate::client::Request;
use crate::harness::{KEY, Server};
use crate::upstream::anthropic::{
    MODEL, answer, call, failure, message, opening, refusal, stream, text, thoughts, tool_use, words,
};
use crate::upstream::{Answer, Seen, Upstream};
use crate::{grammar, shape};

async fn server(upstream: &Upstream) -> Server {
    Server::configured(|home| {
        let key = home.join("key");
        std::fs::write(&key, KEY).unwrap();
        let (url, key) = (upstream.base_url(), key.display());
        format!("providers:\n  anthropic:\n    base_url: {url}\n    api_key: file:{key}\n    retries: 0\n")
    })
    .await
}

fn asks(stream: bool) -> Value {
    let mut body = json!({
        "model": "anthropic/claude-sonnet-4-5", "messages": [{"role": "user", "content": "Hello!"}],
    });
    if stream {
        body["stream"] = json!(true);
        body["stream_options"] = json!({"include_usage": true});
    }
    body
}

fn request(stream: bool) -> Request {
    Request::new("POST", PATH).json(&asks(stream))
}

async fn said(answer: Answer) -> grammar::Said {
    let upstream = Upstream::always(answer).await;
    let reply = server(&upstream).await.client.send(&request(true)).await;
    grammar::openai(&reply.events(), true)
}

/// What the vendor sees of a caller's body.
async fn sent(body: &Value) -> Seen {
    let upstream = Upstream::always(Answer::json(&message(json!([text("Hi!")]), "end_turn"))).await;
    let reply = server(&upstream).await.client.post(PATH, body).await;
    assert_eq!(reply.status(), 200, "{}", reply.text());
    upstream.request(0).await
}

#[tokio::test]
async fn a_plain_question_and_its_answer() {
    let upstream = Upstream::always(Answer::json(&message(json!([text("Hi, naïve 🦀!")]), "end_turn"))).await;
    let body = server(&upstream).await.client.send(&request(false)).await.expect(200);
    let choice = &body["choices"][0];
    assert_eq!((&choice["message"]["content"], &choice["finish_reason"]), (&json!("Hi, naïve 🦀!"), &json!("stop")));
    assert_eq!(body["model"], MODEL);
    // What came from the cache and went there was read too.
    assert_eq!((&body["usage"]["prompt_tokens"], &body["usage"]["completion_tokens"]), (&json!(129), &json!(12)));
    assert_eq!(body["usage"]["prompt_tokens_details"]["cached_tokens"], 100);

    let seen = upstream.request(0).await;
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/v1/messages"));
    assert_eq!((seen.header("x-api-key"), seen.header("authorization")), (Some(KEY), None));
    assert_eq!(seen.header("anthropic-version"), Some("2023-06-01"));
    let expected = json!({
        "model": "claude-sonnet-4-5", "max_tokens": 64_000, "messages": [{"role": "user", "content": "Hello!"}],
    });
    assert_eq!(seen.json(), expected);
}

#[tokio::test]
async fn a_tool_may_show_what_it_found() {
    let mut body = asks(false);
    let call = json!({"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}});
    body["messages"] = json!([
        {"role": "user", "content": "Look!"},
        {"role": "assistant", "content": null, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": [
            {"type": "text", "text": "this:"},
            {
                "type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="},
                "cache_control": {"type": "ephemeral"},
            },
        ]},
    ]);
    let source = json!({"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="});
    let shown = json!([{"type": "text", "text": "this:"}, {"type": "image", "source": source}]);
    let result = json!({
        "type": "tool_result", "tool_use_id": "call_1", "content": shown, "cache_control": {"type": "ephemeral"},
    });
    assert_eq!(sent(&body).await.json()["messages"][2], json!({"role": "user", "content": [result]}));
}

#[tokio::test]
async fn a_stream_is_what_the_vendor_streamed_however_it_was_cut() {
    let events = answer(&[thoughts(0, &["Hm, ", "思考."], "EqQB"), words(1, &["Hel", "lo ", "🦀"])], "end_turn");
    for answer in [stream(&events), stream(&events).every_byte()] {
        let said = said(answer).await;
        assert_eq!((said.text.as_str(), said.reasoning.as_str()), ("Hello 🦀", "Hm, 思考."));
        assert_eq!((said.finish.as_deref(), said.model.as_str()), (Some("stop"), MODEL));
        let usage = said.usage.unwrap();
        assert_eq!((&usage["prompt_tokens"], &usage["completion_tokens"]), (&json!(129), &json!(12)));
    }
}

#[tokio::test]
async fn a_conversation_with_tools() {
    let function = json!({"name": "get_weather", "parameters": {"type": "object", "properties": {}}});
    let mut body = asks(false);
    body["tools"] = json!([{"type": "function", "function": function}]);
    body["parallel_tool_calls"] = json!(false);
    body["reasoning_effort"] = json!("low");
    body["messages"] = json!([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [
            {"type": "text", "text": "What is here?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        ]},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{\"city\": \"Paris\"}"}},
            {"id": "call_2", "type": "function", "function": {"name": "get_weather", "arguments": ""}},
        ]},
        {"role": "tool", "tool_call_id": "call_1", "content": "fine"},
        {"role": "tool", "tool_call_id": "call_2", "content": "foul"},
        {"role": "assistant", "content": "Mixed."},
        {"role": "user", "content": "And now?"},
    ]);
    let image = json!({"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="});
    let result = |id: &str, text: &str| json!({"type": "tool_result", "tool_use_id": id, "content": text});
    let call = |id: &str, input: Value| json!({"type": "tool_use", "id": id, "name": "get_weather", "input": input});
    assert_eq!(
        sent(&body).await.json(),
        json!({
            "model": "claude-sonnet-4-5", "max_tokens": 64_000, "system": "Be brief.",
            "messages": [
                {"role": "user", "content": [text("What is here?"), {"type": "image", "source": image}]},
                {"role": "assistant", "content": [call("call_1", json!({"city": "Paris"})), call("call_2", json!({}))]},
                {"role": "user", "content": [result("call_1", "fine"), result("call_2", "foul")]},
                {"role": "assistant", "content": "Mixed."},
                {"role": "user", "content": "And now?"},
            ],
            "tools": [{"name": "get_weather", "input_schema": {"type": "object", "properties": {}}}],
            "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
            "thinking": {"type": "enabled", "budget_tokens": 2048},
        })
    );
}

#[tokio::test]
async fn calls_of_the_model() {
    let blocks = [
        words(0, &["Let me see."]),
        call(1, "toolu_1", "get_weather", &["", "{\"city\":", " \"Paris\"}"]),
        call(2, "toolu_2", "now", &[]),
    ];
    // Some vendors say `end_turn` all the same.
    for reason in ["tool_use", "end_turn"] {
        let said = said(stream(&answer(&blocks, reason))).await;
        let calls: Vec<_> = said.calls.iter().map(|call| (call.id.as_str(), call.arguments.as_str())).collect();
        assert_eq!(calls, [("toolu_1", "{\"city\": \"Paris\"}"), ("toolu_2", "{}")]);
        assert_eq!((said.text.as_str(), said.finish.as_deref()), ("Let me see.", Some("tool_calls")));
    }
    let content =
        json!([tool_use("toolu_1", "get_weather", json!({"city": "Paris"})), tool_use("toolu_2", "now", json!({}))]);
    let upstream = Upstream::always(Answer::json(&message(content, "tool_use"))).await;
    let body = server(&upstream).await.client.send(&request(false)).await.expect(200);
    let function = |name: &str, arguments: &str| json!({"name": name, "arguments": arguments});
    assert_eq!(
        body["choices"][0]["message"]["tool_calls"],
        json!([
            {"id": "toolu_1", "type": "function", "function": function("get_weather", "{\"city\":\"Paris\"}")},
            {"id": "toolu_2", "type": "function", "function": function("now", "{}")},
        ])
    );
    assert_eq!(body["choices"][0]["finish_reason"], "tool_calls");
}

#[tokio::test]
async fn each_error_has_its_status_and_the_vendors_words() {
    let upstream = Upstream::start().await;
    let server = server(&upstream).await;
    for (status, kind, expected, told) in [
        (400, "invalid_request_error", 400, "invalid_request_error"),
        (401, "authentication_error", 401, "authentication_error"),
        (403, "permission_error", 403, "permission_error"),
        (404, "not_found_error", 404, "invalid_request_error"),
        (413, "request_too_large", 413, "invalid_request_error"),
        (429, "rate_limit_error", 429, "rate_limit_error"),
        (500, "api_error", 502, "server_error"),
        (529, "overloaded_error", 503, "server_error"),
    ] {
        for streamed in [false, true] {
            let message = format!("the vendor's own words about {status}");
            let answer = refusal(status, kind, &message);
            upstream.then(if status == 429 { answer.header("Retry-After", "7") } else { answer });
            let reply = server.client.send(&request(streamed)).await;
            let error = shape::openai(&reply, expected, told);
            assert!(error["message"].as_str().unwrap().contains(&message), "{status}: {error}");
            assert_eq!(reply.head.header("retry-after"), (status == 429).then_some("7"), "{status}");
        }
    }
    upstream.then(refusal(400, "invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum"));
    let told = shape::openai(&server.client.send(&request(false)).await, 400, "invalid_request_error");
    assert_eq!(told["code"], "context_length_exceeded");
}

#[tokio::test]
async fn an_error_within_a_stream_is_told_within_it() {
    let mut events = vec![opening()];
    events.extend(words(0, &["Hel"]));
    events.push(failure("overloaded_error", "Overloaded"));
    let said = said(stream(&events)).await;
    assert_eq!((said.text.as_str(), said.finish), ("Hel", None));
    assert_eq!(said.error.unwrap()["message"], "anthropic: Overloaded");
}

#[tokio::test]
async fn a_stream_that_is_cut_is_an_error_until_the_reason_is_known() {
    let events = answer(&[words(0, &["one ", "two"])], "end_turn");
    let upstream = Upstream::start().await;
    let server = server(&upstream).await;
    let known = events.len() - 1;
    for number in 0..events.len() {
        let at = stream(&events).event(number);
        upstream.then(stream(&events).cut(at));
        let reply = server.client.send(&request(true)).await;
        if reply.status() != 200 {
            assert_eq!(reply.status(), 502, "cut before event {number}: {}", reply.text());
            continue;
        }
        let said = grammar::openai(&reply.events(), true);
        assert_eq!(said.error.is_none(), number == known, "cut before event {number}: {said:?}");
        assert!(number != known || said.text == "one two", "{said:?}");
    }
}

#[tokio::test]
async fn what_the_vendor_has_not_is_refused_without_asking_it() {
    let upstream = Upstream::start().await;
    let server = server(&upstream).await;
    for (name, value) in [("seed", json!(7)), ("logprobs", json!(true)), ("frequency_penalty", json!(0.5))] {
        let mut body = asks(false);
        body[name] = value;
        let reply = server.client.post(PATH, &body).await;
        let told = shape::openai(&reply, 400, "invalid_request_error");
        assert!(told["message"].as_str().unwrap().contains(&format!("`{name}`")), "{told}");
    }
    assert_eq!(upstream.requests().len(), 0);
}

#[tokio::test]
async fn the_vendors_models_are_listed() {
    let page = |id: &str, more: bool| {
        let model = json!({"type": "model", "id": id, "display_name": id, "created_at": "2026-02-04T00:00:00Z"});
        Answer::json(&json!({"data": [model], "first_id": id, "last_id": id, "has_more": more}))
    };
    let upstream = Upstream::script([page("claude-first", true), page("claude-second", false)]).await;
    let body = server(&upstream).await.client.get("/openai/v1/models").await.expect(200);
    let ids: Vec<_> = body["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"anthropic/claude-first") && ids.contains(&"anthropic/claude-second"), "{ids:?}");
    assert_eq!(upstream.request(1).await.path, "/v1/models?limit=1000&after_id=claude-first");
}

#[tokio::test]
async fn without_a_key_it_says_which_one_to_set() {
    let server = Server::start("providers: {anthropic: {api_key: env:MORTISE_TESTS_SET_NO_SUCH_KEY}}").await;
    let reply = server.client.send(&request(false)).await;
    assert!([500, 503].contains(&reply.status()), "{}", reply.text());
    assert!(shape::message(&reply).contains("MORTISE_TESTS_SET_NO_SUCH_KEY"), "{}", reply.text());
}

#[tokio::test]
async fn the_callers_bytes_reach_the_vendor_but_for_the_model() {
    // As nobody would write it.
    let odd = "{ \"max_tokens\":1e2, \"messages\" : [ {\"content\" : [{\"text\":\"h\\u00e9\\/ 🦀\",\"type\":\"text\"}] ,\"role\":\"user\"} ],\r\n\
        \t\"metadata\":{\"user_id\":\"u\",\"b\":null}, \"temperature\":1.00,\"model\" :\"MODEL\" }\n";
    let answer = message(json!([text("Hi!")]), "end_turn");
    let upstream = Upstream::always(Answer::json(&answer)).await;
    let server = server(&upstream).await;
    let request = Request::new("POST", "/anthropic/v1/messages").header("Content-Type", "application/json");
    let reply = server.client.send(&request.body(odd.replace("MODEL", "anthropic/claude-sonnet-4-5"))).await;
    assert_eq!(reply.status(), 200, "{}", reply.text());
    assert!(reply.text().contains("Hi!"));
    let seen = upstream.request(0).await;
    assert_eq!(String::from_utf8(seen.body).unwrap(), odd.replace("MODEL", "claude-sonnet-4-5"));
}
