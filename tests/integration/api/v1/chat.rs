//! Tests of `POST /api/v1/chat`.

use serde_json::{Value, json};

use crate::client::Request;
use crate::harness::Server;
use crate::{shape, snapshot};

const PATH: &str = "/api/v1/chat";

#[tokio::test]
async fn an_answer_has_the_documented_shape() {
    let server = Server::echo().await;
    let body = json!({"message": "Hello, Mortise!", "provider": "claude"});
    let reply = server.client.post(PATH, &body).await;
    let answer = reply.expect(200);
    let (used, count) = (&answer["tokens_used"], |name: &str| answer["tokens_used"][name].as_u64().unwrap());
    assert_eq!(used["total"], count("input") + count("output"), "{answer}");
    snapshot!(answer);
}

#[tokio::test]
async fn all_documented_fields_are_taken() {
    let server = Server::echo().await;
    let model = server.client.get("/api/v1/providers").await.expect(200)["providers"][0]["models"][0].clone();
    let body = json!({
        "message": "Write a function to sort an array", "provider": "echo", "model": model, "temperature": 0.7,
        "max_tokens": 1024, "tools": [],
    });
    let answer = server.client.post(PATH, &body).await.expect(200);
    assert_eq!((&answer["provider"], &answer["model"]), (&json!("echo"), &model));
    assert_eq!(answer["response"], "Write a function to sort an array");
}

