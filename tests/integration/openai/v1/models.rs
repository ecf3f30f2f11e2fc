//! Tests of `GET /openai/v1/models` and `/models/{id}`.

use crate::harness::Server;
use crate::{shape, snapshot};

#[tokio::test]
async fn the_list_has_the_vendors_shape_under_both_roots() {
    let server = Server::echo().await;
    let list = server.client.get("/openai/v1/models").await.expect(200);
    assert_eq!(server.client.get("/v1/models").await.expect(200), list);
    snapshot!(list);
}

#[tokio::test]
async fn every_listed_model_can_be_looked_up() {
    let server = Server::echo().await;
    let list = server.client.get("/openai/v1/models").await.expect(200);
    for model in list["data"].as_array().unwrap() {
        let id = model["id"].as_str().unwrap();
        for path in [format!("/openai/v1/models/{id}"), format!("/v1/models/{}", id.replace('/', "%2F"))] {
            assert_eq!(server.client.get(&path).await.expect(200), *model, "{path}");
        }
    }
}

#[tokio::test]
async fn an_unknown_model_is_named() {
    let server = Server::echo().await;
    for id in ["no-such-model", "echo/no/such", "%F0%9F%A6%80"] {
        let reply = server.client.get(&format!("/openai/v1/models/{id}")).await;
        let error = shape::openai(&reply, 404, "invalid_request_error");
        assert_eq!(error["code"], "model_not_found", "{error}");
    }
}
