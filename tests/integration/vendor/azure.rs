//! OpenAI's models in Microsoft's cloud: the same dialect, with paths and a header of its own.

use serde_json::json;

use super::PATH;
use crate::harness::{KEY, Server};
use crate::upstream::openai::completion;
use crate::upstream::{Answer, Upstream};

async fn server(upstream: &Upstream, settings: &str) -> Server {
    Server::configured(|home| {
        let key = home.join("key");
        std::fs::write(&key, KEY).unwrap();
        let (address, key) = (upstream.address(), key.display());
        format!(
            "providers:\n  azure:\n    plugin: azure-openai\n    base_url: http://{address}\n    api_key: file:{key}\n    \
             settings: {settings}\n"
        )
    })
    .await
}

#[tokio::test]
async fn a_deployment_is_asked_with_the_resources_key() {
    let paths = [
        ("{}", "/openai/v1/chat/completions"),
        (r#"{"api_version": "2024-10-21"}"#, "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"),
    ];
    for (settings, path) in paths {
        let upstream = Upstream::always(Answer::json(&completion("Hi!"))).await;
        let server = server(&upstream, settings).await;
        let body = json!({"model": "azure/my-gpt", "messages": [{"role": "user", "content": "Hello!"}], "future": 1});
        let answer = server.client.post(PATH, &body).await.expect(200);
        assert_eq!(answer["choices"][0]["message"]["content"], "Hi!");
        let seen = upstream.request(0).await;
        assert_eq!((seen.path.as_str(), seen.header("api-key")), (path, Some(KEY)));
        assert_eq!(seen.header("authorization"), None);
        let mut expected = body;
        expected["model"] = json!("my-gpt");
        assert_eq!(seen.json(), expected);
    }
}

#[tokio::test]
async fn a_filtered_prompt_is_the_callers_to_mend() {
    let refusal = json!({"error": {"code": "content_filter", "message": "The prompt was filtered.", "param": "prompt",
        "type": null, "status": 400, "innererror": {"code": "ResponsibleAIPolicyViolation"}}});
    let upstream = Upstream::always(Answer::body(400, "application/json", refusal.to_string())).await;
    let server = server(&upstream, "{}").await;
    let body = json!({"model": "azure/my-gpt", "messages": [{"role": "user", "content": "Hello!"}]});
    let reply = server.client.post(PATH, &body).await;
    assert!((400..500).contains(&reply.status()), "{}", reply.text());
    assert!(reply.text().contains("The prompt was filtered."), "{}", reply.text());
}

#[tokio::test]
async fn without_the_resources_address_there_is_no_provider() {
    let server = Server::configured(|home| {
        let key = home.join("key");
        std::fs::write(&key, KEY).unwrap();
        format!("providers:\n  azure: {{plugin: azure-openai, api_key: 'file:{}'}}\n", key.display())
    })
    .await;
    let body = json!({"model": "azure/my-gpt", "messages": [{"role": "user", "content": "Hello!"}]});
    let reply = server.client.post(PATH, &body).await;
    assert!(reply.status() >= 500 && reply.text().contains("set providers.azure.base_url"), "{}", reply.text());
}
