//! Tests of `/api/v1/session-templates`.

use serde_json::{Value, json};

use crate::client::Request;
use crate::harness::Server;
use crate::{shape, snapshot};

const PATH: &str = "/api/v1/session-templates";

/// The document's example, word for word.
fn documented() -> Value {
    json!({
        "name": "DevOps Investigation Template",
        "description": "Pre-configured for infrastructure debugging",
        "category": "DEVOPS",
        "sdk_options": {"allowed_tools": ["Bash", "Read", "Write"], "permission_mode": "default"},
        "default_mode": "interactive",
        "is_public": false,
    })
}

#[tokio::test]
async fn a_template_has_the_documented_shape() {
    let server = Server::echo().await;
    let made = server.client.post(PATH, &documented()).await.expect(201);
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    let shown = server.client.get(&path).await.expect(200);
    let listed = server.client.get(&format!("{PATH}?category=DEVOPS&is_public=false")).await.expect(200);
    snapshot!(json!({"made": made, "shown": shown, "listed": listed}));
    assert_eq!(server.client.get(&format!("{PATH}?category=OTHER")).await.expect(200)["total"], 0);
    assert_eq!(server.client.get(&format!("{PATH}?is_public=true")).await.expect(200)["total"], 0);
    let mut words = documented();
    (words["name"], words["is_public"]) = (json!("Anew"), json!(true));
    let anew = server.client.send(&Request::new("PUT", &path).json(&words)).await.expect(200);
    assert_eq!((&anew["name"], &anew["created_at"]), (&json!("Anew"), &made["created_at"]));
    assert_eq!(server.client.get(&format!("{PATH}?is_public=true")).await.expect(200)["total"], 1);
    assert_eq!(server.client.send(&Request::new("DELETE", &path)).await.status(), 204);
    shape::native(&server.client.get(&path).await, 404, "NOT_FOUND");
    assert_eq!(server.client.get(PATH).await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn sessions_are_made_from_templates() {
    let server = Server::echo().await;
    let words = json!({
        "name": "T", "default_mode": "background", "system_prompt": "Be brief.",
        "sdk_options": {"provider": "claude", "max_tokens": 1},
    });
    let template = server.client.post(PATH, &words).await.expect(201);
    let body = json!({"template_id": template["id"], "sdk_options": {"max_tokens": 2}});
    let session = server.client.post("/api/v1/sessions", &body).await.expect(201);
    assert_eq!(session["sdk_options"], json!({"max_tokens": 2, "provider": "claude"}));
    assert_eq!((&session["mode"], &session["backend"]), (&json!("background"), &json!("claude")));
    assert_eq!((&session["system_prompt"], &session["template_id"]), (&json!("Be brief."), &template["id"]));
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let server = Server::echo().await;
    for body in [
        json!({}),
        json!({"name": ""}),
        json!({"name": "x", "default_mode": "lazy"}),
        json!({"name": "x", "is_public": "yes"}),
        json!({"name": "x", "sdk_options": {"provider": []}}),
        json!({"name": "x", "tags": []}),
    ] {
        shape::native(&server.client.post(PATH, &body).await, 422, "VALIDATION_ERROR");
    }
    shape::native(&server.client.get(&format!("{PATH}?is_public=perhaps")).await, 422, "VALIDATION_ERROR");
}
