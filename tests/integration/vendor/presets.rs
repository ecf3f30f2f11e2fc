//! The vendors of `config/presets.yaml`: each becomes a provider that serves.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::PATH;
use crate::harness::Server;
use crate::upstream::openai::completion;
use crate::upstream::{Answer, Upstream};

/// What the presets say that the `openai` plugin is for.
fn presets() -> BTreeMap<String, Value> {
    let text = include_str!("../../../config/presets.yaml");
    let presets: BTreeMap<String, Value> = serde_saphyr::from_str(text).unwrap();
    presets.into_iter().filter(|(_, preset)| preset["plugin"] == "openai").collect()
}

#[tokio::test]
async fn every_vendor_is_asked_with_its_settings() {
    let upstream = Upstream::always(Answer::json(&completion("Hi!"))).await;
    let providers: BTreeMap<String, Value> = presets()
        .into_iter()
        .map(|(name, preset)| {
            let url = upstream.base_url();
            (name, json!({"plugin": "openai", "base_url": url, "settings": preset["settings"], "default_model": "m"}))
        })
        .collect();
    let server = Server::start(&json!({"providers": providers}).to_string()).await;
    for name in providers.keys() {
        let body = json!({"model": format!("{name}/m"), "max_tokens": 5,
            "messages": [{"role": "developer", "content": "Be kind."}, {"role": "user", "content": "Hello!"}]});
        let reply = server.client.post(PATH, &body).await;
        assert_eq!(reply.status(), 200, "{name}: {}", reply.text());
        let seen = upstream.requests().pop().unwrap().json();
        let settings = &providers[name]["settings"];
        let limit = settings["max_tokens_field"].as_str().unwrap_or("max_completion_tokens");
        assert_eq!((&seen["model"], &seen[limit]), (&json!("m"), &json!(5)), "{name}: {seen}");
        let role = if settings["developer_role"] == false { "system" } else { "developer" };
        assert_eq!(seen["messages"][0]["role"], role, "{name}: {seen}");
    }
}
