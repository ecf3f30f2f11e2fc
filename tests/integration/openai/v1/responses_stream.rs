//! Tests of `POST /openai/v1/responses`, answered as a stream.

use serde_json::{Value, json};

use crate::client::Request;
use crate::grammar::{self, Answered};
use crate::harness::Server;
use crate::shape;

const PATH: &str = "/openai/v1/responses";

fn asks(text: &str) -> Value {
    let tool = |name: &str| json!({"type": "function", "name": name, "parameters": {"type": "object"}});
    let custom = json!({"type": "custom", "name": "apply_patch", "format": {"type": "grammar", "syntax": "lark", "definition": "start: /x/"}});
    json!({"model": "claude", "input": text, "tools": [tool("get_weather"), tool("get_time"), tool("now"), custom]})
}

fn request(text: &str) -> Request {
    let mut body = asks(text);
    body["stream"] = json!(true);
    Request::new("POST", PATH).json(&body)
}

async fn said(server: &Server, text: &str) -> Answered {
    grammar::responses(&server.client.send(&request(text)).await.events())
}

/// An item without what is its own in every answer.
fn plain(item: &Value) -> Value {
    let mut item = item.clone();
    item.as_object_mut().unwrap().shift_remove("id");
    item
}

#[tokio::test]
async fn a_stream_says_what_an_answer_says() {
    let server = Server::echo().await;
    for text in [
        "Hello, dear world!",
        "naïve café 日本語 🦀",
        "data: [DONE]\n\n",
        "",
        "\u{0}\u{1f}\"\\",
        "[[think deep thoughts]] done",
        "no [[refuse I will not]]",
        "[[stop length]] cut",
        "[[stop refusal]] cut",
        r#"both: [[tool get_weather {"city":"Paris"}]] [[tool get_time {"zone":"UTC"}]]"#,
        "[[tool now {}]]",
        r#"[[think first]] a patch: [[tool apply_patch {"input":"*** Begin \"Patch\"\n"}]]"#,
    ] {
        let whole = server.client.post(PATH, &asks(text)).await.expect(200);
        let said = said(&server, text).await;
        let items = |items: &[Value]| items.iter().map(plain).collect::<Vec<_>>();
        assert_eq!(items(&said.items), items(whole["output"].as_array().unwrap()), "{text}");
        for name in ["status", "usage", "incomplete_details", "model", "tools"] {
            assert_eq!(said.response[name], whole[name], "{text}: {name}");
        }
    }
}

#[tokio::test]
async fn words_come_in_pieces() {
    let server = Server::echo().await;
    let said = said(&server, "[[repeat 2000]] tick ").await;
    assert_eq!((said.text.matches("tick").count(), said.deltas), (2000, 2000));
    assert_eq!(said.of("message").len(), 1);
}

#[tokio::test]
async fn parallel_calls_come_one_after_another() {
    let server = Server::echo().await;
    let said = said(&server, r#"[[tool get_weather {"city":"Paris"}]] [[tool get_time {"zone":"UTC"}]]"#).await;
    let calls = said.of("function_call");
    let told: Vec<_> =
        calls.iter().map(|call| (call["name"].as_str().unwrap(), call["arguments"].as_str().unwrap())).collect();
    assert_eq!(told, [("get_weather", r#"{"city":"Paris"}"#), ("get_time", r#"{"zone":"UTC"}"#)]);
    assert_ne!(calls[0]["call_id"], calls[1]["call_id"]);
    assert!(calls.iter().all(|call| call["id"].as_str().unwrap().starts_with("fc_") && call["status"] == "completed"));
}

#[tokio::test]
async fn a_tool_of_free_text_is_called_with_free_text() {
    let server = Server::echo().await;
    let patch = "*** Begin Patch\n*** Update File: a \"quoted\" name\n*** End Patch\n";
    let directive = format!("[[tool apply_patch {}]]", json!({"input": patch}));
    let said = said(&server, &directive).await;
    let call = said.of("custom_tool_call")[0];
    assert_eq!((&call["name"], &call["input"]), (&json!("apply_patch"), &json!(patch)));
    assert!(call["id"].as_str().unwrap().starts_with("ctc_"), "{call}");
}

#[tokio::test]
async fn a_failure_before_the_first_word_has_a_status() {
    let server = Server::echo().await;
    let reply = server.client.send(&request("[[fail rate-limited come back later]]")).await;
    let error = shape::openai(&reply, 429, "rate_limit_error");
    assert!(error["message"].as_str().unwrap().contains("come back later"));
}

#[tokio::test]
async fn a_failure_after_the_first_word_is_the_last_word() {
    let server = Server::echo().await;
    for (kind, code) in [
        ("rate-limited", "rate_limit_exceeded"),
        ("context-too-long", "context_length_exceeded"),
        ("upstream", "server_error"),
        ("overloaded", "server_error"),
    ] {
        let said = said(&server, &format!("one two [[fail {kind} no more today]] three")).await;
        assert_eq!((said.status(), said.text.trim()), ("failed", "one two"));
        let error = &said.response["error"];
        assert_eq!(error["code"], code, "{error}");
        assert!(error["message"].as_str().unwrap().contains("no more today"), "{error}");
        assert!(said.items.is_empty(), "what broke off is not whole: {:?}", said.items);
    }
}

#[tokio::test]
async fn a_failure_says_when_to_try_again() {
    let server = Server::echo().await;
    let said = said(&server, "one [[fail rate-limited 2500 slow down]]").await;
    assert!(said.response["error"]["message"].as_str().unwrap().ends_with("try again in 3 s"), "{:?}", said.response);
}

#[tokio::test]
async fn words_come_as_they_are_made() {
    let server = Server::echo().await;
    let mut stream = server.client.stream(&request("one [[wait 60000]] two")).await;
    let mut text = String::new();
    while !text.contains("one") {
        text += stream.next().await.unwrap().json()["delta"].as_str().unwrap_or_default();
    }
    assert!(!text.contains("two"));
}
