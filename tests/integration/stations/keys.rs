//! Who may come in.

use serde_json::json;

use super::{ALICE, BOB, JWT, refused, requests};
use crate::client::{Reply, Request};
use crate::harness::{ECHO, Server};
use crate::{shape, snapshot};

/// A server that knows two keys: one in a file, written with a line end, as editors do.
async fn guarded(more: &str) -> Server {
    Server::configured(|home| {
        let key = home.join("callers.key");
        std::fs::write(&key, format!("{ALICE}\n")).unwrap();
        format!("{ECHO}server:\n  auth: {{api_key: 'file:{}', {more}}}\n", key.display())
    })
    .await
}

#[track_caller]
fn unauthenticated(reply: &Reply, path: &str) {
    refused(reply, path, 401, "AUTHENTICATION_FAILED", "authentication_error");
    assert_eq!(reply.head.header("www-authenticate"), Some("Bearer"), "{path}: {:?}", reply.head);
}

#[tokio::test]
async fn a_key_may_be_shown_in_every_documented_way() {
    let server = guarded("").await;
    let bearer = |scheme: &str| vec![("Authorization".to_owned(), format!("{scheme} {ALICE}"))];
    let key = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    for headers in [
        vec![key("X-API-Key", ALICE)],
        vec![key("x-api-key", ALICE)],
        vec![key("X-Api-Key", &format!("  {ALICE} "))],
        bearer("Bearer"),
        bearer("bearer"),
        bearer("BEARER"),
        // The first one counts, and an empty one is none.
        vec![key("X-API-Key", ALICE), key("Authorization", "Bearer not-this-one")],
        vec![key("X-API-Key", ""), key("Authorization", &format!("Bearer {ALICE}"))],
        vec![key("X-API-Key", ALICE), key("Authorization", "Basic dXNlcjpwYXNz")],
    ] {
        for request in requests() {
            let request = Request { headers: [request.headers.clone(), headers.clone()].concat(), ..request };
            let reply = server.client.send(&request).await;
            assert_eq!(reply.status(), 200, "{} with {headers:?}: {}", request.path, reply.text());
            assert_eq!(reply.head.header("www-authenticate"), None);
        }
    }
}

#[tokio::test]
async fn who_shows_no_good_key_is_refused_in_the_surfaces_words() {
    let server = guarded("").await;
    let almost = &ALICE[..ALICE.len() - 1];
    for headers in [
        vec![],
        vec![("X-API-Key", "wrong")],
        vec![("X-API-Key", almost)],
        vec![("X-API-Key", "wrong"), ("Authorization", ALICE)],
        vec![("Authorization", ALICE)],
        vec![("Authorization", "Bearer ")],
        vec![("Authorization", "Bearer")],
        vec![("Authorization", "Basic dXNlcjpwYXNz")],
        vec![("Authorization", "Bearer caf\u{e9}")],
        vec![("X-API-Key", JWT)],
    ] {
        for request in requests() {
            let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
            unauthenticated(&server.client.send(&request).await, &request.path);
        }
    }
    // The second of two good ways doesn't save the first.
    let request = Request::new("GET", "/v1/models").header("X-API-Key", "wrong");
    let reply = server.client.send(&request.header("Authorization", &format!("Bearer {ALICE}"))).await;
    unauthenticated(&reply, "/v1/models");
    // In the path or the query, where logs would keep it, a key is none.
    let reply = server.client.get(&format!("/v1/models?api_key={ALICE}&key={ALICE}")).await;
    unauthenticated(&reply, "/v1/models");
}

#[tokio::test]
async fn refusals_have_the_documented_shape() {
    let server = guarded("").await;
    snapshot!(server.client.get("/api/v1/status").await, 401);
    snapshot!(server.client.get("/v1/models").await, 401);
    let wrong = |path: &str| Request::new("GET", path).header("Authorization", "Bearer wrong");
    snapshot!(server.client.send(&wrong("/api/v1/status")).await, 401);
    snapshot!(server.client.send(&wrong("/openai/v1/models")).await, 401);
}

#[tokio::test]
async fn what_is_public_stays_open_whatever_is_shown() {
    let server = guarded("").await;
    for (name, value) in
        [("X-None", ""), ("X-API-Key", "wrong"), ("X-API-Key", ALICE), ("Authorization", "x"), ("X-API-Key", JWT)]
    {
        let reply = server.client.send(&Request::new("GET", "/health").header(name, value)).await;
        assert_eq!(reply.status(), 200, "{name}: {value}");
    }
}

