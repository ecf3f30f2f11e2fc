//! What an operator may set; `plugin.toml` says the same as a schema.

use mortise_sdk::openai::{Api, MaxTokensField, Options, Paths, Summary};
use mortise_sdk::provider::Error;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// A dated version of the API. Absent: version 1.
    api_version: Option<String>,
    api: Api,
    responses: bool,
    responses_models: Vec<String>,
    max_tokens_field: MaxTokensField,
    reasoning_summary: Option<Summary>,
    /// Shown as models without asking.
    deployments: Vec<String>,
}

impl Settings {
    pub(crate) fn into_options(self) -> Result<Options, Error> {
        let dated = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '.');
        let paths = match self.api_version {
            None => Paths { prefix: "/openai/v1".into(), ..Paths::default() },
            Some(version) if !version.is_empty() && version.chars().all(dated) => Paths {
                prefix: "/openai".into(),
                model_prefix: Some("/openai/deployments/{model}".into()),
                query: Some(format!("api-version={version}")),
            },
            Some(_) => {
                return Err(Error::invalid("settings: `api_version`: expected a date such as 2024-10-21"));
            }
        };
        Ok(Options {
            api: self.api,
            responses: self.responses,
            responses_models: self.responses_models,
            max_tokens_field: self.max_tokens_field,
            reasoning_summary: self.reasoning_summary,
            models: self.deployments,
            paths,
            ..Options::default()
        })
    }
}

impl Default for Settings {
    fn default() -> Self {
        let options = Options::default();
        Self {
            api_version: None,
            api: options.api,
            responses: options.responses,
            responses_models: options.responses_models,
            max_tokens_field: options.max_tokens_field,
            reasoning_summary: options.reasoning_summary,
            deployments: options.models,
        }
    }
}
