//! Tests of `POST /anthropic/v1/messages`, answered as a whole.

use serde_json::{Value, json};

use super::{DOUBLED, PATH, asks};
use crate::client::Request;
use crate::harness::{ECHO, Server};
use crate::{shape, snapshot};

#[tokio::test]
async fn an_answer_has_the_vendors_shape_under_both_roots() {
    let server = Server::echo().await;
    let reply = server.client.post(PATH, &asks("Hello, dear world!")).await;
    assert_eq!(
        reply.head.header("request-id").unwrap().replace("req_", "req-"),
        reply.head.header("x-request-id").unwrap()
    );
    snapshot!(reply, 200);
    let other = server.client.post(DOUBLED, &asks("Hello!")).await.expect(200);
    assert_eq!(other["content"], json!([{"type": "text", "text": "Hello!"}]));
    assert!(other["id"].as_str().unwrap().starts_with("msg_"), "{other}");
}

#[tokio::test]
async fn whatever_the_vendors_clients_send_beside_is_taken() {
    let server = Server::echo().await;
    let mut body = asks("Hello!");
    let more = json!({
        "metadata": {"user_id": "u-1"}, "service_tier": "auto", "stop_sequences": ["END"], "top_k": 40, "top_p": 0.9,
        "temperature": 1, "thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "high"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015"}]}, "cache_control": {"type": "ephemeral"},
        "some_field_of_tomorrow": {"a": [1]},
        "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "tools": [
            {"name": "get_weather", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}, "type": "custom"},
            {"name": "f", "input_schema": {"type": "object"}, "eager_input_streaming": true, "type": null},
        ],
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    for (name, value) in [
        ("anthropic-version", "2023-06-01"),
        ("anthropic-version", "2099-12-31"),
        ("anthropic-version", "tomorrow"),
        ("anthropic-beta", "claude-code-20250219,interleaved-thinking-2025-05-14"),
        ("anthropic-beta", "no-such-beta, , \"quoted\""),
        ("x-api-key", "not-needed"),
        ("authorization", "Bearer not-needed"),
        ("x-stainless-lang", "python"),
    ] {
        for path in [PATH.to_owned(), format!("{PATH}?beta=true"), format!("{DOUBLED}?beta=true&x=%zz")] {
            let reply = server.client.send(&Request::new("POST", &path).json(&body).header(name, value)).await;
            assert_eq!(reply.expect(200)["content"][0]["text"], "Hello!", "{path} {name}: {value}");
        }
    }
}

#[tokio::test]
async fn content_comes_as_a_string_or_in_blocks() {
    let server = Server::echo().await;
    let mut body = asks("first");
    body["messages"].as_array_mut().unwrap().extend([
        json!({"role": "assistant", "content": "second"}),
        json!({"role": "system", "content": "Be brief."}),
        json!({"role": "user", "content": [
            {"type": "text", "text": "Look:", "citations": null},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
            {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
            {"type": "document", "source": {"type": "file", "file_id": "file_1"}, "title": "A file"},
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
            {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "within"}]}},
            {"type": "search_result", "source": "x", "title": "y", "content": []},
        ]}),
    ]);
    let answer = server.client.post(PATH, &body).await.expect(200);
    let text = answer["content"][0]["text"].as_str().unwrap();
    for piece in [
        "Look:",
        "[image/png, 12 base64 characters]",
        "[image/*, https://example.com/a.png]",
        "[application/octet-stream, file file_1]",
        "[text/plain, 8 base64 characters]",
        "within",
        "[a part of another kind, ",
    ] {
        assert!(text.contains(piece), "no {piece:?} in {text:?}");
    }
    assert!(!text.contains("first"), "{text:?}");
}

#[tokio::test]
async fn thoughts_stand_before_the_answer() {
    let server = Server::echo().await;
    let answer = server.client.post(PATH, &asks("[[think deep thoughts]] done")).await.expect(200);
    let [thought, said] = answer["content"].as_array().unwrap().as_slice() else { panic!("{answer}") };
    assert_eq!((&thought["type"], &thought["thinking"]), (&json!("thinking"), &json!("deep thoughts")));
    assert!(thought["signature"].as_str().unwrap().starts_with("echo-"), "{thought}");
    assert_eq!(*said, json!({"type": "text", "text": "done"}));
    // What was thought can be sent back as it came.
    let mut body = asks("first");
    body["messages"].as_array_mut().unwrap().extend([
        json!({"role": "assistant", "content": answer["content"]}),
        json!({"role": "user", "content": "next"}),
    ]);
    assert_eq!(server.client.post(PATH, &body).await.expect(200)["content"][0]["text"], "next");
}

#[tokio::test]
async fn the_reason_of_the_end_is_told() {
    let server = Server::echo().await;
    for (text, reason) in [
        ("Hello!", "end_turn"),
        ("[[stop length]] cut", "max_tokens"),
        ("[[stop pause]] later", "pause_turn"),
        ("[[stop refusal]] no", "refusal"),
        ("[[refuse not that]]", "refusal"),
        ("[[stop tool-calls]] none of them", "end_turn"),
    ] {
        let answer = server.client.post(PATH, &asks(text)).await.expect(200);
        assert_eq!(
            (&answer["stop_reason"], &answer["stop_sequence"]),
            (&json!(reason), &Value::Null),
            "{text}: {answer}"
        );
    }
    let mut body = asks("one two three");
    body["stop_sequences"] = json!(["two"]);
    let answer = server.client.post(PATH, &body).await.expect(200);
    assert_eq!(
        (&answer["stop_reason"], &answer["stop_sequence"]),
        (&json!("stop_sequence"), &json!("two")),
        "{answer}"
    );
    body["max_tokens"] = json!(1);
    body["stop_sequences"] = json!([]);
    assert_eq!(server.client.post(PATH, &body).await.expect(200)["stop_reason"], "max_tokens");
}

