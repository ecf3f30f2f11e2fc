//! Tools of the server, asked for by name on the vendors' surfaces: they are used on the way, and the caller reads one answer.

use serde_json::{Value, json};

use crate::client::Reply;
use crate::harness::Server;
use crate::upstream::openai::{self, call, call_begins, call_goes_on, calling, calls, words};
use crate::upstream::{Answer, Upstream};

const OWN: &str = "mortise";
const MODEL: &str = "openai/gpt-4o";

fn question(streaming: bool, surface: &str) -> (&'static str, Value) {
    let tools = json!([{"type": OWN, "name": "calculate"}]);
    let message = json!([{"role": "user", "content": "6*7?"}]);
    match surface {
        "chat" => (
            "/openai/v1/chat/completions",
            json!({"model": MODEL, "messages": message, "tools": tools, "stream": streaming}),
        ),
        "responses" => {
            ("/openai/v1/responses", json!({"model": MODEL, "input": "6*7?", "tools": tools, "stream": streaming}))
        }
        _ => (
            "/anthropic/v1/messages",
            json!({"model": MODEL, "max_tokens": 100, "messages": message, "tools": tools, "stream": streaming}),
        ),
    }
}

/// The text of a whole answer, and the tokens that it says it took.
fn read(surface: &str, body: &Value) -> (String, Value) {
    let (text, read) = match surface {
        "chat" => (&body["choices"][0]["message"]["content"], &body["usage"]["prompt_tokens"]),
        "responses" => (&body["output"][0]["content"][0]["text"], &body["usage"]["input_tokens"]),
        _ => (&body["content"][0]["text"], &body["usage"]["input_tokens"]),
    };
    (text.as_str().unwrap_or_default().to_owned(), read.clone())
}

/// The text of a streamed answer.
fn spoken(surface: &str, reply: &Reply) -> String {
    let events = reply.events();
    let said = |event: &Value| match surface {
        "chat" => event["choices"][0]["delta"]["content"].as_str().map(str::to_owned),
        "responses" => {
            (event["type"] == "response.output_text.delta").then(|| event["delta"].as_str().unwrap().to_owned())
        }
        _ => event["delta"]["text"].as_str().map(str::to_owned),
    };
    events.iter().filter(|event| event.data != "[DONE]").filter_map(|event| said(&event.json())).collect()
}

#[tokio::test]
async fn a_tool_is_used_on_the_way_and_the_caller_reads_one_answer() {
    for surface in ["chat", "responses", "messages"] {
        let upstream = Upstream::script([
            Answer::json(&calling(&[call("c1", "calculate", r#"{"expression": "6*7"}"#)])),
            Answer::json(&openai::completion("It is 42.")),
        ])
        .await;
        let server = Server::vendor(&upstream, "").await;
        let (path, body) = question(false, surface);
        let answer = server.client.post(path, &body).await.expect(200);
        assert_eq!(read(surface, &answer), ("It is 42.".to_owned(), json!(18)), "{surface}: {answer}");
        let first = upstream.request(0).await.json();
        assert_eq!(first["tools"][0]["function"]["name"], "calculate", "{surface}: {first}");
        assert_eq!(first["tools"].as_array().unwrap().len(), 1, "{surface}: {first}");
        let second = upstream.request(1).await.json();
        let result = second["messages"].as_array().unwrap().last().unwrap();
        assert_eq!((&result["role"], &result["content"]), (&json!("tool"), &json!("42")), "{surface}: {second}");
    }
}

#[tokio::test]
async fn a_stream_is_one_answer_too() {
    for surface in ["chat", "responses", "messages"] {
        let first = calls(vec![call_begins(0, "c1", "calculate"), call_goes_on(0, r#"{"expression": "6*7"}"#)]);
        let upstream = Upstream::script([Answer::stream(&first), Answer::stream(&words(&["It is ", "42."]))]).await;
        let server = Server::vendor(&upstream, "").await;
        let (path, body) = question(true, surface);
        // Every stream is read by its surface's grammar.
        let reply = server.client.post(path, &body).await;
        assert_eq!(spoken(surface, &reply), "It is 42.", "{surface}: {}", reply.text());
        assert!(!reply.text().contains("calculate") || surface == "responses", "{surface}: {}", reply.text());
    }
}

#[tokio::test]
async fn a_callers_own_tool_still_comes_back_to_the_caller() {
    let both = [call("c1", "calculate", r#"{"expression": "1"}"#), call("c2", "mine", "{}")];
    let upstream = Upstream::always(Answer::json(&calling(&both))).await;
    let server = Server::vendor(&upstream, "").await;
    let (path, mut body) = question(false, "chat");
    let own = json!({"type": "function", "function": {"name": "mine"}});
    body["tools"].as_array_mut().unwrap().push(own);
    let answer = server.client.post(path, &body).await.expect(200);
    let calls = answer["choices"][0]["message"]["tool_calls"].as_array().unwrap();
    assert_eq!((calls.len(), &calls[0]["function"]["name"]), (1, &json!("mine")), "{answer}");
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
}

#[tokio::test]
async fn a_tool_that_has_to_be_called_is_called_once() {
    let upstream = Upstream::script([
        Answer::json(&calling(&[call("c1", "calculate", r#"{"expression": "6*7"}"#)])),
        Answer::json(&openai::completion("It is 42.")),
    ])
    .await;
    let server = Server::vendor(&upstream, "").await;
    let (path, mut body) = question(false, "chat");
    body["tool_choice"] = json!("required");
    server.client.post(path, &body).await.expect(200);
    let choices = [upstream.request(0).await.json(), upstream.request(1).await.json()];
    assert_eq!((&choices[0]["tool_choice"], &choices[1]["tool_choice"]), (&json!("required"), &json!("auto")));
}

#[tokio::test]
async fn a_tool_that_there_is_none_of_is_named() {
    let server = Server::echo().await;
    for surface in ["chat", "responses", "messages"] {
        for (name, word) in [(json!("nothing_like_it"), "nothing_like_it"), (Value::Null, "name")] {
            let (path, mut body) = question(false, surface);
            body["tools"][0]["name"] = name;
            let told = server.client.post(path, &body).await.expect(400).to_string();
            assert!(told.contains(word) && told.contains("/api/v1/tools"), "{surface}: {told}");
        }
    }
}
