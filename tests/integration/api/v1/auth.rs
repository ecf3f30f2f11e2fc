//! Tests of `/api/v1/auth`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::client::Request;
use crate::people::{ACCOUNTS, Person, server};
use crate::{shape, snapshot};

fn registration() -> Value {
    json!({"email": "user@example.com", "username": "johndoe", "password": "secret123", "full_name": "John Doe"})
}

#[tokio::test]
async fn the_documents_examples() {
    let server = server("").await;
    let client = server.client;
    snapshot!(client.post("/api/v1/auth/register", &registration()).await, 201);
    let login = json!({"email": "user@example.com", "password": "secret123"});
    let tokens = client.post("/api/v1/auth/login", &login).await.expect(200);
    snapshot!(tokens.clone());
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    snapshot!(client.post("/api/v1/auth/refresh", &refresh).await, 200);
    let person = Person::with_token(&tokens);
    snapshot!(person.get(client, "/api/v1/auth/me").await, 200);
    snapshot!(person.post(client, "/api/v1/auth/logout", &json!({})).await, 200);
}

#[tokio::test]
async fn refusals_have_the_documented_shape() {
    let server = server("").await;
    let client = server.client;
    client.post("/api/v1/auth/register", &registration()).await.expect(201);
    snapshot!(client.post("/api/v1/auth/register", &registration()).await, 409);
    snapshot!(client.post("/api/v1/auth/register", &json!({"email": "x@example.com", "username": "x"})).await, 422);
    let wrong = json!({"email": "user@example.com", "password": "secret124"});
    snapshot!(client.post("/api/v1/auth/login", &wrong).await, 401);
    // Nothing tells whether there is such an account.
    let nobody = json!({"email": "nobody@example.com", "password": "secret124"});
    let body = |reply: crate::client::Reply| crate::steady::steady(reply.expect(401));
    let (known, unknown) =
        (client.post("/api/v1/auth/login", &wrong).await, client.post("/api/v1/auth/login", &nobody).await);
    assert_eq!(body(known), body(unknown));
    let reply = client.post("/api/v1/auth/refresh", &json!({"refresh_token": "a.b.c"})).await;
    shape::native(&reply, 401, "AUTHENTICATION_FAILED");
}

#[tokio::test]
async fn what_can_t_be_an_account_is_refused() {
    let server = server("").await;
    for (field, value) in [
        ("email", json!("nobody")),
        ("email", json!(7)),
        ("username", json!(" ")),
        ("username", json!("a@b")),
        ("password", json!("short")),
        ("password", json!("x".repeat(1025))),
        ("full_name", json!("a\u{7}b")),
        ("role", json!("admin")),
    ] {
        let mut body = registration();
        body[field] = value;
        let reply = server.client.post("/api/v1/auth/register", &body).await;
        let body = shape::native(&reply, 422, "VALIDATION_ERROR");
        assert_eq!(body["details"]["field"], field, "{body}");
    }
    // Another case of the same letters is the same.
    server.client.post("/api/v1/auth/register", &registration()).await.expect(201);
    for (field, value) in [("email", "USER@Example.com"), ("username", "JohnDoe")] {
        let mut body = json!({"email": "b@example.com", "username": "b", "password": "secret123"});
        body[field] = json!(value);
        let reply = server.client.post("/api/v1/auth/register", &body).await;
        shape::native(&reply, 409, "CONFLICT");
    }
}

