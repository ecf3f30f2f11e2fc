//! Tests of `POST /anthropic/v1/messages`, answered as a stream.

use serde_json::json;

use super::{PATH, asks, streamed};
use crate::grammar;
use crate::harness::{ECHO, Server};

#[tokio::test]
async fn a_stream_says_what_an_answer_says() {
    let server = Server::echo().await;
    for text in [
        "Hello, dear world!",
        "naïve café 日本語 🦀",
        "event: message_stop\n\n",
        "",
        "\u{0}\u{1f}\"\\",
        "[[think deep thoughts]] done",
        "[[stop length]] cut",
        "[[refuse not that]]",
        "one [[refuse not two]]",
    ] {
        let whole = server.client.post(PATH, &asks(text)).await.expect(200);
        let said = grammar::anthropic(&server.client.send(&streamed(asks(text))).await.events());
        assert_eq!(json!(said.content), whole["content"], "{text}");
        assert_eq!((said.stop.as_deref(), &said.usage), (whole["stop_reason"].as_str(), &whole["usage"]), "{text}");
        assert_eq!(said.model, whole["model"].as_str().unwrap());
    }
}

#[tokio::test]
async fn a_stop_sequence_is_named() {
    let server = Server::echo().await;
    let mut body = asks("one two three");
    body["stop_sequences"] = json!(["two"]);
    let said = grammar::anthropic(&server.client.send(&streamed(body)).await.events());
    assert_eq!((said.stop.as_deref(), said.sequence.as_deref()), (Some("stop_sequence"), Some("two")));
}

#[tokio::test]
async fn words_come_one_by_one() {
    let server = Server::echo().await;
    let mut stream = server.client.stream(&streamed(asks("one [[wait 60000]] two"))).await;
    let mut seen = Vec::new();
    loop {
        let event = stream.next().await.unwrap();
        seen.push(event.clone());
        if event.data.contains("text_delta") {
            break;
        }
    }
    let names: Vec<&str> = seen.iter().filter_map(|event| event.name.as_deref()).collect();
    assert_eq!(names, ["message_start", "content_block_start", "content_block_delta"]);
}

#[tokio::test]
async fn silence_is_filled_with_pings() {
    let server = Server::start(&format!("{ECHO}server: {{keep_alive_secs: 1}}\n")).await;
    let reply = server.client.send(&streamed(asks("one [[wait 1500]] two"))).await;
    let said = grammar::anthropic(&reply.events());
    assert!(said.pings > 0 && said.text() == "one two", "{said:?}");
    assert!(!reply.text().contains(": keep-alive"), "{}", reply.text());
}

#[tokio::test]
async fn a_failure_in_the_middle_is_an_event_and_no_end() {
    let server = Server::echo().await;
    for text in ["one [[fail overloaded not today]]", "[[think so]] [[fail overloaded not today]]"] {
        let said = grammar::anthropic(&server.client.send(&streamed(asks(text))).await.events());
        let error = said.error.unwrap();
        assert_eq!(error["type"], "overloaded_error", "{error}");
        assert!(error["message"].as_str().unwrap().contains("not today") && said.stop.is_none(), "{error}");
        assert!(!said.content.is_empty());
    }
}
