//! What the vendor is asked: what the caller said, whole, with the operator's credential.

use serde_json::{Value, json};

use super::{PATH, asks};
use crate::client::Request;
use crate::harness::{KEY, Server};
use crate::upstream::openai::{completion, embeddings, words};
use crate::upstream::{Answer, Seen, Upstream};

/// What the vendor sees of a caller's body.
async fn sent(body: &Value) -> Seen {
    let answer = match body["stream"] == true {
        true => Answer::stream(&words(&["Hi!"])),
        false => Answer::json(&completion("Hi!")),
    };
    let upstream = Upstream::always(answer).await;
    let server = Server::vendor(&upstream, "").await;
    let reply = server.client.post(PATH, body).await;
    assert_eq!(reply.status(), 200, "{}", reply.text());
    assert_eq!(upstream.requests().len(), 1, "one request upstream for one of the caller's");
    upstream.request(0).await
}

fn image(url: &str) -> Value {
    json!({"type": "image_url", "image_url": {"url": url, "detail": "low"}})
}

#[tokio::test]
async fn the_operators_key_goes_out_and_the_callers_stays() {
    let upstream = Upstream::always(Answer::json(&completion("Hi!"))).await;
    let server = Server::vendor(&upstream, "").await;
    let request = Request::new("POST", PATH)
        .json(&asks(false))
        .header("Authorization", "Bearer callers-own")
        .header("X-API-Key", "callers-own")
        .header("Cookie", "callers-own")
        .header("X-Forwarded-For", "callers-own");
    let reply = server.client.send(&request).await;
    let seen = upstream.request(0).await;
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/v1/chat/completions"));
    assert_eq!(seen.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(seen.header("host"), Some(upstream.address().to_string().as_str()));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert!(!format!("{:?}", seen.headers).contains("callers-own"), "{:?}", seen.headers);
    assert!(!reply.text().contains(KEY));
    assert!(!crate::harness::logged().contains(KEY), "the log holds the key");
}

#[tokio::test]
async fn everything_the_caller_said_arrives() {
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    let function =
        json!({"name": "get_weather", "description": "The weather.", "parameters": parameters, "strict": true});
    let call = json!({"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{\"city\": \"Paris\"}"}});
    let body = json!({
        "model": "openai/gpt-4o-mini",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "name": "ann", "content": [
                {"type": "text", "text": "What is this?"},
                image("https://example.com/a.png"),
                image("data:image/png;base64,iVBORw0KGgo="),
                {"type": "hologram", "hologram": {"depth": 3.50}},
            ]},
            {"role": "assistant", "content": null, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": "18 °C"},
            {"role": "assistant", "content": "18 °C."},
            {"role": "user", "content": "Thanks 🦀"},
        ],
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
        "parallel_tool_calls": false,
        "temperature": 0.5, "top_p": 0.25, "max_completion_tokens": 77, "presence_penalty": -0.5, "frequency_penalty": 0.5,
        "seed": 42, "stop": ["END", "STOP"], "user": "u-1", "reasoning_effort": "low",
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "strict": true, "schema": {"type": "object"}}},
        // What this version of the server knows nothing about.
        "logit_bias": {"50256": -100}, "metadata": {"order": "7"}, "service_tier": "flex", "a_field_of_tomorrow": [1, {"b": null}],
    });
    let mut seen = sent(&body).await.json();
    let mut expected = body;
    expected["model"] = json!("gpt-4o-mini");
    // `false` is what absence means.
    seen.as_object_mut().unwrap().retain(|name, value| !(name == "stream" && *value == false));
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn usage_is_always_asked_for_in_streams() {
    for options in [Value::Null, json!({"include_usage": false}), json!({"include_usage": true})] {
        let mut body = asks(true);
        body["stream_options"] = options;
        let seen = sent(&body).await.json();
        assert_eq!(seen["stream_options"], json!({"include_usage": true}));
        assert_eq!(seen["stream"], true);
    }
}

#[tokio::test]
async fn images_reach_the_vendor_from_the_openai_surface_only_as_they_were() {
    for url in ["https://example.com/a.png", "data:image/png;base64,iVBORw0KGgo=", "data:image/jpeg;base64,/9j/4A=="] {
        let mut body = asks(false);
        body["messages"][0]["content"] = json!([image(url)]);
        assert_eq!(sent(&body).await.json()["messages"][0]["content"][0], image(url));
    }
}

#[tokio::test]
async fn a_tools_result_may_come_in_parts() {
    let call = json!({"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let mut body = asks(false);
    body["messages"] = json!([
        {"role": "user", "content": "go"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "part"}]},
    ]);
    let content = sent(&body).await.json()["messages"][2]["content"].clone();
    let text = content.as_str().or(content[0]["text"].as_str());
    assert_eq!(text, Some("part"), "{content}");
}

#[tokio::test]
async fn native_fields_become_the_vendors() {
    let upstream = Upstream::always(Answer::json(&completion("Hi!"))).await;
    let server = Server::vendor(&upstream, "").await;
    let body =
        json!({"message": "Hello!", "provider": "openai", "model": "gpt-4o-mini", "temperature": 0.5, "max_tokens": 9});
    let answer = server.client.post("/api/v1/chat", &body).await.expect(200);
    assert_eq!((&answer["response"], &answer["provider"]), (&json!("Hi!"), &json!("openai")));
    assert_eq!(answer["tokens_used"], json!({"input": 9, "output": 12, "total": 21}));
    let seen = upstream.request(0).await.json();
    assert_eq!(seen["model"], "gpt-4o-mini");
    assert_eq!(seen["temperature"], 0.5);
    let most = seen.get("max_tokens").or(seen.get("max_completion_tokens"));
    assert_eq!(most, Some(&json!(9)), "{seen}");
}

#[tokio::test]
async fn embeddings_are_asked_for_and_answered() {
    let upstream = Upstream::start().await;
    upstream.route("/v1/embeddings", Answer::json(&embeddings(&[&[0.5, -0.25], &[1.0, 0.0]])));
    let server = Server::vendor(&upstream, "").await;
    let body =
        json!({"model": "openai/text-embedding-3-small", "input": ["one", "two"], "dimensions": 2, "user": "u-1"});
    let answer = server.client.post("/openai/v1/embeddings", &body).await.expect(200);
    assert_eq!(answer["data"][1]["embedding"], json!([1.0, 0.0]), "{answer}");
    assert_eq!(answer["usage"], json!({"prompt_tokens": 5, "total_tokens": 5}));
    let seen = upstream.request(0).await.json();
    assert_eq!((&seen["model"], &seen["input"]), (&json!("text-embedding-3-small"), &body["input"]));
    assert_eq!((&seen["dimensions"], &seen["user"]), (&json!(2), &json!("u-1")));
}
