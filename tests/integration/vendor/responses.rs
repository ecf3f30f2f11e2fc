//! A vendor that is asked at `/responses`, for callers who don't speak its dialect.

use serde_json::{Value, json};

use super::{PATH, asks, native};
use crate::client::Request;
use crate::harness::Server;
use crate::upstream::{Answer, Upstream};

const SETTINGS: &str = "    settings: {api: responses}";

fn response(status: &str, output: Value) -> Value {
    json!({
        "id": "resp_1", "object": "response", "created_at": 1_736_245_800, "model": "gpt-5-pro", "status": status,
        "output": output, "error": null, "incomplete_details": null, "tools": [], "instructions": "Be brief.",
        "usage": {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 12,
            "output_tokens_details": {"reasoning_tokens": 5}, "total_tokens": 21},
    })
}

fn message(text: &str) -> Value {
    json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]})
}

fn call() -> Value {
    json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "get_weather",
        "arguments": "{\"city\":\"Köln\"}", "status": "completed"})
}

/// As the vendor frames its events: named, and without a farewell.
fn events(events: &[Value]) -> Answer {
    let frame = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    Answer::text(events.iter().map(frame).collect::<String>())
}

fn streamed() -> Answer {
    let delta = |kind: &str, index: u32, text: &str| json!({"type": format!("response.{kind}.delta"), "output_index": index, "content_index": 0, "delta": text});
    let mut begun = call();
    begun["arguments"] = json!("");
    events(&[
        json!({"type": "response.created", "response": response("in_progress", json!([]))}),
        delta("output_text", 0, "Let me "),
        delta("output_text", 0, "see."),
        json!({"type": "response.output_item.done", "output_index": 0, "item": message("Let me see.")}),
        json!({"type": "response.output_item.added", "output_index": 1, "item": begun}),
        delta("function_call_arguments", 1, "{\"city\":"),
        delta("function_call_arguments", 1, "\"Köln\"}"),
        json!({"type": "response.output_item.done", "output_index": 1, "item": call()}),
        json!({"type": "response.completed", "response": response("completed", json!([message("Let me see."), call()]))}),
    ])
}

async fn server(answer: Answer) -> (Upstream, Server) {
    let upstream = Upstream::always(answer).await;
    let server = Server::vendor(&upstream, SETTINGS).await;
    (upstream, server)
}

#[tokio::test]
async fn a_chat_is_asked_as_items_and_answered_as_a_chat() {
    let whole = response("completed", json!([message("Let me see."), call()]));
    let (upstream, server) = server(Answer::json(&whole)).await;
    let mut body = asks(false);
    body["messages"].as_array_mut().unwrap().insert(0, json!({"role": "system", "content": "Be brief."}));
    body["verbosity"] = json!("low");
    let answer = server.client.post(PATH, &body).await.expect(200);
    let choice = &answer["choices"][0];
    assert_eq!(
        (&choice["message"]["content"], &choice["finish_reason"]),
        (&json!("Let me see."), &json!("tool_calls"))
    );
    assert_eq!(choice["message"]["tool_calls"][0]["function"]["arguments"], "{\"city\":\"Köln\"}");
    assert_eq!(answer["usage"]["completion_tokens"], 12, "{answer}");
    assert_eq!(answer["usage"]["prompt_tokens_details"]["cached_tokens"], 4, "{answer}");
    let seen = upstream.request(0).await;
    assert_eq!(seen.path, "/v1/responses");
    let seen = seen.json();
    assert_eq!((&seen["instructions"], &seen["store"]), (&json!("Be brief."), &json!(false)));
    assert_eq!(seen["text"], json!({"verbosity": "low"}));
    assert_eq!(seen["input"][0]["content"], json!([{"type": "input_text", "text": "Hello!"}]));
}

#[tokio::test]
async fn its_events_become_a_stream_of_chunks() {
    let (_upstream, server) = server(streamed()).await;
    let reply = server.client.send(&Request::new("POST", PATH).json(&asks(true))).await;
    assert!(reply.text().ends_with("data: [DONE]\n\n"), "{}", reply.text());
    let (mut text, mut arguments, mut finish) = (String::new(), String::new(), Value::Null);
    for event in reply.events().iter().filter(|event| event.data != "[DONE]") {
        let chunk: Value = serde_json::from_str(&event.data).unwrap();
        let choice = &chunk["choices"][0];
        text += choice["delta"]["content"].as_str().unwrap_or_default();
        arguments += choice["delta"]["tool_calls"][0]["function"]["arguments"].as_str().unwrap_or_default();
        if !choice["finish_reason"].is_null() {
            finish = choice["finish_reason"].clone();
        }
    }
    assert_eq!((text.as_str(), arguments.as_str()), ("Let me see.", "{\"city\":\"Köln\"}"));
    assert_eq!(finish, "tool_calls");
    let native = server.client.send(&native(true)).await;
    assert_eq!(native.status(), 200);
    assert!(!native.text().contains("[DONE]"), "{}", native.text());
}

#[tokio::test]
async fn an_answer_that_fails_on_the_way_never_ends_well() {
    let begun = json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "Let"});
    let mut failed = response("failed", json!([]));
    failed["error"] = json!({"code": "server_error", "message": "the model fell over"});
    let ends = [
        vec![begun.clone()],
        vec![begun.clone(), json!({"type": "response.failed", "response": failed})],
        vec![begun, json!({"type": "error", "code": "server_error", "message": "the model fell over"})],
    ];
    for end in ends {
        let (_upstream, server) = server(events(&end)).await;
        let reply = server.client.send(&Request::new("POST", PATH).json(&asks(true))).await;
        assert!(reply.text().contains("\"error\""), "{}", reply.text());
        assert!(!reply.text().contains("[DONE]"), "{}", reply.text());
        assert_eq!(reply.text().contains("the model fell over"), end.len() == 2, "{}", reply.text());
    }
}