#[tokio::test]
async fn a_token_is_good_until_its_login_ends() {
    let server = server("enabled: true").await;
    let client = server.client;
    server.register("a@example.com").await;
    let [one, two, three] = [
        server.log_in("a@example.com").await,
        server.log_in("a@example.com").await,
        server.log_in("a@example.com").await,
    ];
    for person in [&one, &two, &three] {
        person.get(client, "/api/v1/providers").await.expect(200);
    }
    // A refresh token is for nothing else, and an access token not for refreshing.
    let swapped = Person { token: one.refresh.clone().unwrap(), ..one.clone() };
    shape::native(&swapped.get(client, "/api/v1/providers").await, 401, "AUTHENTICATION_FAILED");
    let reply = client.post("/api/v1/auth/refresh", &json!({"refresh_token": one.token})).await;
    shape::native(&reply, 401, "AUTHENTICATION_FAILED");
    // It ends at once, whatever was looked up a moment ago, and its refresh token with it.
    assert_eq!(one.post(client, "/api/v1/auth/logout", &json!({})).await.expect(200)["tokens_revoked"], 1);
    shape::native(&one.get(client, "/api/v1/providers").await, 401, "AUTHENTICATION_FAILED");
    let reply = client.post("/api/v1/auth/refresh", &json!({"refresh_token": one.refresh})).await;
    shape::native(&reply, 401, "AUTHENTICATION_FAILED");
    two.get(client, "/api/v1/providers").await.expect(200);
    assert_eq!(two.post(client, "/api/v1/auth/logout-all", &json!({})).await.expect(200)["tokens_revoked"], 2);
    for person in [&two, &three] {
        shape::native(&person.get(client, "/api/v1/providers").await, 401, "AUTHENTICATION_FAILED");
    }
}

#[tokio::test]
async fn another_password_ends_what_the_old_one_began() {
    let server = server("").await;
    let client = server.client;
    server.register("a@example.com").await;
    let person = server.log_in("a@example.com").await;
    let change = |current: &str| json!({"current_password": current, "new_password": "another secret"});
    let reply = person.post(client, "/api/v1/auth/change-password", &change("wrong")).await;
    shape::native(&reply, 401, "AUTHENTICATION_FAILED");
    let reply = person.post(client, "/api/v1/auth/change-password", &change("secret123")).await;
    assert_eq!((reply.status(), reply.body.len()), (204, 0));
    shape::native(&person.get(client, "/api/v1/auth/me").await, 401, "AUTHENTICATION_FAILED");
    let login = |password: &str| json!({"email": "a@example.com", "password": password});
    assert_eq!(client.post("/api/v1/auth/login", &login("secret123")).await.status(), 401);
    client.post("/api/v1/auth/login", &login("another secret")).await.expect(200);
}

#[tokio::test]
async fn forged_tokens_are_none() {
    let server = server("").await;
    server.register("a@example.com").await;
    let person = server.log_in("a@example.com").await;
    let parts: Vec<&str> = person.token.split('.').collect();
    let decoded = |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
    let (head, claims) = (decoded(parts[0]), decoded(parts[1]));
    assert_eq!((&head["alg"], &head["typ"]), (&json!("HS256"), &json!("JWT")));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
    let coded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let with = |value: &Value, name: &str, new: Value| {
        let mut value = value.clone();
        value[name] = new;
        coded(&value)
    };
    for token in [
        format!("{}.{}.{}", with(&head, "alg", json!("none")), parts[1], "AA"),
        format!("{}.{}.{}", with(&head, "alg", json!("HS512")), parts[1], parts[2]),
        format!("{}.{}.{}", with(&head, "alg", json!("EdDSA")), parts[1], parts[2]),
        format!("{}.{}.{}", with(&head, "kid", json!("x")), parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], with(&claims, "sub", json!("somebody")), parts[2]),
        format!("{}.{}.{}", parts[0], with(&claims, "exp", json!(9_999_999_999_i64)), parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], parts[2].chars().rev().collect::<String>()),
    ] {
        let person = Person { token: token.clone(), ..person.clone() };
        shape::native(&person.get(server.client, "/api/v1/auth/me").await, 401, "AUTHENTICATION_FAILED");
    }
    person.get(server.client, "/api/v1/auth/me").await.expect(200);
}

#[tokio::test]
async fn tokens_may_be_signed_with_ed25519() {
    let server = server("algorithm: EdDSA").await;
    server.register("a@example.com").await;
    let person = server.log_in("a@example.com").await;
    let head: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(person.token.split('.').next().unwrap()).unwrap()).unwrap();
    assert_eq!(head["alg"], "EdDSA");
    person.get(server.client, "/api/v1/auth/me").await.expect(200);
    let forged = format!("{}A", &person.token[..person.token.len() - 1]);
    let forged = Person { token: if forged == person.token { format!("{forged}B") } else { forged }, ..person };
    assert_eq!(forged.get(server.client, "/api/v1/auth/me").await.status(), 401);
}

