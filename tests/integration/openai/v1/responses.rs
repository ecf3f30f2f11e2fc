//! Tests of `POST /openai/v1/responses`, answered whole.

use serde_json::{Value, json};

use crate::client::Request;
use crate::harness::Server;
use crate::{shape, snapshot};

const PATH: &str = "/openai/v1/responses";

fn asks(text: &str) -> Value {
    json!({"model": "claude", "input": text})
}

fn function(name: &str) -> Value {
    json!({"type": "function", "name": name, "strict": false, "parameters": {"type": "object", "properties": {}}})
}

#[tokio::test]
async fn an_answer_has_the_vendors_shape_under_both_roots() {
    let server = Server::echo().await;
    snapshot!(server.client.post(PATH, &asks("Hello!")).await, 200);
    let other = server.client.post("/v1/responses", &asks("Hello!")).await.expect(200);
    assert_eq!(other["output"][0]["content"][0]["text"], "Hello!");
}

#[tokio::test]
async fn an_answer_repeats_what_was_asked() {
    let server = Server::echo().await;
    let mut body = asks("[[repeat 20]] word ");
    let shown = json!({
        "instructions": "Be brief.", "max_output_tokens": 5, "metadata": {"a": "b"}, "parallel_tool_calls": false,
        "prompt_cache_key": "k", "reasoning": {"effort": "low", "summary": "auto"}, "safety_identifier": "u",
        "temperature": 0.5, "top_p": 0.9, "tool_choice": "auto", "tools": [function("f")], "truncation": "auto",
        "service_tier": "flex", "text": {"format": {"type": "text"}}, "max_tool_calls": 3, "user": "v",
    });
    body.as_object_mut().unwrap().extend(shown.as_object().unwrap().clone());
    body["store"] = json!(true);
    let answer = server.client.post(PATH, &body).await.expect(200);
    for (name, value) in shown.as_object().unwrap() {
        assert_eq!(answer[name], *value, "{name}");
    }
    assert_eq!((&answer["store"], &answer["status"]), (&json!(true), &json!("incomplete")));
    assert_eq!(answer["incomplete_details"], json!({"reason": "max_output_tokens"}));
    assert_eq!(answer["output"][0]["status"], "incomplete");
}

#[tokio::test]
async fn items_of_every_kind_make_a_conversation() {
    let server = Server::echo().await;
    let body = json!({"model": "claude", "tools": [function("f")], "input": [
        {"role": "system", "content": "Be brief."},
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be kind."}]},
        {"role": "user", "content": "first"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "sig"},
        {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "phase": "commentary",
            "content": [{"type": "output_text", "text": "second", "annotations": []}]},
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}", "status": "completed"},
        {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "third"}]},
        {"role": "user", "content": [
            {"type": "input_text", "text": "Look:"},
            {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAAAA"},
            {"type": "input_image", "file_id": "file-7"},
        ]},
    ]});
    let answer = server.client.post(PATH, &body).await.expect(200);
    let said = answer["output"][0]["content"][0]["text"].as_str().unwrap();
    let told = ["Look:", "[image/png, 4 base64", "[application/pdf, 6 base64", "file file-7"];
    assert!(told.iter().all(|part| said.contains(part)) && !said.contains("first"), "{said}");
}

#[tokio::test]
async fn thoughts_and_refusals_are_items_and_parts_of_their_own() {
    let server = Server::echo().await;
    let answer =
        server.client.post(PATH, &asks("[[think deep thoughts]] done [[refuse but no more]]")).await.expect(200);
    assert_eq!(answer["output"][0]["summary"], json!([{"type": "summary_text", "text": "deep thoughts"}]));
    let content = &answer["output"][1]["content"];
    assert_eq!((&content[0]["type"], &content[1]["type"]), (&json!("output_text"), &json!("refusal")), "{answer}");
    assert_eq!(content[1]["refusal"], "but no more");
}

