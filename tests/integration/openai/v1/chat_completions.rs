//! Tests of `POST /openai/v1/chat/completions`, answered whole.

use serde_json::{Value, json};

use crate::client::Request;
use crate::harness::Server;
use crate::{shape, snapshot};

const PATH: &str = "/openai/v1/chat/completions";

fn asks(text: &str) -> Value {
    json!({"model": "claude", "messages": [{"role": "user", "content": text}]})
}

#[tokio::test]
async fn an_answer_has_the_vendors_shape_under_both_roots() {
    let server = Server::echo().await;
    snapshot!(server.client.post(PATH, &asks("Hello!")).await, 200);
    let other = server.client.post("/v1/chat/completions", &asks("Hello!")).await.expect(200);
    assert_eq!(other["choices"][0]["message"]["content"], "Hello!");
}

#[tokio::test]
async fn content_may_come_in_parts_and_without_a_type() {
    let server = Server::echo().await;
    let parts = json!([{"type": "text", "text": "Hello, "}, {"type": "text", "text": "parts!"}]);
    let body = json!({"model": "claude", "messages": [
        {"role": "system", "content": "Be brief."}, {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
        {"role": "user", "content": "first"}, {"role": "assistant", "content": "second"}, {"role": "user", "content": parts},
    ]});
    let reply = server.client.send(&Request::new("POST", PATH).body(body.to_string())).await;
    let content = reply.expect(200)["choices"][0]["message"]["content"].clone();
    let content = content.as_str().unwrap();
    assert!(content.contains("Hello, ") && content.contains("parts!") && !content.contains("first"), "{content}");
}

#[tokio::test]
async fn a_tool_call_and_its_answer_make_a_turn() {
    let server = Server::echo().await;
    let mut body = asks(r#"[[tool get_weather {"city":"Paris"}]]"#);
    body["tools"] =
        json!([{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]);
    let asked = server.client.post(PATH, &body).await.expect(200);
    let message = asked["choices"][0]["message"].clone();
    let call = &message["tool_calls"][0];
    assert_eq!(asked["choices"][0]["finish_reason"], "tool_calls", "{asked}");
    assert_eq!((&call["type"], &call["function"]["name"]), (&json!("function"), &json!("get_weather")));
    let arguments = call["function"]["arguments"].as_str().expect("arguments are JSON in a string");
    assert_eq!(serde_json::from_str::<Value>(arguments).unwrap(), json!({"city": "Paris"}));

    let result = json!({"role": "tool", "tool_call_id": call["id"], "content": "18 degrees"});
    body["messages"].as_array_mut().unwrap().extend([message, result]);
    let answer = server.client.post(PATH, &body).await.expect(200);
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert!(answer["choices"][0]["message"]["content"].as_str().unwrap().contains("18 degrees"), "{answer}");
}

#[tokio::test]
async fn reasoning_stands_beside_the_answer() {
    let server = Server::echo().await;
    let answer = server.client.post(PATH, &asks("[[think deep thoughts]] done")).await.expect(200);
    let message = &answer["choices"][0]["message"];
    assert_eq!(message["reasoning_content"], "deep thoughts", "{answer}");
    assert_eq!(message["content"].as_str().unwrap().trim(), "done");
}

#[tokio::test]
async fn the_reason_of_the_end_is_told() {
    let server = Server::echo().await;
    let answer = server.client.post(PATH, &asks("[[stop length]] cut")).await.expect(200);
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
}

#[tokio::test]
async fn what_cannot_be_served_is_refused_by_name() {
    let server = Server::echo().await;
    let bad = [
        ("n", json!(2)),
        ("n", json!(0)),
        ("logprobs", json!(true)),
        ("temperature", json!("warm")),
        ("temperature", json!(2.1)),
        ("top_p", json!(1.5)),
        ("max_tokens", json!(-1)),
        ("max_completion_tokens", json!(0)),
        ("stream", json!("yes")),
        ("stop", json!([1])),
        ("tools", json!({})),
        ("tools", json!([{"type": "function"}])),
        ("tool_choice", json!("sometimes")),
        ("response_format", json!({"type": "yaml"})),
        ("messages", json!([])),
        ("messages", json!("Hello!")),
        ("messages", json!([{"role": "user"}])),
        ("messages", json!([{"role": "king", "content": "x"}])),
        ("messages", json!([{"role": "user", "content": [{"text": "no type"}]}])),
        ("messages", json!([{"role": "user", "content": [{"type": "text"}]}])),
        ("messages", json!([{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}])),
        ("messages", json!([{"role": "tool", "content": "x"}])),
        ("model", json!(1)),
        ("model", Value::Null),
        ("messages", Value::Null),
    ];
    for (name, value) in bad {
        let mut body = asks("Hello!");
        body[name] = value.clone();
        let error = shape::openai(&server.client.post(PATH, &body).await, 400, "invalid_request_error");
        // A plugin's own refusal has words, but no place for the field.
        let param = error["param"].as_str().unwrap_or(name);
        let same = param == name || param.starts_with(&format!("{name}[")) || param.starts_with(&format!("{name}."));
        assert!(same, "{name} = {value}: {error}");
        assert!(error["message"].as_str().unwrap().contains(name), "{name} = {value}: {error}");
    }
}

#[tokio::test]
async fn what_changes_nothing_is_accepted() {
    let server = Server::echo().await;
    let good = [
        ("n", json!(1)),
        ("logprobs", json!(false)),
        ("user", json!("u-1")),
        ("seed", json!(-7)),
        ("stop", json!("END")),
        ("stop", json!(["a", "b"])),
        ("presence_penalty", json!(-2.0)),
        ("response_format", json!({"type": "text"})),
        ("tool_choice", Value::Null),
        ("stream", json!(false)),
        ("stream", Value::Null),
        ("max_completion_tokens", json!(5)),
        ("parallel_tool_calls", json!(true)),
    ];
    for (name, value) in good {
        let mut body = asks("Hello!");
        body[name] = value.clone();
        let reply = server.client.post(PATH, &body).await;
        assert_eq!(reply.status(), 200, "{name} = {value}: {}", reply.text());
    }
}

#[tokio::test]
async fn an_unknown_model_is_named() {
    let server = Server::echo().await;
    for model in ["no-such-model", "no-such-provider/model", "", "/", "echo/"] {
        let mut body = asks("Hello!");
        body["model"] = json!(model);
        let reply = server.client.post(PATH, &body).await;
        let error = match model {
            "" => shape::openai(&reply, 400, "invalid_request_error"),
            _ => shape::openai(&reply, 404, "invalid_request_error"),
        };
        assert!(error["message"].as_str().unwrap().contains(model), "{error}");
        assert_eq!(error["code"] == "model_not_found", !model.is_empty(), "{error}");
    }
}