#[tokio::test]
async fn the_body_is_json_whatever_its_type() {
    let server = Server::echo().await;
    let request = Request::new("POST", PATH).body(r#"{"message": "Hello!"}"#);
    for kind in
        [None, Some("application/x-www-form-urlencoded"), Some("text/plain"), Some("application/json; charset=utf-8")]
    {
        let request = request.clone();
        let request = kind.into_iter().fold(request, |request, kind| request.header("Content-Type", kind));
        assert_eq!(server.client.send(&request).await.expect(200)["response"], "Hello!", "{kind:?}");
    }
}

#[tokio::test]
async fn another_sites_page_must_say_that_it_sends_json() {
    let server = Server::echo().await;
    let request = Request::new("POST", PATH).header("Origin", "https://evil.example").body(r#"{"message": "Hello!"}"#);
    let plain = server.client.send(&request.clone().header("Content-Type", "text/plain")).await;
    shape::native(&plain, 415, "UNSUPPORTED_MEDIA_TYPE");
    let stated = server.client.send(&request.header("Content-Type", "application/json")).await;
    assert_eq!(stated.status(), 200);
    assert_eq!(stated.head.header("access-control-allow-origin"), None, "another site may not read it");
}

#[tokio::test]
async fn a_missing_message_is_named() {
    let server = Server::echo().await;
    // The documented example, word for word, and without a type.
    let reply = server.client.send(&Request::new("POST", PATH).body(r#"{"invalid": "data"}"#)).await;
    let body = shape::native(&reply, 400, "MISSING_FIELD");
    assert_eq!(body["error"], "Missing required field: message");
    assert_eq!(body["details"], json!({"required_fields": ["message"], "provided_fields": ["invalid"]}));
    for empty in ["{}", r#"{"message": null}"#] {
        let reply = server.client.send(&Request::new("POST", PATH).body(empty)).await;
        shape::native(&reply, 400, "MISSING_FIELD");
    }
}

#[tokio::test]
async fn values_out_of_range_are_named() {
    let server = Server::echo().await;
    let good = |temperature: Value| json!({"message": "x", "temperature": temperature});
    for temperature in [json!(0), json!(0.0), json!(1), json!(1.0), Value::Null] {
        assert_eq!(server.client.post(PATH, &good(temperature.clone())).await.status(), 200, "{temperature}");
    }
    let cases = [
        ("temperature", json!(1.01)),
        ("temperature", json!(-0.1)),
        ("temperature", json!("warm")),
        ("max_tokens", json!(0)),
        ("max_tokens", json!(-1)),
        ("max_tokens", json!(1.5)),
        ("max_tokens", json!(99_999_999_999_u64)),
        ("message", json!(1)),
        ("message", json!("")),
        ("provider", json!(["echo"])),
        ("model", json!({})),
        ("tools", json!("git")),
        ("tools", json!([1])),
    ];
    for (name, value) in cases {
        let mut body = json!({"message": "x"});
        body[name] = value.clone();
        let refusal = shape::native(&server.client.post(PATH, &body).await, 400, "INVALID_VALUE");
        assert!(refusal["error"].as_str().unwrap().contains(name), "{name} = {value}: {refusal}");
    }
}

#[tokio::test]
async fn unknown_providers_models_and_tools_are_named() {
    let server = Server::echo().await;
    for (name, code, status) in
        [("provider", "PROVIDER_NOT_FOUND", 404), ("model", "MODEL_NOT_FOUND", 404), ("tools", "INVALID_VALUE", 400)]
    {
        let mut body = json!({"message": "x", "provider": "echo"});
        body[name] = if name == "tools" { json!(["no-such-thing"]) } else { json!("no-such-thing") };
        let refusal = shape::native(&server.client.post(PATH, &body).await, status, code);
        assert!(refusal["error"].as_str().unwrap().contains("no-such-thing"), "{refusal}");
    }
}

#[tokio::test]
async fn a_conversation_remembers_what_was_said() {
    let server = Server::echo().await;
    let first = server.client.post(PATH, &json!({"message": "one", "conversation_id": null})).await.expect(200);
    let id = first["conversation_id"].as_str().unwrap();
    assert!(id.starts_with("conv-"), "{first}");
    let more = json!({"message": "two three", "conversation_id": id, "provider": "claude"});
    let second = server.client.post(PATH, &more).await.expect(200);
    assert_eq!((&second["conversation_id"], &second["response"]), (&json!(id), &json!("two three")));
    // One word from each side before, and two now.
    assert_eq!(second["tokens_used"]["input"], 4, "{second}");
    let other = server.client.post(PATH, &json!({"message": "one"})).await.expect(200);
    assert_ne!(other["conversation_id"], id, "a conversation of its own for who names none");
    assert_eq!(other["tokens_used"]["input"], 1);
    for id in ["conv-unknown", "", "../etc"] {
        let reply = server.client.post(PATH, &json!({"message": "x", "conversation_id": id})).await;
        shape::native(&reply, 404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn a_stream_belongs_to_a_conversation_too() {
    let server = Server::echo().await;
    let stream = server.client.post("/api/v1/chat/stream", &json!({"message": "one"})).await;
    let id = stream.head.header("x-conversation-id").expect("the conversation's id").to_owned();
    let more = json!({"message": "two", "conversation_id": id});
    assert_eq!(server.client.post(PATH, &more).await.expect(200)["tokens_used"]["input"], 3);
}

#[tokio::test]
async fn an_unknown_field_is_named() {
    let server = Server::echo().await;
    let reply = server.client.post(PATH, &json!({"message": "x", "temprature": 0.5})).await;
    let body = shape::native(&reply, 400, "INVALID_VALUE");
    assert!(body["error"].as_str().unwrap().contains("temprature"), "{body}");
}

#[tokio::test]
async fn a_cut_answer_says_so() {
    let server = Server::echo().await;
    let body = json!({"message": "one two three", "max_tokens": 2});
    let answer = server.client.post(PATH, &body).await.expect(200);
    assert_eq!((answer["response"].as_str().unwrap().trim(), &answer["stop_reason"]), ("one two", &json!("length")));
    let streamed = server.client.post("/api/v1/chat/stream", &body).await;
    assert_eq!(crate::grammar::chat(&streamed.events()).stop_reason.as_deref(), Some("length"));
}

#[tokio::test]
async fn a_providers_refusal_reaches_the_caller() {
    let server = Server::echo().await;
    let cases = [
        ("invalid-request", 400),
        ("forbidden", 403),
        ("unknown-model", 404),
        ("rate-limited", 429),
        ("overloaded", 503),
        ("upstream", 502),
    ];
    for (kind, status) in cases {
        let body = json!({"message": format!("[[fail {kind} the vendor's own words]]")});
        let reply = server.client.post(PATH, &body).await;
        assert_eq!(reply.status(), status, "{kind}: {}", reply.text());
        assert!(shape::message(&reply).contains("the vendor's own words"), "{kind}: {}", reply.text());
    }
}