#[tokio::test]
async fn an_answer_of_a_schema_is_json() {
    let server = Server::echo().await;
    let schema =
        json!({"type": "object", "properties": {"city": {"type": "string", "const": "Paris"}}, "required": ["city"]});
    let format = json!({"type": "json_schema", "schema": schema});
    for (name, value) in [("output_format", format.clone()), ("output_config", json!({"format": format}))] {
        let mut body = asks("Where?");
        body[name] = value;
        let answer = server.client.post(PATH, &body).await.expect(200);
        let said: Value = serde_json::from_str(answer["content"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(said, json!({"city": "Paris"}));
    }
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_told_as_the_vendor_does() {
    let server = Server::echo().await;
    for (name, value, message) in [
        ("max_tokens", Value::Null, "max_tokens: Field required"),
        ("model", Value::Null, "model: Field required"),
        ("messages", Value::Null, "messages: Field required"),
        ("messages", json!([]), "messages: at least one message is required"),
        ("messages", json!([{"role": "king", "content": "x"}]), "messages.0.role: expected user, assistant or system"),
        ("messages", json!([{"role": "developer", "content": "x"}]), "messages.0.role: "),
        ("messages", json!([{"role": "user"}]), "messages.0.content: Field required"),
        (
            "messages",
            json!([{"role": "user", "content": [{"text": "no type"}]}]),
            "messages.0.content.0.type: Field required",
        ),
        (
            "messages",
            json!([{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "file:///a"}}]}]),
            "messages.0.content.0.source.url: expected an http(s) URL",
        ),
        ("max_tokens", json!(-1), "max_tokens: "),
        ("max_tokens", json!("many"), "max_tokens: "),
        ("temperature", json!(1.1), "temperature: it must lie between"),
        ("tools", json!([{"name": "f"}]), "tools.0.input_schema: Field required"),
        ("tool_choice", json!({"type": "sometimes"}), "tool_choice.type: "),
        ("thinking", json!({"type": "enabled"}), "thinking.budget_tokens: Field required"),
        ("stream", json!("yes"), "stream: "),
        ("stop_sequences", json!("END"), "stop_sequences: "),
        ("system", json!(7), "system: expected a string or a list of blocks"),
    ] {
        let mut body = asks("Hello!");
        body[name] = value.clone();
        let error = shape::anthropic(&server.client.post(PATH, &body).await, 400, "invalid_request_error");
        assert!(error["message"].as_str().unwrap().starts_with(message), "{name} = {value}: {error}");
    }
}

#[tokio::test]
async fn each_failure_has_the_vendors_type() {
    let server = Server::echo().await;
    for (kind, status, name) in [
        ("invalid-request", 400, "invalid_request_error"),
        ("context-too-long", 400, "invalid_request_error"),
        ("refused", 400, "invalid_request_error"),
        ("unauthenticated", 401, "authentication_error"),
        ("forbidden", 403, "permission_error"),
        ("unknown-model", 404, "not_found_error"),
        ("too-large", 413, "request_too_large"),
        ("rate-limited 2000", 429, "rate_limit_error"),
        ("overloaded 2000", 529, "overloaded_error"),
        ("upstream", 502, "api_error"),
    ] {
        for stream in [false, true] {
            let mut body = asks(&format!("[[fail {kind} not today]]"));
            body["stream"] = json!(stream);
            let reply = server.client.post(PATH, &body).await;
            let error = shape::anthropic(&reply, status, name);
            assert!(error["message"].as_str().unwrap().contains("not today"), "{error}");
            let retry = kind.ends_with("2000").then_some("2");
            assert_eq!(reply.head.header("retry-after"), retry, "{kind}");
        }
    }
    for (path, name) in [("/anthropic/v1/nothing", 404), (PATH, 405)] {
        let reply = server.client.get(path).await;
        shape::anthropic(&reply, name, if name == 404 { "not_found_error" } else { "invalid_request_error" });
    }
    let mut body = asks("x");
    body["model"] = json!("no-such-model");
    let error = shape::anthropic(&server.client.post(PATH, &body).await, 404, "not_found_error");
    assert!(error["message"].as_str().unwrap().contains("no-such-model"), "{error}");
    let reply = server.client.send(&Request::new("POST", PATH).body("{")).await;
    shape::anthropic(&reply, 400, "invalid_request_error");
}

#[tokio::test]
async fn a_key_comes_in_either_header() {
    let server = Server::configured(|home| {
        std::fs::write(home.join("key"), "0123456789abcdef").unwrap();
        format!("{ECHO}server: {{auth: {{enabled: true, api_key: \"file:{}\"}}}}\n", home.join("key").display())
    })
    .await;
    let asked = || Request::new("POST", PATH).json(&asks("Hello!"));
    shape::anthropic(&server.client.send(&asked()).await, 401, "authentication_error");
    shape::anthropic(&server.client.send(&asked().header("x-api-key", "wrong")).await, 401, "authentication_error");
    for (name, value) in [("x-api-key", "0123456789abcdef"), ("authorization", "Bearer 0123456789abcdef")] {
        assert_eq!(server.client.send(&asked().header(name, value)).await.status(), 200, "{name}");
    }
}
