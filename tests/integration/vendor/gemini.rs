//! Callers of OpenAI's surface in front of Gemini.

use serde_json::{Value, json};

use super::PATH;
use crate::client::Request;
use crate::grammar;
use crate::harness::{KEY, Server};
use crate::shape;
use crate::upstream::gemini::{MODEL, call, error, said, stream, text};
use crate::upstream::{Answer, Upstream};

async fn server(upstream: &Upstream) -> Server {
    Server::configured(|home| {
        let key = home.join("key");
        std::fs::write(&key, KEY).unwrap();
        format!(
            "providers:\n  gemini: {{base_url: '{}', api_key: 'file:{}', retries: 0}}\n",
            upstream.base_url(),
            key.display()
        )
    })
    .await
}

fn asks(stream: bool) -> Value {
    let mut body = json!({"model": format!("gemini/{MODEL}"), "messages": [{"role": "user", "content": "Hello!"}]});
    if stream {
        body["stream"] = json!(true);
        body["stream_options"] = json!({"include_usage": true});
    }
    body
}

fn request(stream: bool) -> Request {
    Request::new("POST", PATH).json(&asks(stream))
}

#[tokio::test]
async fn a_whole_answer_and_the_key_where_google_wants_it() {
    let parts = [json!({"text": "Hm.", "thought": true}), text("Hi, naïve 🦀!")];
    let upstream = Upstream::always(Answer::json(&said(&parts, Some("STOP")))).await;
    let server = server(&upstream).await;
    let body = server.client.send(&request(false)).await.expect(200);
    let message = &body["choices"][0]["message"];
    assert_eq!((&message["content"], &message["reasoning_content"]), (&json!("Hi, naïve 🦀!"), &json!("Hm.")));
    assert_eq!((&body["choices"][0]["finish_reason"], &body["usage"]["total_tokens"]), (&json!("stop"), &json!(21)));
    let seen = upstream.request(0).await;
    assert_eq!(seen.path, format!("/v1/models/{MODEL}:generateContent"));
    assert_eq!((seen.header("x-goog-api-key"), seen.header("authorization")), (Some(KEY), None));
    assert_eq!(seen.json(), json!({"contents": [{"role": "user", "parts": [{"text": "Hello!"}]}]}));
}

#[tokio::test]
async fn a_stream_however_it_is_cut() {
    let answer = stream(&[json!({"text": "Hm.", "thought": true}), text("Hel"), text("lo é🦀")]);
    let upstream = Upstream::script([answer.clone(), answer.clone().every_byte(), answer.trickle()]).await;
    let server = server(&upstream).await;
    for _ in 0..3 {
        let said = grammar::openai(&server.client.send(&request(true)).await.events(), true);
        assert_eq!((said.reasoning.as_str(), said.text.as_str()), ("Hm.", "Hello é🦀"));
        assert_eq!((said.finish.as_deref(), &said.usage.unwrap()["prompt_tokens"]), (Some("stop"), &json!(9)));
    }
    assert_eq!(upstream.request(0).await.path, format!("/v1/models/{MODEL}:streamGenerateContent?alt=sse"));
}

#[tokio::test]
async fn tools_in_two_turns() {
    let calls = [
        text("Let me see."),
        call("get_weather", json!({"city": "Zürich"}), Some("c2lnbmF0dXJl")),
        call("get_weather", json!({"city": "Paris"}), None),
    ];
    let upstream = Upstream::start().await;
    let server = server(&upstream).await;
    let function = json!({"name": "get_weather", "parameters": {"type": "object", "additionalProperties": false}});
    for streamed in [true, false] {
        let mut body = asks(streamed);
        body["tools"] = json!([{"type": "function", "function": function}]);
        upstream.then(if streamed { stream(&calls) } else { Answer::json(&said(&calls, Some("STOP"))) });
        let reply = server.client.post(PATH, &body).await;
        let message = match streamed {
            true => {
                let said = grammar::openai(&reply.events(), true);
                assert_eq!(said.finish.as_deref(), Some("tool_calls"));
                // What a client keeps of a stream: each call as it began, with its arguments.
                let deltas =
                    reply.events().into_iter().filter_map(|event| serde_json::from_str::<Value>(&event.data).ok());
                let begun = deltas.flat_map(|chunk| {
                    chunk["choices"][0]["delta"]["tool_calls"].as_array().cloned().unwrap_or_default()
                });
                let begun: Vec<Value> = begun.filter(|call| call.get("id").is_some()).collect();
                let whole = begun.into_iter().zip(&said.calls).map(|(mut call, told)| {
                    call["function"]["arguments"] = json!(told.arguments);
                    call
                });
                json!({"role": "assistant", "content": said.text, "tool_calls": whole.collect::<Vec<_>>()})
            }
            false => {
                let answer = reply.expect(200);
                assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls", "though Gemini says STOP");
                answer["choices"][0]["message"].clone()
            }
        };
        let calls = message["tool_calls"].as_array().unwrap();
        let id = |at: usize| calls[at]["id"].as_str().unwrap();
        assert_ne!(id(0), id(1));
        assert_eq!(calls[0]["extra_content"], json!({"google": {"thought_signature": "c2lnbmF0dXJl"}}));
        let result = |at: usize, text: &str| json!({"role": "tool", "tool_call_id": id(at), "content": text});
        let mut second = asks(false);
        second["messages"] = json!([second["messages"][0], message, result(1, "20 °C"), result(0, "18 °C")]);
        upstream.then(Answer::json(&said(&[text("18 and 20 °C.")], Some("STOP"))));
        server.client.post(PATH, &second).await.expect(200);
        let seen = upstream.requests().pop().unwrap().json();
        let response = |at: usize, text: &str| json!({"functionResponse": {"id": id(at), "name": "get_weather", "response": {"output": text}}});
        let called = |at: usize, city: &str| json!({"id": id(at), "name": "get_weather", "args": {"city": city}});
        assert_eq!(
            seen["contents"],
            json!([
                {"role": "user", "parts": [{"text": "Hello!"}]},
                {"role": "model", "parts": [
                    {"text": "Let me see."},
                    {"functionCall": called(0, "Zürich"), "thoughtSignature": "c2lnbmF0dXJl"},
                    {"functionCall": called(1, "Paris")},
                ]},
                {"role": "user", "parts": [response(1, "20 °C"), response(0, "18 °C")]},
            ])
        );
    }
}

