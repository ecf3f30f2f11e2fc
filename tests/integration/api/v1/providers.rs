//! Tests of `GET /api/v1/providers`.

use crate::harness::Server;
use crate::snapshot;

#[tokio::test]
async fn the_list_has_the_documented_shape() {
    let server = Server::echo().await;
    snapshot!(server.client.get("/api/v1/providers").await, 200);
}

#[tokio::test]
async fn a_server_without_providers_has_an_empty_list() {
    let server = Server::start("providers: {}").await;
    let list = server.client.get("/api/v1/providers").await.expect(200);
    assert_eq!(list["providers"], serde_json::json!([]));
}
