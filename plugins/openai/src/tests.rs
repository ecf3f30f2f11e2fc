//! What this provider adds to the dialect, which itself is tested in the SDK.

use mortise_sdk::chat::{Message, Request};
use mortise_sdk::openai::Options;
use mortise_sdk::provider::{Credential, ErrorKind, Operation};
use mortise_sdk::testing::{self, Run};
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
    assert!(info.models.iter().all(|model| model.price.is_none()));
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
fn the_defaults_are_those_of_the_dialect() {
    assert_eq!(Settings::default().into_options(), Options::default());
}
