//! Tests of `/health`.

use crate::harness::Server;
use crate::snapshot;

#[tokio::test]
async fn a_well_server_says_so() {
    let server = Server::echo().await;
    snapshot!(server.client.get("/health").await, 200);
}

#[tokio::test]
async fn no_credential_is_asked_for_and_any_is_ignored() {
    let server = Server::echo().await;
    let request = crate::client::Request::new("GET", "/health").header("Authorization", "Bearer not-needed");
    assert_eq!(server.client.send(&request).await.expect(200)["status"], "healthy");
}
