//! Tests of `/api/auth`.

use serde_json::{Value, json};

use crate::client::Request;
use crate::people::{Person, server};
use crate::{shape, snapshot};

#[tokio::test]
async fn the_documents_examples() {
    let server = server("").await;
    let client = server.client;
    let register = json!({"email": "user@example.com", "password": "securepassword", "name": "John Doe"});
    snapshot!(client.post("/api/auth/register", &register).await, 201);
    let login = json!({"email": "user@example.com", "password": "securepassword"});
    let token = client.post("/api/auth/login", &login).await.expect(200);
    snapshot!(token.clone());
    let person = Person::with_token(&token);
    let wanted = json!({"name": "My API Key", "expires_at": "2035-01-01T00:00:00Z"});
    let key = person.post(client, "/api/auth/api-keys", &wanted).await.expect(201);
    assert_eq!(key["expires_at"], "2035-01-01T00:00:00.000Z");
    snapshot!(key.clone());
    snapshot!(person.get(client, "/api/auth/me").await, 200);
    let list = person.get(client, "/api/auth/api-keys").await.expect(200);
    assert_eq!(list[0]["key_prefix"], key["key"].as_str().unwrap()[..8]);
    snapshot!(list.as_array().unwrap()[0].clone());
}

#[tokio::test]
async fn refusals_have_the_documented_shape() {
    let server = server("").await;
    let client = server.client;
    snapshot!(client.post("/api/auth/login", &json!({"email": "a@example.com", "password": "x"})).await, 401);
    snapshot!(client.post("/api/auth/login", &json!({"email": "a@example.com"})).await, 422);
    snapshot!(client.get("/api/auth/api-keys").await, 401);
}

#[tokio::test]
async fn a_name_is_found_for_who_brings_none() {
    let server = server("").await;
    for email in ["a@example.com", "a@example.org", "A@example.net"] {
        let body = json!({"email": email, "password": "securepassword"});
        let made = server.client.post("/api/auth/register", &body).await.expect(201);
        assert_eq!(made["email"], email.to_lowercase());
        assert!(made["name"].as_str().unwrap().starts_with('a'), "{made}");
    }
}

#[tokio::test]
async fn a_key_stands_for_its_owner_until_it_is_taken_away() {
    let server = server("enabled: true").await;
    let client = server.client;
    let id = server.register("a@example.com").await;
    let person = server.log_in("a@example.com").await;
    let make = async |body: Value| person.post(client, "/api/auth/api-keys", &body).await.expect(201);
    let key = make(json!({"name": "one"})).await;
    let text = key["key"].as_str().unwrap();
    assert!(text.starts_with("md_") && text.len() == 46, "{text}");
    let with = |method: &str, path: &str, key: &str| Request::new(method, path).header("X-API-Key", key);
    assert_eq!(client.send(&with("GET", "/api/v1/auth/me", text)).await.expect(200)["id"], id);
    let bearer = Request::new("GET", "/v1/models").header("Authorization", &format!("Bearer {text}"));
    client.send(&bearer).await.expect(200);
    // It makes no others, unless it says so.
    let reply = client.send(&with("GET", "/api/auth/api-keys", text)).await;
    let body = shape::agent(&reply, 403, "FORBIDDEN");
    assert!(body["detail"].as_str().unwrap().contains("`account`"), "{body}");
    let all = make(json!({"name": "all", "scopes": ["read", "write", "account"]})).await;
    let listed = client.send(&with("GET", "/api/auth/api-keys", all["key"].as_str().unwrap())).await.expect(200);
    let used = |list: &Value, name: &str| {
        let key = list.as_array().unwrap().iter().find(|key| key["name"] == name).unwrap();
        key["last_used_at"].is_string()
    };
    assert!(used(&listed, "one"), "{listed}");
    // What may only look may only look.
    let reading = make(json!({"name": "reading", "scopes": ["read"]})).await;
    let reading = reading["key"].as_str().unwrap();
    client.send(&with("GET", "/api/v1/providers", reading)).await.expect(200);
    let chat = with("POST", "/api/v1/chat", reading).json(&json!({"message": "x"}));
    shape::native(&client.send(&chat).await, 403, "FORBIDDEN");
    // Taken away, it is none at once; that of others can't be.
    server.register("b@example.com").await;
    let other = server.log_in("b@example.com").await;
    let path = format!("/api/auth/api-keys/{}", key["id"].as_str().unwrap());
    shape::agent(&other.send(client, Request::new("DELETE", &path)).await, 404, "NOT_FOUND");
    client.send(&with("GET", "/api/v1/auth/me", text)).await.expect(200);
    assert_eq!(person.send(client, Request::new("DELETE", &path)).await.status(), 204);
    let reply = client.send(&with("GET", "/api/v1/auth/me", text)).await;
    shape::native(&reply, 401, "AUTHENTICATION_FAILED");
    shape::agent(&person.send(client, Request::new("DELETE", &path)).await, 404, "NOT_FOUND");
}

#[tokio::test]
async fn a_key_is_wanted_with_a_name_and_a_time_to_come() {
    let server = server("").await;
    server.register("a@example.com").await;
    let person = server.log_in("a@example.com").await;
    for body in [
        json!({}),
        json!({"name": ""}),
        json!({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}),
        json!({"name": "x", "expires_at": "soon"}),
        json!({"name": "x", "scopes": ["everything"]}),
        json!({"name": "x", "more": 1}),
    ] {
        let reply = person.post(server.client, "/api/auth/api-keys", &body).await;
        shape::agent(&reply, 422, "VALIDATION_ERROR");
    }
}
