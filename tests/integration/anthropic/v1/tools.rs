//! Tests of tools under `/anthropic/v1/messages`: several turns, several calls, whole and streamed.

use serde_json::{Value, json};

use super::{PATH, asks, streamed, tool};
use crate::grammar;
use crate::harness::Server;
use crate::shape;

fn weather(text: &str) -> Value {
    let mut body = asks(text);
    body["tools"] = json!([tool("get_weather"), tool("get_time"), tool("now")]);
    body
}

#[tokio::test]
async fn a_call_and_its_answer_make_a_turn() {
    let server = Server::echo().await;
    let mut body = weather(r#"Let me see: [[tool get_weather {"city":"Paris"}]]"#);
    let asked = server.client.post(PATH, &body).await.expect(200);
    assert_eq!(asked["stop_reason"], "tool_use", "{asked}");
    let content = json!([
        {"type": "text", "text": "Let me see:"},
        {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {"city": "Paris"}},
    ]);
    assert_eq!(asked["content"], content);
    let result = json!([
        {"type": "tool_result", "tool_use_id": "call_1", "content": [
            {"type": "text", "text": "18 degrees", "cache_control": {"type": "ephemeral"}},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
        ]},
    ]);
    body["messages"].as_array_mut().unwrap().extend([
        json!({"role": "assistant", "content": asked["content"]}),
        json!({"role": "user", "content": result}),
    ]);
    let answer = server.client.post(PATH, &body).await.expect(200);
    assert_eq!(answer["stop_reason"], "end_turn");
    assert_eq!(answer["content"][0]["text"], "18 degrees\n[image/png, 12 base64 characters]");
    body["messages"][2]["content"] =
        json!([{"type": "tool_result", "tool_use_id": "call_1", "is_error": true, "content": "no"}]);
    let answer = server.client.post(PATH, &body).await.expect(200);
    assert_eq!(answer["content"][0]["text"], "[failed]\nno");
    body["messages"][2]["content"] = json!([{"type": "tool_result", "tool_use_id": "call_1"}]);
    assert_eq!(server.client.post(PATH, &body).await.expect(200)["content"], json!([]));
}

#[tokio::test]
async fn calls_in_a_stream_stand_one_after_another() {
    let server = Server::echo().await;
    for text in [
        r#"[[tool get_weather {"city":"Paris"}]]"#,
        r#"[[tool now]]"#,
        r#"Both: [[tool get_weather {"city":"Paris"}]] [[tool get_time {"zone":"UTC","deep":{"a":["}"]}}]] [[tool now]]"#,
        r#"[[think first]] one [[tool now]] two [[tool get_time {"zone":"UTC"}]] three"#,
        r#"[[stop complete]] [[tool now]]"#,
    ] {
        let whole = server.client.post(PATH, &weather(text)).await.expect(200);
        let said = grammar::anthropic(&server.client.send(&streamed(weather(text))).await.events());
        assert_eq!(said.stop.as_deref(), Some("tool_use"), "{text}");
        assert_eq!(whole["stop_reason"], "tool_use", "{text}");
        assert_eq!(json!(said.of("tool_use")), json!(calls(&whole)), "{text}");
        let words = |content: &[Value]| content.iter().filter_map(|block| block["text"].as_str()).collect::<String>();
        assert_eq!(words(&said.content), words(whole["content"].as_array().unwrap()), "{text}");
    }
}

fn calls(answer: &Value) -> Vec<Value> {
    let content = answer["content"].as_array().unwrap();
    content.iter().filter(|block| block["type"] == "tool_use").cloned().collect()
}

#[tokio::test]
async fn whether_tools_are_used_can_be_chosen() {
    let server = Server::echo().await;
    for (choice, called) in [
        (json!({"type": "any"}), Some("get_weather")),
        (json!({"type": "tool", "name": "now", "disable_parallel_tool_use": true}), Some("now")),
        (json!({"type": "auto"}), None),
        (json!({"type": "none"}), None),
    ] {
        let mut body = weather("Hello!");
        body["tool_choice"] = choice.clone();
        let answer = server.client.post(PATH, &body).await.expect(200);
        let called_name = calls(&answer).first().map(|call| call["name"].as_str().unwrap().to_owned());
        assert_eq!(called_name.as_deref(), called, "{choice}: {answer}");
    }
    let mut body = weather("[[tool now]] [[tool get_time]]");
    body["tool_choice"] = json!({"type": "auto", "disable_parallel_tool_use": true});
    shape::anthropic(&server.client.post(PATH, &body).await, 400, "invalid_request_error");
    body["tool_choice"] = json!({"type": "none"});
    shape::anthropic(&server.client.post(PATH, &body).await, 400, "invalid_request_error");
}
