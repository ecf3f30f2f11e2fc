//! Addresses that only the operator may open: the machine itself, its network, and the cloud's metadata.

use serde_json::json;

use crate::harness::Server;
use crate::upstream::openai::completion;
use crate::upstream::{Answer, Upstream};

/// A base URL that the operator has written is the operator's word, also for the loopback.
#[tokio::test]
async fn what_the_operator_names_is_allowed() {
    let upstream = Upstream::always(Answer::json(&completion("Hi!"))).await;
    let port = upstream.address().port();
    for host in ["127.0.0.1", "localhost"] {
        let yaml = format!("providers: {{openai: {{base_url: \"http://{host}:{port}/v1\"}}}}");
        let server = Server::start(&yaml).await;
        let reply = server.client.send(&super::request(false)).await;
        assert_eq!(reply.status(), 200, "{host}: {}", reply.text());
    }
    assert_eq!(upstream.requests().len(), 2);
}

/// A caller's words never become an address: neither a model's name nor a path leaves the base URL.
#[tokio::test]
async fn no_name_leads_out_of_the_base_url() {
    let upstream = Upstream::always(Answer::json(&completion("Hi!"))).await;
    let server = Server::vendor(&upstream, "").await;
    for model in [
        "openai/../../admin",
        "openai/@169.254.169.254/",
        "openai/x?y#z",
        "openai/x\r\nHost: evil",
        "openai//evil.example/",
    ] {
        let body = json!({"model": model, "messages": [{"role": "user", "content": "x"}]});
        let reply = server.client.post("/openai/v1/chat/completions", &body).await;
        assert!([200, 400, 404].contains(&reply.status()), "{model}: {}", reply.text());
    }
    for seen in upstream.requests() {
        assert_eq!(seen.path, "/v1/chat/completions");
        assert_eq!(seen.header("host"), Some(upstream.address().to_string().as_str()));
    }
}
