//! Tests of `GET /api/v1/providers`.

use crate::harness::Server;
use crate::snapshot;

#[tokio::test]
async fn the_list_has_the_documented_shape() {
    let server = Server::echo().await;
    snapshot!(server.client.get("/api/v1/providers").await, 200);
}

#[tokio::test]
async fn without_configuration_there_is_the_one_that_needs_none() {
    let server = Server::start("").await;
    let list = server.client.get("/api/v1/providers").await.expect(200);
    let names: Vec<&str> =
        list["providers"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["echo"]);
}
