//! Tests of `GET /anthropic/v1/models` and `/models/{id}`.

use serde_json::{Value, json};

use crate::harness::Server;
use crate::{shape, snapshot};

const PATH: &str = "/anthropic/v1/models";

#[tokio::test]
async fn the_list_has_the_vendors_shape_under_both_roots() {
    let server = Server::echo().await;
    let list = server.client.get(PATH).await.expect(200);
    assert_eq!(server.client.get("/anthropic/v1/v1/models?beta=true&limit=20").await.expect(200), list);
    snapshot!(list);
}

#[tokio::test]
async fn pages_hold_every_model_once_in_both_directions() {
    let server = Server::echo().await;
    let all = server.client.get(PATH).await.expect(200)["data"].as_array().unwrap().clone();
    assert!(all.len() >= 4);
    for limit in 1..=all.len() {
        let (mut seen, mut query) = (Vec::new(), String::new());
        loop {
            let page = server.client.get(&format!("{PATH}?limit={limit}{query}")).await.expect(200);
            let data = page["data"].as_array().unwrap();
            assert_eq!((&page["first_id"], &page["last_id"]), (&data[0]["id"], &data[data.len() - 1]["id"]));
            seen.extend(data.clone());
            if page["has_more"] == false {
                break;
            }
            query = format!("&after_id={}", page["last_id"].as_str().unwrap().replace('/', "%2F"));
        }
        assert_eq!(seen, all, "{limit}");
        let last = all[all.len() - 1]["id"].as_str().unwrap();
        let page = server.client.get(&format!("{PATH}?limit={limit}&before_id={last}")).await.expect(200);
        let begin = (all.len() - 1).saturating_sub(limit);
        assert_eq!(
            (&page["data"], &page["has_more"]),
            (&json!(all[begin..all.len() - 1]), &json!(begin > 0)),
            "{limit}"
        );
    }
    let none = server.client.get(&format!("{PATH}?before_id={}", all[0]["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(none, json!({"data": [], "has_more": false, "first_id": Value::Null, "last_id": Value::Null}));
}

#[tokio::test]
async fn a_page_that_cannot_be_is_refused() {
    let server = Server::echo().await;
    for query in [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=many",
        "after_id=nobody",
        "before_id=nobody",
        "after_id=a&before_id=b",
    ] {
        let reply = server.client.get(&format!("{PATH}?{query}")).await;
        let error = shape::anthropic(&reply, 400, "invalid_request_error");
        let name = query.rsplit('&').next().unwrap().split('=').next().unwrap();
        assert!(error["message"].as_str().unwrap().starts_with(&format!("{name}: ")), "{query}: {error}");
    }
}

#[tokio::test]
async fn every_listed_model_can_be_looked_up() {
    let server = Server::echo().await;
    let list = server.client.get(PATH).await.expect(200);
    for model in list["data"].as_array().unwrap() {
        let id = model["id"].as_str().unwrap();
        for path in [format!("{PATH}/{id}?beta=true"), format!("/anthropic/v1/v1/models/{}", id.replace('/', "%2F"))] {
            assert_eq!(server.client.get(&path).await.expect(200), *model, "{path}");
        }
    }
    shape::anthropic(&server.client.get(&format!("{PATH}/no-such-model")).await, 404, "not_found_error");
}
