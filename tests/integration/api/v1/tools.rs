//! Tests of `GET /api/v1/tools`.

use crate::harness::Server;
use crate::snapshot;

#[tokio::test]
async fn the_list_has_the_documented_shape() {
    let server = Server::echo().await;
    snapshot!(server.client.get("/api/v1/tools").await, 200);
}
