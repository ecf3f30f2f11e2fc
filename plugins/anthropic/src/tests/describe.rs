//! Who the provider is, and what an operator may set.

use mortise_sdk::chat::Field;
use mortise_sdk::provider::{Credential, ErrorKind, Operation};
use mortise_sdk::testing::{self, Run};

use super::{hello, run};
use crate::client::Anthropic;

fn header<'a>(run: &'a Run, name: &str) -> Option<&'a str> {
    run.sent().headers.iter().find(|header| header.name == name).map(|header| header.value.as_str())
}

#[test]
fn it_says_where_anthropic_is() {
    let info = testing::describe::<Anthropic>("{}").unwrap();
    assert_eq!(info.base_url.as_deref(), Some("https://api.anthropic.com/v1"));
    assert_eq!(info.key_variable.as_deref(), Some("ANTHROPIC_API_KEY"));
    assert_eq!(info.credential, Credential::Header("x-api-key".into()));
    assert_eq!(info.dialects, ["anthropic"]);
    assert!(info.models.iter().all(|model| model.price.is_none() && model.max_output.is_some()));
}

#[test]
fn the_operator_s_models_replace_the_known_ones() {
    let info = testing::describe::<Anthropic>(r#"{"models": ["claude-mine"]}"#).unwrap();
    let ids: Vec<_> = info.models.iter().map(|model| model.id.as_str()).collect();
    assert_eq!(ids, ["claude-mine"]);
}

#[test]
fn a_request_names_the_version_and_never_the_key() {
    let run = run(hello());
    assert_eq!((run.sent().method.as_str(), run.sent().path.as_str()), ("POST", "/messages"));
    assert_eq!(header(&run, "anthropic-version"), Some("2023-06-01"));
    assert_eq!(header(&run, "content-type"), Some("application/json"));
    assert_eq!((header(&run, "anthropic-beta"), header(&run, "x-api-key")), (None, None));
}

#[test]
fn the_operator_chooses_the_version() {
    let run = Run::new::<Anthropic>(Operation::Chat(hello()), r#"{"version": "2026-10-21"}"#);
    assert_eq!(header(&run, "anthropic-version"), Some("2026-10-21"));
}

#[test]
fn betas_of_the_operator_and_the_caller_are_joined_and_never_in_the_body() {
    for asked in [r#"["b", "c,a"]"#, r#""b, c""#] {
        let mut request = hello();
        request.extra.push(Field::new("anthropic_beta", asked));
        let run = Run::new::<Anthropic>(Operation::Chat(request), r#"{"beta": ["a", "b"]}"#);
        assert_eq!(header(&run, "anthropic-beta"), Some("a,b,c"), "{asked}");
        assert_eq!(run.sent_json().get("anthropic_beta"), None);
    }
}

#[test]
fn a_beta_cannot_smuggle_a_header() {
    for asked in [r#"["a\r\nx-api-key: mine"]"#, r#"["é"]"#, "7", r#"[7]"#] {
        let mut request = hello();
        request.extra.push(Field::new("anthropic_beta", asked));
        let error = super::refused(request);
        assert_eq!(error.kind, ErrorKind::InvalidRequest, "{asked}");
        assert!(error.message.contains("anthropic_beta"), "{}", error.message);
    }
}

#[test]
fn a_wrong_setting_is_named() {
    let error = testing::describe::<Anthropic>(r#"{"betas": []}"#).unwrap_err();
    assert!(error.message.starts_with("settings: `betas`: unknown field"), "{}", error.message);
    let error = testing::describe::<Anthropic>(r#"{"max_tokens": "many"}"#).unwrap_err();
    assert!(error.message.starts_with("settings: `max_tokens`: "), "{}", error.message);
}

#[test]
fn the_defaults_are_those_that_the_schema_tells() {
    let told = include_str!("../../plugin.toml");
    let settings = crate::config::Settings::default();
    assert!(
        told.contains(&format!("[settings.properties.version]\ntype = \"string\"\ndefault = \"{}\"", settings.version))
    );
    assert!(settings.beta.is_empty() && settings.models.is_empty() && settings.max_tokens.is_none());
}