#[tokio::test]
async fn errors_have_google_s_words_and_its_patience() {
    let upstream = Upstream::start().await;
    let server = server(&upstream).await;
    let patience = json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "6.2s"}]);
    let wrong_key = json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]);
    let table = [
        (429, "RESOURCE_EXHAUSTED", patience, 429, "rate_limit_error"),
        (400, "INVALID_ARGUMENT", wrong_key, 401, "authentication_error"),
        (400, "INVALID_ARGUMENT", json!([]), 400, "invalid_request_error"),
        (403, "PERMISSION_DENIED", json!([]), 403, "permission_error"),
        (404, "NOT_FOUND", json!([]), 404, "invalid_request_error"),
        (500, "INTERNAL", json!([]), 502, "server_error"),
    ];
    for (status, word, details, expected, kind) in table {
        for streamed in [false, true] {
            let body = error(status, word, "Google's own words", details.clone()).to_string();
            upstream.then(Answer::body(status, "application/json", body));
            let reply = server.client.send(&request(streamed)).await;
            shape::openai(&reply, expected, kind);
            assert!(shape::message(&reply).contains("Google's own words"), "{}", reply.text());
            if status == 429 {
                assert_eq!(reply.head.header("retry-after"), Some("7"));
            }
        }
    }
    let blocked = json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "modelVersion": MODEL});
    upstream.then(Answer::json(&blocked));
    let reply = server.client.send(&request(false)).await;
    assert_ne!(reply.status(), 200);
    assert!(shape::message(&reply).contains("PROHIBITED_CONTENT"), "{}", reply.text());
}

#[tokio::test]
async fn a_filtered_answer_says_so() {
    let mut body = said(&[text("How to")], Some("SAFETY"));
    body["candidates"][0]["finishMessage"] = json!("too hot");
    let upstream = Upstream::always(Answer::json(&body)).await;
    let answer = server(&upstream).await.client.send(&request(false)).await.expect(200);
    assert_eq!(answer["choices"][0]["finish_reason"], "content_filter");
    assert_eq!(answer["choices"][0]["message"]["refusal"], "SAFETY: too hot");
}

#[tokio::test]
async fn a_stream_cut_at_any_event_ends_with_an_error() {
    let answer = stream(&[text("one "), text("two "), text("three")]);
    let upstream = Upstream::start().await;
    let server = server(&upstream).await;
    for at in (0..answer.len()).step_by(97) {
        upstream.then(answer.clone().cut(at));
        let reply = server.client.send(&request(true)).await;
        if reply.status() == 200 {
            let said = grammar::openai(&reply.events(), true);
            assert!(said.error.is_some() && said.finish.is_none(), "cut at {at}: {said:?}");
            assert!("one two three".starts_with(&said.text), "cut at {at}: {said:?}");
        } else {
            assert_eq!(reply.status(), 502, "cut at {at}: {}", reply.text());
        }
    }
    let failure = error(503, "UNAVAILABLE", "The model is overloaded.", json!([]));
    let chunk = said(&[text("one")], None);
    upstream.then(Answer::text(format!("data: {chunk}\r\n\r\ndata: {failure}\r\n\r\n")));
    let told = grammar::openai(&server.client.send(&request(true)).await.events(), true);
    assert!(told.error.unwrap()["message"].as_str().unwrap().contains("The model is overloaded."));
}

#[tokio::test]
async fn what_gemini_has_not_is_refused_by_name() {
    let upstream = Upstream::start().await;
    let server = server(&upstream).await;
    for (name, value) in [("logprobs", json!(true)), ("logit_bias", json!({"50256": -100}))] {
        let mut body = asks(false);
        body[name] = value;
        let reply = server.client.post(PATH, &body).await;
        shape::openai(&reply, 400, "invalid_request_error");
        assert!(shape::message(&reply).contains(&format!("`{name}`")), "{}", reply.text());
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn models_and_embeddings() {
    let upstream = Upstream::start().await;
    let model =
        json!({"name": "models/gemini-new", "inputTokenLimit": 9, "supportedGenerationMethods": ["generateContent"]});
    upstream.route("/v1/models", Answer::json(&json!({ "models": [model] })));
    upstream.then(Answer::json(&json!({"embeddings": [{"values": [0.5, -1.0]}]})));
    let server = server(&upstream).await;
    let list = server.client.get("/openai/v1/models").await.expect(200);
    let ids: Vec<&str> = list["data"].as_array().unwrap().iter().filter_map(|model| model["id"].as_str()).collect();
    assert!(ids.contains(&"gemini/gemini-new"), "{ids:?}");
    let body = json!({"model": "gemini/gemini-embedding-001", "input": "hi"});
    let answer = server.client.post("/openai/v1/embeddings", &body).await.expect(200);
    assert_eq!(answer["data"][0]["embedding"], json!([0.5, -1.0]));
}
