//! A vendor that sends the server elsewhere: it does not go there.

use super::request;
use crate::harness::Server;
use crate::shape;
use crate::upstream::{Answer, Upstream};

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Upstream::start().await;
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    let targets = [
        format!("{}/chat/completions", elsewhere.base_url()),
        format!("{}/moved", upstream.base_url()),
        "/v1/moved".into(),
        "http://169.254.169.254/latest/meta-data/".into(),
        "file:///etc/passwd".into(),
    ];
    for status in [301, 302, 303, 307, 308] {
        for target in &targets {
            for stream in [false, true] {
                let before = upstream.requests().len();
                upstream.then(Answer::body(status, "text/html", "moved").header("Location", target));
                let reply = server.client.send(&request(stream)).await;
                assert_eq!(reply.status(), 502, "{status} to {target}: {}", reply.text());
                shape::openai(&reply, 502, "server_error");
                assert_eq!(upstream.requests().len(), before + 1, "{status} to {target} was followed");
                assert_eq!(reply.head.header("location"), None);
            }
        }
    }
    assert_eq!(elsewhere.requests().len(), 0, "the credential would have gone along");
}
