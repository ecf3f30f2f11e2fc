//! Tests of `POST /openai/v1/chat/completions`, answered as a stream.

use serde_json::{Value, json};

use crate::client::Request;
use crate::harness::Server;
use crate::{grammar, shape};

const PATH: &str = "/openai/v1/chat/completions";

fn asks(text: &str, usage: bool) -> Request {
    let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
    let mut body = json!({
        "model": "claude", "messages": [{"role": "user", "content": text}], "stream": true,
        "tools": [tool("get_weather"), tool("get_time"), tool("now")],
    });
    if usage {
        body["stream_options"] = json!({"include_usage": true});
    }
    Request::new("POST", PATH).json(&body)
}

#[tokio::test]
async fn a_stream_says_what_an_answer_says() {
    let server = Server::echo().await;
    for text in ["Hello, dear world!", "naïve café 日本語 🦀", "data: [DONE]\n\n", "", "\u{0}\u{1f}\"\\"] {
        for usage in [false, true] {
            let request = asks(text, usage);
            let mut body: Value = serde_json::from_slice(&request.body).unwrap();
            body.as_object_mut().unwrap().retain(|name, _| !name.starts_with("stream"));
            let whole = server.client.post(PATH, &body).await.expect(200);
            let said = grammar::openai(&server.client.send(&request).await.events(), usage);
            assert_eq!(said.text, whole["choices"][0]["message"]["content"].as_str().unwrap_or_default());
            assert_eq!(said.finish.as_deref(), Some("stop"));
            assert_eq!(said.usage, usage.then(|| whole["usage"].clone()));
            assert_eq!(said.model, whole["model"].as_str().unwrap());
        }
    }
}

#[tokio::test]
async fn usage_is_told_only_if_asked() {
    let server = Server::echo().await;
    for options in [json!({"include_usage": false}), json!({}), Value::Null] {
        let body = json!({"model": "claude", "messages": [{"role": "user", "content": "x"}], "stream": true,
            "stream_options": options});
        let reply = server.client.post(PATH, &body).await;
        assert_eq!(grammar::openai(&reply.events(), false).usage, None, "{options}");
    }
}

#[tokio::test]
async fn tool_calls_come_in_pieces_with_their_index() {
    let server = Server::echo().await;
    let text = r#"[[tool get_weather {"city":"Paris"}]] [[tool get_time {"zone":"UTC"}]]"#;
    let said = grammar::openai(&server.client.send(&asks(text, true)).await.events(), true);
    assert_eq!(said.finish.as_deref(), Some("tool_calls"));
    let calls: Vec<(&str, Value)> =
        said.calls.iter().map(|call| (call.name.as_str(), serde_json::from_str(&call.arguments).unwrap())).collect();
    assert_eq!(calls, [("get_weather", json!({"city": "Paris"})), ("get_time", json!({"zone": "UTC"}))]);
}

#[tokio::test]
async fn a_call_without_arguments_has_an_empty_object() {
    let server = Server::echo().await;
    let said = grammar::openai(&server.client.send(&asks("[[tool now {}]]", false)).await.events(), false);
    assert_eq!(said.calls[0].arguments, "{}");
}

