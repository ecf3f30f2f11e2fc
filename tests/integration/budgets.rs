//! How much accounts and keys may use: models, tokens, money, and how often, on every surface that asks models.

use serde_json::{Value, json};

use crate::client::Request;
use crate::harness::{ECHO, Server};
use crate::people::{Person, administered, administered_with};
use crate::shape;
use crate::upstream::openai::completion;
use crate::upstream::{Answer, Upstream};

/// A request on each surface that asks a model for an answer.
fn asks(model: &str) -> Vec<Request> {
    let said = json!([{"role": "user", "content": "Hello!"}]);
    vec![
        Request::new("POST", "/api/v1/chat").json(&json!({"message": "Hello!", "model": model, "max_tokens": 50})),
        Request::new("POST", "/api/v1/chat/stream")
            .json(&json!({"message": "Hello!", "model": model, "max_tokens": 50})),
        Request::new("POST", "/v1/chat/completions").json(&json!({"model": model, "messages": said, "max_tokens": 50})),
        Request::new("POST", "/v1/responses")
            .json(&json!({"model": model, "input": "Hello!", "max_output_tokens": 50})),
        Request::new("POST", "/v1/embeddings").json(&json!({"model": model, "input": "Hello!"})),
        Request::new("POST", "/anthropic/v1/messages")
            .json(&json!({"model": model, "messages": said, "max_tokens": 50})),
    ]
}

/// Makes a key that stands for itself, with these limits.
async fn key(server: &Server, admin: &Person, limits: Value) -> (String, String) {
    let wanted = json!({"name": "k", "limits": limits});
    let made = admin.post(server.client, "/api/v1/admin/keys", &wanted).await.expect(201);
    (made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn only_models_on_the_list_are_asked_on_any_surface() {
    let (server, admin) = administered("").await;
    let (_, key) = key(&server, &admin, json!({"models": ["claude/*"]})).await;
    for (model, permitted) in [("claude/echo", true), ("echo/echo", false)] {
        for request in asks(model) {
            let reply = server.client.send(&request.clone().header("X-API-Key", &key)).await;
            let told = if permitted { 200 } else { 403 };
            assert_eq!(reply.status(), told, "{} {model}: {}", request.path, reply.text());
        }
    }
    let list = server.client.send(&Request::new("GET", "/v1/models").header("X-API-Key", &key)).await.expect(200);
    let names: Vec<&str> = list["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert!(!names.is_empty() && names.iter().all(|name| name.starts_with("claude/")), "{names:?}");
}

#[tokio::test]
async fn a_budget_of_tokens_holds_on_every_surface_and_is_counted_exactly() {
    let (server, admin) = administered("").await;
    for request in asks("echo") {
        let (id, key) = key(&server, &admin, json!({"tokens_per_day": 60})).await;
        let request = request.header("X-API-Key", &key);
        let mut refused = None;
        for _ in 0..60 {
            let reply = server.client.send(&request).await;
            if reply.status() != 200 {
                refused = Some(reply);
                break;
            }
        }
        let reply = refused.expect("a budget that is used up");
        assert_eq!(reply.status(), 429, "{}: {}", request.path, reply.text());
        assert!(reply.head.header("retry-after").unwrap().parse::<u64>().unwrap() <= 86_400);
        assert!(shape::message(&reply).contains("tokens_per_day"), "{}", reply.text());
        let usage = admin.get(server.client, &format!("/api/v1/admin/keys/{id}/usage?days=1")).await.expect(200);
        let used = usage["days"][0]["tokens"].as_i64().unwrap();
        assert!(used > 0 && used <= 60, "{}: {usage}", request.path);
        assert_eq!(usage["days"][0]["tokens"], usage["month"]["tokens"]);
    }
    let reply = server
        .client
        .send(&asks("echo")[2].clone().header("X-API-Key", &key(&server, &admin, json!({"tokens_per_day": 5})).await.1))
        .await;
    let error = shape::openai(&reply, 429, "insufficient_quota");
    assert_eq!(error["code"], "insufficient_quota");
}

#[tokio::test]
async fn money_is_counted_by_the_price() {
    let mut answer = completion("Hi!");
    answer["usage"] = json!({"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150});
    let upstream = Upstream::always(Answer::json(&answer)).await;
    let catalog = "groq:\n  m: {price: {input: 10, output: 20}}\n";
    let (server, admin) = administered_with("", "", |home| {
        std::fs::write(home.join("models.yaml"), catalog).unwrap();
        std::fs::write(home.join("key"), "sk-test").unwrap();
        let home = home.display();
        format!(
            "providers:\n  groq: {{preset: groq, base_url: '{}', api_key: 'file:{home}/key', retries: 0}}\nmodel_catalog: {home}/models.yaml\n",
            upstream.base_url()
        )
    })
    .await;
    // Each costs 100 × 10 + 50 × 20 millionths: a fifth of a cent.
    let (id, key) = key(&server, &admin, json!({"usd_per_month": 0.007})).await;
    let ask = Request::new("POST", "/v1/chat/completions")
        .json(&json!({"model": "groq/m", "messages": [{"role": "user", "content": "Hello!"}], "max_tokens": 50}))
        .header("X-API-Key", &key);
    for _ in 0..3 {
        server.client.send(&ask).await.expect(200);
    }
    let refused = server.client.send(&ask).await;
    assert_eq!(refused.status(), 429, "{}", refused.text());
    let usage = admin.get(server.client, &format!("/api/v1/admin/keys/{id}/usage")).await.expect(200);
    assert_eq!((&usage["month"]["calls"], &usage["month"]["cost_usd"]), (&json!(3), &json!(0.006)), "{usage}");
    let stats = admin.get(server.client, "/api/v1/admin/stats").await.expect(200);
    assert_eq!((&stats["total_api_calls_today"], &stats["total_cost_today_usd"]), (&json!(3), &json!(0.006)));
}

#[tokio::test]
async fn a_class_of_rates_stands_in_place_of_the_surfaces_for_all_of_them_together() {
    let limits = "server.rate_limit.classes";
    let (server, admin) = administered_with(
        "",
        "rate_limit: {surfaces: {chat: {requests: [1000/1m]}}, classes: {few: {requests: [3/1m]}}}",
        |_| ECHO.to_owned(),
    )
    .await;
    let (_, key) = key(&server, &admin, json!({"rate_class": "few"})).await;
    let paths = ["/api/v1/providers", "/v1/models", "/api/v1/tools", "/anthropic/v1/models"];
    for (number, path) in paths.iter().enumerate() {
        let reply = server.client.send(&Request::new("GET", path).header("X-API-Key", &key)).await;
        assert_eq!(reply.status(), if number < 3 { 200 } else { 429 }, "{path}: {}", reply.text());
        assert_eq!(reply.head.header("x-ratelimit-limit"), Some("3"), "{path}");
    }
    let wanted = json!({"name": "k", "limits": {"rate_class": "many"}});
    let reply = admin.post(server.client, "/api/v1/admin/keys", &wanted).await;
    assert!(shape::native(&reply, 422, "VALIDATION_ERROR")["error"].as_str().unwrap().contains(limits));
}
