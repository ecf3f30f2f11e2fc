//! The server in front of Amazon Bedrock: signed requests, and streams in AWS's own framing.

use serde_json::{Value, json};

use super::PATH;
use crate::client::Reply;
use crate::grammar;
use crate::harness::{Server, logged};
use crate::upstream::bedrock::{converse, stream, words};
use crate::upstream::{Answer, Seen, Upstream};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const MODEL: &str = "anthropic.claude-haiku-4-5-20251001-v1:0";

async fn asked(answer: Answer, more: &Value) -> (Reply, Seen) {
    let upstream = Upstream::always(answer).await;
    let server = Server::configured(|home| {
        let key = home.join("key");
        std::fs::write(&key, format!("AKIDEXAMPLE:{SECRET}")).unwrap();
        let url = format!("http://{}", upstream.address());
        format!(
            "providers: {{bedrock: {{base_url: '{url}', api_key: 'file:{}', retries: 0, settings: {{region: eu-west-1}}}}}}",
            key.display()
        )
    })
    .await;
    let mut body = json!({"model": format!("bedrock/{MODEL}"), "messages": [{"role": "user", "content": "Hello!"}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let reply = server.client.post(PATH, &body).await;
    (reply, upstream.request(0).await)
}

#[tokio::test]
async fn requests_are_signed_and_the_key_stays() {
    let (reply, seen) = asked(converse(json!([{"text": "Hi!"}]), "end_turn"), &json!({})).await;
    assert_eq!(reply.expect(200)["choices"][0]["message"]["content"], "Hi!");
    assert_eq!(seen.path, "/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/converse");
    let signature = seen.header("authorization").unwrap();
    assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{signature}");
    assert!(signature.contains("/eu-west-1/bedrock/aws4_request, SignedHeaders="), "{signature}");
    assert!(seen.header("x-amz-date").is_some_and(|date| date.ends_with('Z')));
    assert!(!format!("{seen:?}").contains(SECRET) && !reply.text().contains(SECRET) && !logged().contains(SECRET));
}

#[tokio::test]
async fn a_stream_in_its_own_framing_is_a_stream_like_any_other() {
    let options = json!({"stream": true, "stream_options": {"include_usage": true}});
    let events = words(&["Hi", ", ", "you"]);
    let (reply, seen) = asked(stream(&events).every_byte(), &options).await;
    let said = grammar::openai(&reply.events(), true);
    assert_eq!(said.text, "Hi, you");
    assert!(seen.path.ends_with("/converse-stream"));
}

#[tokio::test]
async fn a_stream_that_is_cut_or_garbled_is_no_answer() {
    let options = json!({"stream": true});
    let events = words(&["Hi", ", ", "you"]);
    let whole = stream(&events);
    // In the middle of the third message.
    let (reply, _) = asked(stream(&events).cut(whole.len() / 2), &options).await;
    assert!(reply.text().contains("\"error\"") && !reply.text().contains("[DONE]"), "{}", reply.text());
    let mut garbled = events.concat();
    let middle = garbled.len() / 2;
    garbled[middle] ^= 0x55;
    let answer = Answer::body(200, "application/vnd.amazon.eventstream", garbled);
    let (reply, _) = asked(answer, &options).await;
    assert!(reply.text().contains("\"error\"") && !reply.text().contains("[DONE]"), "{}", reply.text());
}

#[tokio::test]
async fn the_vendors_words_for_a_refusal_arrive() {
    let answer = Answer::body(429, "application/json", r#"{"message":"Too many tokens, please wait"}"#);
    let (reply, _) = asked(answer, &json!({})).await;
    assert!(reply.expect(429)["error"]["message"].as_str().unwrap().contains("Too many tokens"));
}
