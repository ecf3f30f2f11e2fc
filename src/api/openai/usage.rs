//! What an answer took, as OpenAI's clients read it.

use schemars::JsonSchema;
use serde::Serialize;

use super::wire::Members;
use crate::model::chat::{Field, Json, Usage};

/// What the answer took.
#[derive(Clone, Copy, Serialize, JsonSchema)]
#[schemars(rename = "Usage")]
pub(super) struct UsageView<'a> {
    /// Tokens that the model read.
    prompt_tokens: u64,
    /// Tokens that it wrote.
    completion_tokens: u64,
    /// Both together.
    total_tokens: u64,
    /// What of the prompt was special.
    prompt_tokens_details: PromptDetails<'a>,
    /// What of the answer was special.
    completion_tokens_details: CompletionDetails<'a>,
    /// US dollars; absent where the price isn't known.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<f64>,
    #[serde(flatten)]
    extra: Members<'a>,
}

/// What of the prompt was special.
#[derive(Clone, Copy, Serialize, JsonSchema)]
#[schemars(rename = "PromptTokensDetails")]
struct PromptDetails<'a> {
    /// Tokens that the vendor remembered.
    cached_tokens: u64,
    /// Tokens that the vendor will remember, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_tokens: Option<u64>,
    #[serde(flatten)]
    extra: Members<'a>,
}

/// What of the answer was special.
#[derive(Clone, Copy, Serialize, JsonSchema)]
#[schemars(rename = "CompletionTokensDetails")]
struct CompletionDetails<'a> {
    /// Tokens that the model only thought.
    reasoning_tokens: u64,
    #[serde(flatten)]
    extra: Members<'a>,
}

/// What a vendor counts that has no name here, by where OpenAI counts the like.
#[derive(Debug, Default)]
pub(super) struct Counts {
    usage: Vec<Field>,
    prompt: Vec<Field>,
    completion: Vec<Field>,
}

// === impl Counts ===

impl Counts {
    /// Of one name, the last counts.
    pub(super) fn add(&mut self, name: &str, value: Json) {
        let (place, name) = match name.split_once('.') {
            Some(("prompt_tokens_details", name)) => (&mut self.prompt, name),
            Some(("completion_tokens_details", name)) => (&mut self.completion, name),
            _ => (&mut self.usage, name),
        };
        place.retain(|known| known.name != name);
        place.push(Field { name: name.to_owned(), value });
    }
}

// === impl UsageView ===

impl<'a> UsageView<'a> {
    /// `usage`, and what was counted beside it.
    pub(super) fn of(usage: Usage, beside: &'a Counts) -> Self {
        Self {
            prompt_tokens: usage.input,
            completion_tokens: usage.output,
            total_tokens: usage.total(),
            prompt_tokens_details: PromptDetails {
                cached_tokens: usage.cache_read,
                cache_write_tokens: Some(usage.cache_write).filter(|written| *written > 0),
                extra: Members(&beside.prompt),
            },
            completion_tokens_details: CompletionDetails {
                reasoning_tokens: usage.reasoning,
                extra: Members(&beside.completion),
            },
            cost: usage.cost,
            extra: Members(&beside.usage),
        }
    }
}
