//! Tests of `GET /api/v1/plugins`.

use crate::harness::Server;
use crate::snapshot;

#[tokio::test]
async fn the_list_names_every_plugin() {
    let server = Server::echo().await;
    snapshot!(server.client.get("/api/v1/plugins").await, 200);
}
