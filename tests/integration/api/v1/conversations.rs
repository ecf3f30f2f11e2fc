//! Tests of `/api/v1/conversations`.

use serde_json::{Value, json};

use crate::client::Request;
use crate::harness::{ECHO, Server};
use crate::{shape, snapshot};

const PATH: &str = "/api/v1/conversations";

fn at(id: &str) -> String {
    format!("{PATH}/{id}")
}

#[tokio::test]
async fn a_conversation_has_the_documented_shape() {
    let server = Server::echo().await;
    let begun = server.client.post(PATH, &json!({"message": "Create a REST API"})).await.expect(200);
    let id = begun["conversation_id"].as_str().unwrap().to_owned();
    // Another provider goes on with it.
    let more = json!({"conversation_id": id, "message": "Add authentication", "provider": "claude"});
    let more = server.client.post(PATH, &more).await.expect(200);
    assert_eq!(more["messages"].as_array().unwrap().len(), 4);
    let kept = server.client.get(&at(&id)).await.expect(200);
    assert_eq!((&kept["messages"], &kept["message_count"]), (&more["messages"], &json!(4)));
    snapshot!(json!({"begun": begun, "more": more, "kept": kept}));
    let chat = json!({"message": "Add tests", "conversation_id": id});
    server.client.post("/api/v1/chat", &chat).await.expect(200);
    assert_eq!(server.client.get(&at(&id)).await.expect(200)["message_count"], 6);
}

#[tokio::test]
async fn what_is_deleted_is_gone() {
    let server = Server::echo().await;
    let begun = server.client.post(PATH, &json!({"message": "one"})).await.expect(200);
    let path = at(begun["conversation_id"].as_str().unwrap());
    let gone = server.client.send(&Request::new("DELETE", &path)).await;
    assert_eq!((gone.status(), gone.text()), (204, ""));
    for request in [Request::new("DELETE", &path), Request::new("GET", &path)] {
        shape::native(&server.client.send(&request).await, 404, "NOT_FOUND");
    }
    let more = json!({"conversation_id": begun["conversation_id"], "message": "two"});
    shape::native(&server.client.post(PATH, &more).await, 404, "NOT_FOUND");
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let server = Server::echo().await;
    for (body, code) in [
        (json!({}), "MISSING_FIELD"),
        (json!({"message": " "}), "INVALID_VALUE"),
        (json!({"message": 1}), "INVALID_VALUE"),
        (json!({"message": "x", "messages": []}), "INVALID_VALUE"),
    ] {
        shape::native(&server.client.post(PATH, &body).await, 400, code);
    }
    shape::native(&server.client.get(&at("conv-unknown")).await, 404, "NOT_FOUND");
    shape::native(&server.client.get(&at("6f9619ff-8b86-4d01-b42d-00c04fc964ff")).await, 404, "NOT_FOUND");
}

#[tokio::test]
async fn whoever_hangs_up_leaves_what_was_said() {
    let server = Server::echo().await;
    let ask = Request::new("POST", "/api/v1/chat/stream").json(&json!({"message": "first [[wait 60000]] second"}));
    let mut stream = server.client.stream(&ask).await;
    let id = stream.head.header("x-conversation-id").unwrap().to_owned();
    while stream.next().await.is_some_and(|event| event.name.as_deref() != Some("token")) {}
    drop(stream);
    // Who asks for it waits until it is written, but not for the news that somebody hung up.
    let kept = loop {
        let reply = server.client.get(&at(&id)).await;
        match reply.status() {
            404 => tokio::task::yield_now().await,
            _ => break reply.expect(200),
        }
    };
    let messages = kept["messages"].as_array().unwrap();
    assert_eq!(messages[0]["content"], "first [[wait 60000]] second");
    assert_eq!((&messages[1]["complete"], &messages[1]["role"]), (&json!(false), &json!("assistant")), "{kept}");
    assert!(messages[1]["content"].as_str().unwrap().contains("first"), "{kept}");
    // The conversation goes on once the turn is over.
    let more = json!({"conversation_id": id, "message": "and?"});
    let more = server.client.post(PATH, &more).await.expect(200);
    assert_eq!(more["messages"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn two_at_once_stand_one_after_the_other() {
    let server = Server::echo().await;
    let begun = server.client.post(PATH, &json!({"message": "zero"})).await.expect(200);
    let id = begun["conversation_id"].clone();
    let ask = |message: &'static str| {
        let (client, body) = (server.client, json!({"conversation_id": id, "message": message}));
        async move { client.post(PATH, &body).await.expect(200) }
    };
    tokio::join!(ask("one"), ask("two"), ask("three"));
    let kept = server.client.get(&at(id.as_str().unwrap())).await.expect(200);
    let said: Vec<&Value> = kept["messages"].as_array().unwrap().iter().map(|message| &message["content"]).collect();
    assert_eq!(said.len(), 8);
    assert!(said.chunks(2).all(|turn| turn[0] == turn[1]), "{said:?}");
}

#[tokio::test]
async fn conversations_outlive_the_process() {
    let home = tempfile::tempdir().unwrap();
    let yaml = format!("{ECHO}store: {{engine: redb, path: {}/data}}\n", home.path().display());
    let (id, more);
    {
        let mut server = Server::start(&yaml).await;
        let begun = server.client.post("/api/v1/chat", &json!({"message": "one two"})).await.expect(200);
        id = begun["conversation_id"].as_str().unwrap().to_owned();
        server.signal();
        server.ended().await;
    }
    {
        let server = Server::start(&yaml).await;
        more =
            server.client.post("/api/v1/chat", &json!({"message": "three", "conversation_id": id})).await.expect(200);
    }
    assert_eq!(more["tokens_used"]["input"], 5, "{more}");
}
