//! What an operator may set; `plugin.toml` says the same as a schema.

use mortise_sdk::http::Header;
use mortise_sdk::openai::{MaxTokensField, Options, ThinkingField};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Which of the key's organisations pays.
    organization: Option<String>,
    /// Which of the organisation's projects the requests belong to.
    project: Option<String>,
    max_tokens_field: MaxTokensField,
    replay_thinking: Option<ThinkingField>,
    developer_role: bool,
    media_in_results: bool,
    top_k: bool,
    models: Vec<String>,
}

impl Settings {
    pub(crate) fn into_options(self) -> Options {
        let header = |name: &str, value: Option<String>| value.map(|value| Header::new(name, value));
        let organization = header("openai-organization", self.organization);
        let project = header("openai-project", self.project);
        Options {
            max_tokens_field: self.max_tokens_field,
            replay_thinking: self.replay_thinking,
            developer_role: self.developer_role,
            media_in_results: self.media_in_results,
            top_k: self.top_k,
            models: self.models,
            headers: organization.into_iter().chain(project).collect(),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        let options = Options::default();
        Self {
            organization: None,
            project: None,
            max_tokens_field: options.max_tokens_field,
            replay_thinking: options.replay_thinking,
            developer_role: options.developer_role,
            media_in_results: options.media_in_results,
            top_k: options.top_k,
            models: options.models,
        }
    }
}