#[tokio::test]
async fn what_isn_t_there_is_not_a_matter_of_keys() {
    let server = guarded("").await;
    for path in ["/api/v1/nothing", "/v1/nothing", "/openai/v1/nothing", "/nothing"] {
        for key in ["", "wrong", ALICE] {
            let reply = server.client.send(&Request::new("GET", path).header("X-API-Key", key)).await;
            refused(&reply, path, 404, "NOT_FOUND", "invalid_request_error");
        }
    }
    for path in ["/api/v1/chat", "/v1/chat/completions"] {
        let reply = server.client.send(&Request::new("DELETE", path)).await;
        refused(&reply, path, 405, "METHOD_NOT_ALLOWED", "invalid_request_error");
    }
}

#[tokio::test]
async fn without_keys_anything_is_ignored_but_a_token() {
    for server in [Server::echo().await, guarded("enabled: false").await] {
        for request in requests() {
            for (name, value) in [
                ("Authorization", "Bearer not-needed"),
                ("X-API-Key", "sk-dummy"),
                ("Authorization", "Basic dXNlcjpwYXNz"),
                ("Authorization", "nonsense"),
                ("X-API-Key", "\u{e9}"),
            ] {
                let reply = server.client.send(&request.clone().header(name, value)).await;
                assert_eq!(reply.status(), 200, "{} with {name}: {value}: {}", request.path, reply.text());
            }
            // Who means to be somebody must not be taken for nobody.
            for (name, value) in [("Authorization", format!("Bearer {JWT}")), ("X-API-Key", JWT.to_owned())] {
                unauthenticated(&server.client.send(&request.clone().header(name, &value)).await, &request.path);
            }
        }
    }
}

#[tokio::test]
async fn conversations_belong_to_a_key() {
    let server = Server::configured(|home| {
        std::fs::write(home.join("alice"), ALICE).unwrap();
        format!("{ECHO}server: {{auth: {{enabled: false, api_key: 'file:{}/alice'}}}}\n", home.display())
    })
    .await;
    let say = |text: &str, id: Option<&str>| {
        let mut body = json!({"message": text});
        if let Some(id) = id {
            body["conversation_id"] = json!(id);
        }
        Request::new("POST", "/api/v1/chat").json(&body)
    };
    let alice = |request: Request| request.header("X-API-Key", ALICE);
    let begun = server.client.send(&alice(say("one", None))).await.expect(200);
    let id = begun["conversation_id"].as_str().unwrap();
    for (name, value) in [("X-None", "x"), ("X-API-Key", BOB), ("Authorization", "Bearer other")] {
        let body =
            shape::native(&server.client.send(&say("two", Some(id)).header(name, value)).await, 404, "NOT_FOUND");
        assert!(!body.to_string().contains("one"), "{body}");
    }
    assert_eq!(server.client.send(&alice(say("two", Some(id)))).await.status(), 200);
    let bearer = say("three", Some(id)).header("Authorization", &format!("Bearer {ALICE}"));
    assert_eq!(server.client.send(&bearer).await.status(), 200, "the key is the same in either header");
    // Who shows no key shares with all who don't: who knows a conversation's id, which nobody can guess, may go on with it.
    let begun = server.client.send(&say("one", None)).await.expect(200);
    let id = begun["conversation_id"].as_str().unwrap();
    assert_eq!(server.client.send(&say("two", Some(id))).await.status(), 200);
    assert_eq!(server.client.from("127.0.0.9").send(&say("two", Some(id))).await.status(), 200);
    assert_eq!(server.client.send(&alice(say("two", Some(id)))).await.status(), 404);
}

#[tokio::test]
async fn a_refused_request_costs_the_vendor_nothing_and_its_body_isn_t_read() {
    let server = guarded("").await;
    let mut connection = server.client.connect().await;
    // The answer comes although the body never does.
    let head = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n{";
    connection.write(head.as_bytes()).await.unwrap();
    let reply = connection.reply("POST").await.expect("an answer");
    unauthenticated(&reply, "/v1/chat/completions");
    let status = server.client.send(&Request::new("GET", "/api/v1/status").header("X-API-Key", ALICE)).await;
    assert_eq!(status.expect(200)["providers"]["echo"]["requests"].as_u64().unwrap_or(0), 0);
}
