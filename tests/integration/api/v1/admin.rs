//! Tests of `/api/v1/admin`.

use serde_json::{Value, json};

use crate::client::Request;
use crate::people::{administered, server};
use crate::{shape, snapshot};

#[tokio::test]
async fn the_documents_examples() {
    let (server, admin) = administered("").await;
    let client = server.client;
    let made = json!({"email": "user@example.com", "username": "johndoe", "password": "secret123"});
    snapshot!(admin.post(client, "/api/v1/admin/users", &made).await, 201);
    server.log_in("user@example.com").await;
    snapshot!(admin.get(client, "/api/v1/admin/users?role=user").await, 200);
    snapshot!(admin.get(client, "/api/v1/admin/stats").await, 200);
}

#[tokio::test]
async fn everything_is_for_administrators_alone() {
    let (closed, admin) = administered("").await;
    closed.register("a@example.com").await;
    let person = closed.log_in("a@example.com").await;
    let key = admin.post(closed.client, "/api/auth/api-keys", &json!({"name": "admin's"})).await.expect(201);
    let key = key["key"].as_str().unwrap();
    let paths: Vec<&str> = mortise::api::endpoints()
        .iter()
        .filter(|endpoint| endpoint.path.starts_with("/api/v1/admin/") && endpoint.method == "GET")
        .map(|endpoint| endpoint.path)
        .collect();
    assert!(paths.len() > 6, "{paths:?}");
    for path in paths {
        // Where nobody is asked who they are, nobody is an administrator.
        shape::native(&closed.client.get(path).await, 401, "AUTHENTICATION_FAILED");
        shape::native(&person.get(closed.client, path).await, 403, "FORBIDDEN");
        let with_key = Request::new("GET", path).header("X-API-Key", key);
        shape::native(&closed.client.send(&with_key).await, 403, "FORBIDDEN");
        let reply = admin.get(closed.client, path).await;
        assert!(![401, 403].contains(&reply.status()), "{path}: {}", reply.text());
    }
    let open = server("").await;
    shape::native(&open.client.get("/api/v1/admin/stats").await, 401, "AUTHENTICATION_FAILED");
}

