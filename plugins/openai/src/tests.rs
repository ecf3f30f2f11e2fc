//! What this provider adds to the dialect, which itself is tested in the SDK.

use std::collections::{BTreeMap, BTreeSet};

use mortise_sdk::chat::{Message, Request};
use mortise_sdk::openai::Options;
use mortise_sdk::provider::{Credential, ErrorKind, Operation};
use mortise_sdk::testing::{self, Run};
use serde::Deserialize;
use serde_json::json;

use crate::client::OpenAi;
use crate::config::Settings;

fn chat(settings: &str) -> Run {
    let request = Request { max_tokens: Some(5), ..Request::new("gpt-4o", vec![Message::user("hi")]) };
    Run::new::<OpenAi>(Operation::Chat(request), settings)
}

#[test]
fn it_says_where_openai_is() {
    let info = testing::describe::<OpenAi>("{}").unwrap();
    assert_eq!(info.base_url.as_deref(), Some("https://api.openai.com/v1"));
    assert_eq!(info.key_variable.as_deref(), Some("OPENAI_API_KEY"));
    assert_eq!(info.credential, Credential::Bearer);
    assert!(info.models.iter().all(|model| model.price.is_none() && model.context_window.is_none()));
}

#[test]
fn the_operator_s_models_replace_the_known_ones() {
    let info = testing::describe::<OpenAi>(r#"{"models": ["llama-3.3-70b"]}"#).unwrap();
    let ids: Vec<_> = info.models.iter().map(|model| model.id.as_str()).collect();
    assert_eq!(ids, ["llama-3.3-70b"]);
}

#[test]
fn organization_and_project_travel_as_headers() {
    let run = chat(r#"{"organization": "org-1", "project": "proj-2"}"#);
    let header = |name: &str| run.sent().headers.iter().find(|h| h.name == name).map(|h| h.value.as_str());
    assert_eq!(header("openai-organization"), Some("org-1"));
    assert_eq!(header("openai-project"), Some("proj-2"));
    assert_eq!(header("authorization"), None, "the host adds the key");
    assert_eq!(chat("{}").sent().headers.len(), 1);
}

#[test]
fn a_compatible_vendor_may_want_the_old_field() {
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5});
    assert_eq!(chat(r#"{"max_tokens_field": "max_tokens"}"#).sent_json(), body);
}

#[test]
fn a_wrong_setting_is_named() {
    let run = chat(r#"{"max_tokens_field": "tokens"}"#);
    let error = run.error().unwrap();
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
    assert!(error.message.starts_with("settings: `max_tokens_field`: unknown variant `tokens`"), "{}", error.message);
    let run = chat(r#"{"organisation": "org-1"}"#);
    assert!(run.error().unwrap().message.starts_with("settings: `organisation`: unknown field"));
}

#[test]
fn bodies_pass_on_where_nothing_in_them_is_rewritten() {
    let dialects = |settings: &str| testing::describe::<OpenAi>(settings).unwrap().dialects;
    assert_eq!(dialects("{}"), ["openai", "openai-responses"]);
    assert_eq!(dialects(r#"{"responses": false}"#), ["openai"]);
    assert!(dialects(r#"{"responses": false, "developer_role": false}"#).is_empty());
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Preset {
    name: String,
    plugin: String,
    base_url: String,
    key_variable: Option<String>,
    #[serde(default)]
    settings: serde_json::Map<String, serde_json::Value>,
}

#[test]
fn every_preset_can_be_read() {
    let text = include_str!("../../../config/presets.yaml");
    let presets: BTreeMap<String, Preset> = serde_saphyr::from_str(text).unwrap();
    let mut checked = 0;
    for (id, preset) in presets.iter().filter(|(_, preset)| preset.plugin == "openai") {
        let settings = json!(preset.settings).to_string();
        let info = testing::describe::<OpenAi>(&settings).unwrap_or_else(|error| panic!("{id}: {}", error.message));
        assert_eq!(info.dialects.iter().any(|dialect| dialect == "openai-responses"), id == "xai", "{id}");
        let here = preset.base_url.starts_with("http://localhost:");
        assert!(here || preset.base_url.starts_with("https://"), "{id}: {}", preset.base_url);
        assert!(!preset.base_url.ends_with('/'), "{id}: {}", preset.base_url);
        assert_eq!(preset.key_variable.is_none(), here, "{id}: who is asked for a key");
        let variable = preset.key_variable.as_deref().unwrap_or_default();
        assert!(variable.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'), "{id}: {variable}");
        assert!(!preset.name.is_empty(), "{id}");
        checked += 1;
    }
    assert!(checked >= 16, "only {checked} presets");
}

#[test]
fn the_schema_names_every_setting_and_no_other() {
    let manifest = include_str!("../plugin.toml");
    let named: BTreeSet<&str> =
        manifest.lines().filter_map(|line| line.strip_prefix("[settings.properties.")?.strip_suffix(']')).collect();
    let error = testing::describe::<OpenAi>(r#"{"?": 1}"#).unwrap_err();
    let read: BTreeSet<&str> = error.message.split('`').skip(5).step_by(2).collect();
    assert_eq!(named, read, "{}", error.message);
}

#[test]
fn the_defaults_are_those_of_the_dialect() {
    assert_eq!(Settings::default().into_options(), Options::default());
}
