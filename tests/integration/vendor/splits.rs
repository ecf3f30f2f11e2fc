//! However the vendor's bytes are cut on their way, the caller reads the same.

use serde_json::json;

use super::{native, request};
use crate::grammar;
use crate::harness::Server;
use crate::upstream::openai::{call_begins, call_goes_on, chunk, completion, opening, usage_chunk, word, words};
use crate::upstream::{Answer, Upstream};

const TEXT: &str = "é€🦀 naïve";

/// Short, so that every place in it can be tried.
fn stream() -> Answer {
    Answer::stream(&[opening(), word(TEXT), chunk(json!({}), Some("stop")), usage_chunk(1, 2)])
}

#[tokio::test]
async fn a_stream_cut_anywhere_is_the_same() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    let mut connection = server.client.connect().await;
    upstream.then(stream());
    let whole = grammar::openai(&connection.exchange(&request(true)).await.events(), true);
    assert_eq!(whole.text, TEXT);
    for at in 1..stream().len() {
        upstream.then(stream().split(&[at]));
        let said = grammar::openai(&connection.exchange(&request(true)).await.events(), true);
        assert_eq!(
            (said.text, said.finish, said.usage),
            (whole.text.clone(), whole.finish.clone(), whole.usage.clone()),
            "cut at {at}"
        );
    }
}

#[tokio::test]
async fn a_stream_in_single_bytes_is_the_same() {
    let upstream = Upstream::script([stream().every_byte(), stream().trickle(), stream().every_byte().trickle()]).await;
    let server = Server::vendor(&upstream, "").await;
    for _ in 0..3 {
        let said = grammar::openai(&server.client.send(&request(true)).await.events(), true);
        assert_eq!((said.text.as_str(), said.finish.as_deref()), (TEXT, Some("stop")));
    }
    upstream.then(stream().every_byte());
    assert_eq!(grammar::chat(&server.client.send(&native(true)).await.events()).text, TEXT);
}

#[tokio::test]
async fn a_whole_answer_in_single_bytes_is_the_same() {
    let body = Answer::json(&completion(TEXT));
    let upstream = Upstream::script([body.clone().every_byte(), body.trickle()]).await;
    let server = Server::vendor(&upstream, "").await;
    for _ in 0..2 {
        let answer = server.client.send(&request(false)).await.expect(200);
        assert_eq!(answer["choices"][0]["message"]["content"], TEXT);
    }
}

#[tokio::test]
async fn tool_arguments_in_single_bytes_are_the_same() {
    let pieces = vec![call_begins(0, "call_a", "f"), call_goes_on(0, r#"{"city":"Zürich"}"#)];
    let answer = Answer::stream(&crate::upstream::openai::calls(pieces)).every_byte();
    let upstream = Upstream::always(answer).await;
    let server = Server::vendor(&upstream, "").await;
    let said = grammar::openai(&server.client.send(&request(true)).await.events(), true);
    assert_eq!(said.calls[0].arguments, r#"{"city":"Zürich"}"#);
}

/// The forms that the standard of server-sent events allows for the same events.
#[tokio::test]
async fn every_form_of_an_event_is_read() {
    let events = words(&["one ", "two"]);
    let plain = crate::upstream::openai::sse(&events) + "data: [DONE]\n\n";
    let spread = |event: &serde_json::Value| {
        let lines = serde_json::to_string_pretty(event).unwrap().replace('\n', "\ndata: ");
        format!("data: {lines}\n\n")
    };
    let forms = [
        ("CRLF", plain.replace('\n', "\r\n")),
        ("CR", plain.replace('\n', "\r")),
        ("no blank after the colon", plain.replace("data: ", "data:")),
        ("comments", plain.replace("data: ", ": alive\n\ndata: ")),
        ("other fields", plain.replace("data: ", "id: 7\nretry: 10\nevent: message\nunknown: x\ndata: ")),
        ("a byte-order mark", format!("\u{feff}{plain}")),
        ("data on several lines", events.iter().map(spread).collect::<String>() + "data: [DONE]\n\n"),
        ("no blank line at the end", plain.trim_end().to_owned() + "\n"),
        ("empty events", plain.replace("data: ", "data:\n\nevent: ping\n\ndata: ")),
    ];
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    for (form, text) in forms {
        for answer in [Answer::text(text.clone()), Answer::text(text).every_byte()] {
            upstream.then(answer);
            let reply = server.client.send(&request(true)).await;
            assert_eq!(reply.status(), 200, "{form}: {}", reply.text());
            assert_eq!(grammar::openai(&reply.events(), true).text, "one two", "{form}");
        }
    }
}