#[tokio::test]
async fn guessing_is_slowed_down_by_account_and_by_address() {
    let server = server("attempts_per_account: 3/10m, attempts_per_address: 6/10m").await;
    let here = server.client.from("127.0.0.2");
    let there = server.client.from("127.0.0.3");
    server.register("a@example.com").await;
    let login =
        |name: &str, password: &str| json!({"email": format!("{name}@example.com"), "password": password.to_owned()});
    for _ in 0..3 {
        assert_eq!(here.post("/api/v1/auth/login", &login("a", "wrong pass")).await.status(), 401);
        assert_eq!(here.post("/api/v1/auth/login", &login("nobody", "wrong pass")).await.status(), 401);
    }
    // From elsewhere too, with the right password too, and whether there is such an account or not.
    for body in [login("a", "wrong pass"), login("a", "secret123"), login("nobody", "wrong pass")] {
        let reply = there.post("/api/v1/auth/login", &body).await;
        let told = shape::native(&reply, 429, "RATE_LIMITED");
        assert_eq!(told["details"]["limit"], 3, "{told}");
        assert!(reply.head.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    }
    let told = shape::native(&here.post("/api/v1/auth/login", &login("b", "wrong pass")).await, 429, "RATE_LIMITED");
    assert_eq!(told["details"]["limit"], 6, "{told}");
    assert_eq!(there.post("/api/v1/auth/login", &login("b", "wrong pass")).await.status(), 401);
}

#[tokio::test]
async fn nobody_makes_an_account_where_keys_are_asked_for_unless_the_operator_says_so() {
    for settings in ["enabled: true", "registration: closed"] {
        let server = server_closed(settings).await;
        let reply = server.client.post("/api/v1/auth/register", &registration()).await;
        let body = shape::native(&reply, 403, "FORBIDDEN");
        assert!(body["error"].as_str().unwrap().contains("server.auth.registration"), "{body}");
    }
    let server = server("enabled: true").await;
    server.client.post("/api/v1/auth/register", &registration()).await.expect(201);
}

/// A server that leaves open who may make an account.
async fn server_closed(settings: &str) -> crate::harness::Server {
    let yaml = format!("{}server: {{auth: {{{ACCOUNTS}, {settings}}}}}\n", crate::harness::ECHO);
    crate::harness::Server::start(&yaml).await
}

#[tokio::test]
async fn an_account_can_be_taken_along_and_away() {
    let server = server("").await;
    let client = server.client;
    server.register("a@example.com").await;
    let person = server.log_in("a@example.com").await;
    let key = person.post(client, "/api/auth/api-keys", &json!({"name": "mine"})).await.expect(201);
    let lines = person.get(client, "/api/v1/auth/me/export").await;
    let lines: Vec<Value> = lines.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["kind"], &lines[0]["email"]), (&json!("user"), &json!("a@example.com")));
    assert_eq!((&lines[1]["kind"], &lines[1]["name"]), (&json!("api_key"), &json!("mine")));
    let text = lines.iter().map(Value::to_string).collect::<String>();
    assert!(!text.contains("argon2") && !text.contains(key["key"].as_str().unwrap()), "{text}");
    let delete = Request::new("DELETE", "/api/v1/auth/me");
    assert_eq!(person.send(client, delete).await.status(), 204);
    shape::native(&person.get(client, "/api/v1/auth/me").await, 401, "AUTHENTICATION_FAILED");
    let login = json!({"email": "a@example.com", "password": "secret123"});
    assert_eq!(client.post("/api/v1/auth/login", &login).await.status(), 401);
    let with_key = Request::new("GET", "/api/v1/auth/me").header("X-API-Key", key["key"].as_str().unwrap());
    assert_eq!(client.send(&with_key).await.status(), 401);
    // The name is free again.
    server.register("a@example.com").await;
}
