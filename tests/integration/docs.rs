//! Tests of the API document, and of the pages that show it.

use std::process::Command;

use serde_json::Value;

use crate::client::{Reply, Request};
use crate::harness::Server;
use crate::shape;

#[tokio::test]
async fn the_document_is_the_same_wherever_it_is_asked_for() {
    let server = Server::echo().await;
    let served = server.client.get("/openapi.json").await.expect(200);
    assert_eq!(served["openapi"], "3.1.0");
    assert_eq!(server.client.get("/api/v1/openapi.json").await.expect(200), served);
    let printed = |flags: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_mortise")).arg("openapi").args(flags).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(serde_json::from_str::<Value>(&printed(&[])).unwrap(), served);
    assert_eq!(serde_saphyr::from_str::<Value>(&printed(&["--yaml"])).unwrap(), served);
}

#[test]
fn the_document_is_known() {
    let mut document = mortise::api::document();
    document["info"]["version"] = "[the version]".into();
    insta::assert_json_snapshot!(document);
}

#[tokio::test]
async fn who_has_it_already_is_told_so() {
    let server = Server::echo().await;
    for path in ["/openapi.json", "/docs", "/redoc", "/docs/assets/swagger-ui.css"] {
        let first = server.client.get(path).await;
        assert_eq!((first.status(), first.head.header("cache-control")), (200, Some("no-cache")), "{path}");
        let etag = first.head.header("etag").expect("an ETag");
        let again = server.client.send(&Request::new("GET", path).header("If-None-Match", etag)).await;
        assert_eq!((again.status(), again.body.len(), again.head.header("etag")), (304, 0, Some(etag)), "{path}");
        let other = server.client.send(&Request::new("GET", path).header("If-None-Match", "\"other\"")).await;
        assert_eq!((other.status(), &other.body), (200, &first.body), "{path}");
        let head = server.client.send(&Request::new("HEAD", path)).await;
        assert_eq!((head.status(), head.body.len(), head.head.header("etag")), (200, 0, Some(etag)), "{path}");
    }
}

#[tokio::test]
async fn pages_need_nothing_from_elsewhere_and_allow_nothing_else() {
    let server = Server::echo().await;
    for path in ["/docs", "/redoc"] {
        let page = server.client.get(path).await;
        assert_eq!(
            (page.status(), page.head.header("content-type")),
            (200, Some("text/html; charset=utf-8")),
            "{path}"
        );
        let policy = page.head.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'), "{path}: {policy}");
        for (name, value) in
            [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("x-frame-options", "DENY")]
        {
            assert_eq!(page.head.header(name), Some(value), "{path}");
        }
        let loaded: Vec<&str> =
            page.text().split(['"', '\'']).filter(|text| text.starts_with("docs/assets/")).collect();
        assert!(loaded.len() >= 3, "{path}: {loaded:?}");
        assert!(
            !page.text().contains("//") && !page.text().contains("<style") && !page.text().contains("style="),
            "{path}"
        );
        for file in loaded {
            let file = server.client.get(&format!("/{file}")).await;
            assert_eq!((file.status(), file.head.header("x-content-type-options")), (200, Some("nosniff")));
            assert!(well_typed(&file), "{:?}", file.head);
        }
    }
}

fn well_typed(file: &Reply) -> bool {
    ["text/javascript", "text/css", "image/png"].contains(&file.head.kind())
}

#[tokio::test]
async fn what_no_page_loads_is_not_there() {
    let server = Server::echo().await;
    for file in ["vendor.sh", "docs.html", "..%2Fmod.rs", "%2e%2e"] {
        shape::native(&server.client.get(&format!("/docs/assets/{file}")).await, 404, "NOT_FOUND");
    }
    let moved = server.client.send(&Request::new("POST", "/docs")).await;
    shape::native(&moved, 405, "METHOD_NOT_ALLOWED");
}
