//! What an operator may set; `plugin.toml` says the same as a schema.

use mortise_sdk::http::Header;
use mortise_sdk::openai::{
    Api, CallIds, MaxTokensField, Options, ReasoningField, RequiredTool, SeedField, Summary, ThinkingField,
};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Which of the key's organisations pays.
    organization: Option<String>,
    /// Which of the organisation's projects the requests belong to.
    project: Option<String>,
    api: Api,
    responses: bool,
    responses_models: Vec<String>,
    max_tokens_field: MaxTokensField,
    reasoning: ReasoningField,
    reasoning_summary: Option<Summary>,
    replay_thinking: Option<ThinkingField>,
    developer_role: bool,
    call_ids: CallIds,
    required_tool: RequiredTool,
    parallel_tool_calls: bool,
    json_schema: bool,
    stream_options: bool,
    seed_field: SeedField,
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
            api: self.api,
            responses: self.responses,
            responses_models: self.responses_models,
            max_tokens_field: self.max_tokens_field,
            reasoning: self.reasoning,
            reasoning_summary: self.reasoning_summary,
            replay_thinking: self.replay_thinking,
            developer_role: self.developer_role,
            call_ids: self.call_ids,
            required_tool: self.required_tool,
            parallel_tool_calls: self.parallel_tool_calls,
            json_schema: self.json_schema,
            stream_options: self.stream_options,
            seed_field: self.seed_field,
            media_in_results: self.media_in_results,
            top_k: self.top_k,
            models: self.models,
            headers: organization.into_iter().chain(project).collect(),
            ..Options::default()
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        let options = Options::default();
        Self {
            organization: None,
            project: None,
            api: options.api,
            responses: options.responses,
            responses_models: options.responses_models,
            max_tokens_field: options.max_tokens_field,
            reasoning: options.reasoning,
            reasoning_summary: options.reasoning_summary,
            replay_thinking: options.replay_thinking,
            developer_role: options.developer_role,
            call_ids: options.call_ids,
            required_tool: options.required_tool,
            parallel_tool_calls: options.parallel_tool_calls,
            json_schema: options.json_schema,
            stream_options: options.stream_options,
            seed_field: options.seed_field,
            media_in_results: options.media_in_results,
            top_k: options.top_k,
            models: options.models,
        }
    }
}