#[tokio::test]
async fn a_tool_of_free_text_is_called_with_free_text() {
    let server = Server::echo().await;
    let mut body = json!({"model": "claude", "messages": [{"role": "user", "content": r#"[[tool patch {"input":"a \"b\""}]]"#}],
        "tools": [{"type": "custom", "custom": {"name": "patch"}}]});
    let whole = server.client.post(PATH, &body).await.expect(200);
    let call = &whole["choices"][0]["message"]["tool_calls"][0];
    assert_eq!((&call["type"], &call["custom"]), (&json!("custom"), &json!({"name": "patch", "input": "a \"b\""})));
    body["stream"] = json!(true);
    let said = grammar::openai(&server.client.post(PATH, &body).await.events(), false);
    assert_eq!((said.calls[0].name.as_str(), said.calls[0].arguments.as_str()), ("patch", "a \"b\""));
}

#[tokio::test]
async fn functions_from_before_there_were_tools_still_work() {
    let server = Server::echo().await;
    let mut body = json!({"model": "claude", "functions": [{"name": "now"}], "function_call": "auto",
        "messages": [{"role": "user", "content": "[[tool now {}]]"}]});
    let whole = server.client.post(PATH, &body).await.expect(200);
    let (message, finish) = (whole["choices"][0]["message"].clone(), &whole["choices"][0]["finish_reason"]);
    assert_eq!(
        (&message["function_call"], finish),
        (&json!({"name": "now", "arguments": "{}"}), &json!("function_call"))
    );
    assert!(message.get("tool_calls").is_none(), "{message}");
    body["stream"] = json!(true);
    let said = grammar::openai(&server.client.post(PATH, &body).await.events(), false);
    assert_eq!((said.calls[0].name.as_str(), said.finish.as_deref()), ("now", Some("function_call")));
    body["messages"]
        .as_array_mut()
        .unwrap()
        .extend([message, json!({"role": "function", "name": "now", "content": "noon"})]);
    let said = grammar::openai(&server.client.post(PATH, &body).await.events(), false);
    assert!(said.text.contains("noon"), "{said:?}");
}

#[tokio::test]
async fn a_tool_that_only_a_vendor_has_is_refused_by_name() {
    let server = Server::echo().await;
    for (path, input) in [(PATH, "messages"), ("/v1/responses", "input")] {
        let mut body = json!({"model": "claude", "tools": [{"type": "web_search"}]});
        body[input] = json!([{"role": "user", "content": "Hello!"}]);
        let error = shape::openai(&server.client.post(path, &body).await, 400, "invalid_request_error");
        assert!(error["message"].as_str().unwrap().contains("`web_search`"), "{error}");
    }
}

#[tokio::test]
async fn reasoning_comes_beside_the_answer() {
    let server = Server::echo().await;
    let said = grammar::openai(&server.client.send(&asks("[[think deep thoughts]] done", false)).await.events(), false);
    assert_eq!((said.reasoning.as_str(), said.text.trim()), ("deep thoughts", "done"));
}

#[tokio::test]
async fn the_reason_of_the_end_is_told() {
    let server = Server::echo().await;
    let said = grammar::openai(&server.client.send(&asks("[[stop length]] cut", false)).await.events(), false);
    assert_eq!(said.finish.as_deref(), Some("length"));
}

#[tokio::test]
async fn a_long_answer_comes_whole() {
    let server = Server::echo().await;
    let said = grammar::openai(&server.client.send(&asks("[[repeat 20000]] tick ", false)).await.events(), false);
    assert_eq!(said.text.matches("tick").count(), 20_000);
}

#[tokio::test]
async fn a_refusal_before_the_first_word_has_a_status() {
    let server = Server::echo().await;
    let reply = server.client.send(&asks("[[fail rate-limited come back later]]", false)).await;
    assert_eq!(reply.status(), 429, "{}", reply.text());
    assert!(shape::message(&reply).contains("come back later"));
}

#[tokio::test]
async fn words_come_as_they_are_made() {
    let server = Server::echo().await;
    let mut stream = server.client.stream(&asks("one [[wait 60000]] two", false)).await;
    let mut text = String::new();
    while !text.contains("one") {
        text += stream.next().await.unwrap().json()["choices"][0]["delta"]["content"].as_str().unwrap_or_default();
    }
    assert!(!text.contains("two"));
}

#[tokio::test]
async fn a_failure_after_the_first_word_is_told_in_the_stream() {
    let server = Server::echo().await;
    let reply = server.client.send(&asks("one two [[fail rate-limited no more today]] three", true)).await;
    let said = grammar::openai(&reply.events(), true);
    assert_eq!((said.text.trim(), said.finish, said.usage), ("one two", None, None));
    let error = said.error.expect("an error");
    assert!(error["message"].as_str().unwrap().contains("no more today"), "{error}");
    assert_eq!(error["type"], "rate_limit_error");
}
