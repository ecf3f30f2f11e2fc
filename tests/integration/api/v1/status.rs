//! Tests of `GET /api/v1/status`.

use serde_json::json;

use crate::client::Request;
use crate::harness::Server;
use crate::snapshot;

#[tokio::test]
async fn the_status_has_the_documented_shape() {
    let server = Server::echo().await;
    snapshot!(server.client.get("/api/v1/status").await, 200);
}

#[tokio::test]
async fn requests_are_counted() {
    let server = Server::echo().await;
    let before = server.client.get("/api/v1/status").await.expect(200);
    for _ in 0..3 {
        server.client.post("/api/v1/chat", &json!({"message": "x", "provider": "claude"})).await.expect(200);
    }
    let slow = Request::new("POST", "/api/v1/chat/stream").body(r#"{"message": "one [[wait 60000]] two"}"#);
    let mut stream = server.client.stream(&slow).await;
    stream.next().await.unwrap();
    let after = server.client.get("/api/v1/status").await.expect(200);
    let count = |status: &serde_json::Value, name: &str| status[name].as_u64().unwrap();
    assert_eq!(count(&after, "requests_total") - count(&before, "requests_total"), 5);
    assert_eq!((count(&before, "requests_active"), count(&after, "requests_active")), (1, 2));
    let asked = |status: &serde_json::Value| status["providers"]["claude"]["requests"].as_u64().unwrap();
    assert_eq!(asked(&after) - asked(&before), 3);
}