#[tokio::test]
async fn pages_neither_skip_nor_repeat_while_accounts_are_made() {
    let (server, admin) = administered("").await;
    let client = server.client;
    for number in 0..5 {
        server.register(&format!("u{number}@example.com")).await;
    }
    let mut seen = Vec::new();
    let mut next = Some("/api/v1/admin/users?limit=2&is_active=true".to_owned());
    while let Some(path) = next {
        let page = admin.get(client, &path).await.expect(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2, "{page}");
        seen.extend(items.iter().map(|user| user["email"].as_str().unwrap().to_owned()));
        if seen.len() == 2 {
            server.register("late@example.com").await;
        }
        next = page["links"]["next"].as_str().map(str::to_owned);
    }
    let expected = ["admin@example.com", "u0@example.com", "u1@example.com", "u2@example.com", "u3@example.com"];
    assert_eq!(seen[..5], expected, "{seen:?}");
    assert_eq!(seen[5..], ["u4@example.com", "late@example.com"], "{seen:?}");
    let none = admin.get(client, "/api/v1/admin/users?role=viewer").await.expect(200);
    assert_eq!((&none["total"], &none["items"]), (&json!(0), &json!([])));
    for query in ["limit=0", "limit=101", "skip=-1", "role=boss", "is_active=maybe"] {
        let reply = admin.get(client, &format!("/api/v1/admin/users?{query}")).await;
        shape::native(&reply, 422, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn what_is_taken_from_a_user_is_gone_at_once() {
    let (server, admin) = administered("enabled: true").await;
    let client = server.client;
    let id = server.register("a@example.com").await;
    let person = server.log_in("a@example.com").await;
    let key = person.post(client, "/api/auth/api-keys", &json!({"name": "k"})).await.expect(201);
    let with_key =
        |method: &str, path: &str| Request::new(method, path).header("X-API-Key", key["key"].as_str().unwrap());
    let patch = async |body: Value| {
        let request = Request::new("PATCH", &format!("/api/v1/admin/users/{id}")).json(&body);
        admin.send(client, request).await.expect(200)
    };
    let chat = json!({"message": "x"});
    person.post(client, "/api/v1/chat", &chat).await.expect(200);
    assert_eq!(patch(json!({"role": "viewer"})).await["role"], "viewer");
    shape::native(&person.post(client, "/api/v1/chat", &chat).await, 403, "FORBIDDEN");
    shape::native(&client.send(&with_key("POST", "/api/v1/chat").json(&chat)).await, 403, "FORBIDDEN");
    person.get(client, "/api/v1/providers").await.expect(200);
    assert_eq!(patch(json!({"is_active": false, "role": "user"})).await["is_active"], false);
    shape::native(&person.get(client, "/api/v1/providers").await, 403, "FORBIDDEN");
    shape::native(&client.send(&with_key("GET", "/api/v1/providers")).await, 403, "FORBIDDEN");
    let login = json!({"email": "a@example.com", "password": "secret123"});
    shape::native(&client.post("/api/v1/auth/login", &login).await, 403, "FORBIDDEN");
    let wrong = json!({"email": "a@example.com", "password": "secret124"});
    shape::native(&client.post("/api/v1/auth/login", &wrong).await, 401, "AUTHENTICATION_FAILED");
    patch(json!({"is_active": true})).await;
    client.send(&with_key("GET", "/api/v1/providers")).await.expect(200);
    shape::native(&person.get(client, "/api/v1/providers").await, 401, "AUTHENTICATION_FAILED");
    let reset = format!("/api/v1/admin/users/{id}/reset-password");
    let made = admin.post(client, &reset, &json!({})).await.expect(200);
    let login = json!({"email": "a@example.com", "password": made["password"]});
    client.post("/api/v1/auth/login", &login).await.expect(200);
    let delete = Request::new("DELETE", &format!("/api/v1/admin/users/{id}"));
    assert_eq!(admin.send(client, delete.clone()).await.status(), 204);
    shape::native(&admin.send(client, delete).await, 404, "NOT_FOUND");
    shape::native(&client.send(&with_key("GET", "/api/v1/providers")).await, 401, "AUTHENTICATION_FAILED");
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let (server, admin) = administered("").await;
    let me = admin.get(server.client, "/api/v1/auth/me").await.expect(200);
    let path = format!("/api/v1/admin/users/{}", me["id"].as_str().unwrap());
    for body in [json!({"role": "user"}), json!({"is_active": false})] {
        let reply = admin.send(server.client, Request::new("PATCH", &path).json(&body)).await;
        shape::native(&reply, 409, "CONFLICT");
    }
    shape::native(&admin.send(server.client, Request::new("DELETE", &path)).await, 409, "CONFLICT");
}

#[tokio::test]
async fn what_happened_stands_in_the_log() {
    let (server, admin) = administered("").await;
    let client = server.client;
    let id = server.register("a@example.com").await;
    let wrong = json!({"email": "a@example.com", "password": "secret124"});
    let request = client.post("/api/v1/auth/login", &wrong).await;
    let request = request.head.header("x-request-id").unwrap().to_owned();
    server.log_in("a@example.com").await;
    let log = async |query: &str| -> Vec<Value> {
        let reply = admin.get(client, &format!("/api/v1/admin/audit{query}")).await;
        assert_eq!((reply.status(), reply.head.kind()), (200, "application/x-ndjson"), "{}", reply.text());
        reply.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let of_user = log(&format!("?subject={id}")).await;
    let told: Vec<(&str, &str)> =
        of_user.iter().map(|event| (event["action"].as_str().unwrap(), event["outcome"].as_str().unwrap())).collect();
    assert_eq!(told, [("user.created", "ok"), ("login", "wrong password"), ("login", "ok")]);
    assert_eq!((&of_user[1]["request_id"], &of_user[1]["address"]), (&json!(request), &json!("127.0.0.1")));
    assert_eq!(log("?action=login&limit=1").await.len(), 1);
    assert!(log("?action=user.*").await.iter().all(|event| event["action"] == "user.created"));
    assert!(log("?since=2100-01-01T00:00:00Z").await.is_empty());
    let all = log("").await;
    let times: Vec<&str> = all.iter().map(|event| event["timestamp"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert!(!all.iter().any(|event| event.to_string().contains("secret12")), "{all:?}");
    shape::native(&admin.get(client, "/api/v1/admin/audit?since=yesterday").await, 422, "VALIDATION_ERROR");
}

#[tokio::test]
async fn keys_of_the_operator_stand_for_themselves() {
    let (server, admin) = administered("enabled: true").await;
    let client = server.client;
    let made = admin.post(client, "/api/v1/admin/keys", &json!({"name": "ci"})).await.expect(201);
    assert!(made["key"].as_str().unwrap().starts_with("token-"), "{made}");
    let with = |path: &str| Request::new("GET", path).header("X-API-Key", made["key"].as_str().unwrap());
    client.send(&with("/v1/models")).await.expect(200);
    shape::native(&client.send(&with("/api/v1/admin/stats")).await, 403, "FORBIDDEN");
    let wanted = json!({"name": "root", "scopes": ["admin"]});
    let root = admin.post(client, "/api/v1/admin/keys", &wanted).await.expect(201);
    let stats = Request::new("GET", "/api/v1/admin/stats").header("X-API-Key", root["key"].as_str().unwrap());
    client.send(&stats).await.expect(200);
    let list = admin.get(client, "/api/v1/admin/keys").await.expect(200);
    assert_eq!(list["total"], 2);
    assert!(!list.to_string().contains(made["key"].as_str().unwrap()));
    let path = format!("/api/v1/admin/keys/{}", made["id"].as_str().unwrap());
    assert_eq!(admin.send(client, Request::new("DELETE", &path)).await.status(), 204);
    assert_eq!(client.send(&with("/v1/models")).await.status(), 401);
}

#[tokio::test]
async fn another_key_signs_and_old_tokens_stay_good() {
    let (server, admin) = administered("").await;
    let kid = admin.post(server.client, "/api/v1/admin/signing-keys", &json!({})).await.expect(201)["kid"].clone();
    server.register("a@example.com").await;
    let person = server.log_in("a@example.com").await;
    use base64::Engine;
    let head = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(person.token.split('.').next().unwrap());
    let head: Value = serde_json::from_slice(&head.unwrap()).unwrap();
    assert_eq!(head["kid"], kid);
    for person in [&person, &admin] {
        person.get(server.client, "/api/v1/auth/me").await.expect(200);
    }
}
