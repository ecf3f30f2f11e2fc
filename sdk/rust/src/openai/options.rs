//! In what the vendors of one dialect differ.

use serde::Deserialize;

use crate::http::Header;
use crate::provider::Model;

/// What an operator, or the author of a provider, may set. The defaults are OpenAI's own ways.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The field for the limit of the answer's tokens.
    pub max_tokens_field: MaxTokensField,
    /// The field in which a model's earlier reasoning is sent back to it. Absent: it isn't.
    pub replay_thinking: Option<ThinkingField>,
    /// Whether the vendor knows the role `developer`; if not, it reads `system`.
    pub developer_role: bool,
    /// Whether the vendor takes images and files in tool results; if not, they are an error.
    pub media_in_results: bool,
    /// Whether the vendor takes `top_k`; if not, it is an error.
    pub top_k: bool,
    /// The names of models to show without asking the vendor.
    pub models: Vec<String>,
    /// Headers of every request. Not a setting: for the author of a provider.
    #[serde(skip)]
    pub headers: Vec<Header>,
}

/// The field for the limit of the answer's tokens.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum MaxTokensField {
    /// `max_completion_tokens`
    #[default]
    MaxCompletionTokens,
    /// `max_tokens`, which most compatible vendors still want.
    MaxTokens,
}

/// The field for a model's reasoning.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ThinkingField {
    /// `reasoning_content`, as DeepSeek has it.
    ReasoningContent,
    /// `reasoning`, as OpenRouter has it.
    Reasoning,
}

// === impl Options ===

impl Options {
    /// The models that the operator named.
    pub fn known_models(&self) -> Vec<Model> {
        self.models.iter().map(Model::new).collect()
    }

    /// The dialects for [`crate::provider::Info::dialects`]: whose requests may come as their callers wrote them. None of one
    /// whose messages these settings rewrite.
    pub fn dialects(&self) -> Vec<String> {
        let chat = self.developer_role;
        chat.then(|| super::DIALECT.to_owned()).into_iter().collect()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_tokens_field: MaxTokensField::default(),
            replay_thinking: None,
            developer_role: true,
            media_in_results: false,
            top_k: false,
            models: Vec::new(),
            headers: Vec::new(),
        }
    }
}

// === impl MaxTokensField, ThinkingField ===

impl MaxTokensField {
    pub(super) fn name(self) -> &'static str {
        self.names().0
    }

    /// Its name, and that of the other one.
    pub(super) fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::MaxCompletionTokens => ("max_completion_tokens", "max_tokens"),
            Self::MaxTokens => ("max_tokens", "max_completion_tokens"),
        }
    }
}

impl ThinkingField {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ReasoningContent => "reasoning_content",
            Self::Reasoning => "reasoning",
        }
    }
}