#[tokio::test]
async fn what_needs_memory_is_refused_with_a_cure() {
    let server = Server::echo().await;
    let bad = [
        ("conversation", json!("conv_1"), "input"),
        ("conversation", json!({"id": "conv_1"}), "input"),
        ("background", json!(true), "stream"),
        ("input", json!([{"type": "item_reference", "id": "msg_1"}]), "send the item itself"),
    ];
    for (name, value, cure) in bad {
        let mut body = asks("Hello!");
        body[name] = value.clone();
        let error = shape::openai(&server.client.post(PATH, &body).await, 400, "invalid_request_error");
        assert!(error["param"].as_str().unwrap().starts_with(name), "{error}");
        assert!(error["message"].as_str().unwrap().contains(cure), "{error}");
        assert_eq!(error["code"], "unsupported_parameter");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_by_name() {
    let server = Server::echo().await;
    let bad = [
        ("model", Value::Null),
        ("model", json!("")),
        ("input", Value::Null),
        ("input", json!([])),
        ("input", json!(7)),
        ("input", json!([{"role": "king", "content": "x"}])),
        ("input", json!([{"role": "user"}])),
        ("input", json!([{"role": "user", "content": [{"type": "input_image", "image_url": "file:///etc/passwd"}]}])),
        ("input", json!([{"type": "function_call", "call_id": "c"}])),
        ("input", json!([{"type": "function_call_output", "output": "x"}])),
        ("input", json!([{"type": "custom_tool_call", "call_id": "c", "name": "f"}])),
        ("max_output_tokens", json!(0)),
        ("temperature", json!(2.1)),
        ("stream", json!("yes")),
        ("store", json!("yes")),
        ("tools", json!({})),
        ("tools", json!([{"type": "function"}])),
        ("tool_choice", json!("sometimes")),
        ("tool_choice", json!({"type": "function"})),
        ("text", json!({"format": {"type": "yaml"}})),
        ("include", json!("everything")),
    ];
    for (name, value) in bad {
        let mut body = asks("Hello!");
        body[name] = value.clone();
        let error = shape::openai(&server.client.post(PATH, &body).await, 400, "invalid_request_error");
        let param = error["param"].as_str().unwrap_or_default();
        let same = param == name || param.starts_with(&format!("{name}[")) || param.starts_with(&format!("{name}."));
        assert!(same, "{name} = {value}: {error}");
    }
    let mut body = asks("Hello!");
    body["model"] = json!("no-such-model");
    let error = shape::openai(&server.client.post(PATH, &body).await, 404, "invalid_request_error");
    assert_eq!(error["code"], "model_not_found");
}

#[tokio::test]
async fn a_schema_shapes_the_text() {
    let server = Server::echo().await;
    let mut body = asks("Hello!");
    body["text"] = json!({"format": {"type": "json_schema", "name": "n", "strict": true, "schema": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
    }}});
    let answer = server.client.post(PATH, &body).await.expect(200);
    assert_eq!(answer["output"][0]["content"][0]["text"], r#"{"city":""}"#);
}

#[tokio::test]
async fn a_conversation_goes_on_from_an_answer_that_was_kept() {
    let server = Server::echo().await;
    let first = server.client.post(PATH, &asks("one")).await.expect(200);
    assert_eq!((&first["store"], &first["previous_response_id"]), (&json!(true), &Value::Null));
    let at = |answer: &Value| format!("{PATH}/{}", answer["id"].as_str().unwrap());
    assert_eq!(server.client.get(&at(&first)).await.expect(200), first);
    let mut body = asks("two three");
    body["previous_response_id"] = first["id"].clone();
    body["stream"] = json!(true);
    let events = server.client.post(PATH, &body).await.events();
    let last: Value = serde_json::from_str(&events.last().unwrap().data).unwrap();
    let second = &last["response"];
    assert_eq!(second["usage"]["input_tokens"], 4, "one word from each side before, and two now: {second}");
    assert_eq!(second["previous_response_id"], first["id"]);
    assert_eq!(server.client.get(&at(second)).await.expect(200), *second);
    let mut body = asks("four");
    (body["previous_response_id"], body["store"]) = (second["id"].clone(), json!(false));
    let third = server.client.post(PATH, &body).await.expect(200);
    assert_eq!((&third["usage"]["input_tokens"], &third["store"]), (&json!(7), &json!(false)));
    // What isn't kept can't be gone on from, nor what isn't there any more.
    let gone = Request::new("DELETE", &at(&first));
    assert_eq!(server.client.send(&gone).await.expect(200)["deleted"], true);
    shape::openai(&server.client.send(&gone).await, 404, "invalid_request_error");
    for id in [&third["id"], &second["id"], &json!("resp_1")] {
        let mut body = asks("five");
        body["previous_response_id"] = id.clone();
        let error = shape::openai(&server.client.post(PATH, &body).await, 400, "invalid_request_error");
        assert_eq!(error["param"], "previous_response_id");
    }
    shape::openai(&server.client.get(&at(&third)).await, 404, "invalid_request_error");
}
