//! `/health/live` and `/health/ready`, of a server that serves; see `drain` for one that ends.

use crate::harness::Server;
use crate::snapshot;

#[tokio::test]
async fn a_server_that_serves_lives_and_is_ready() {
    let server = Server::echo().await;
    snapshot!(server.client.get("/health/live").await, 200);
    let ready = server.client.get("/health/ready").await.expect(200);
    assert_eq!(ready["status"], "healthy");
    assert_eq!(ready["checks"], server.client.get("/health").await.expect(200)["checks"]);
}

#[tokio::test]
async fn a_server_without_a_provider_is_unhealthy_but_lives() {
    let server = Server::start("providers: {openai: {}}").await;
    let health = server.client.get("/health").await.expect(200);
    assert_eq!(health["checks"]["providers"], if health["status"] == "unhealthy" { "unhealthy" } else { "degraded" });
    assert_eq!(server.client.get("/health/ready").await.status(), 200);
}
