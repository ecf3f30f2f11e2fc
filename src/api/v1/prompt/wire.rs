//! What the prompt surface answers.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::super::wire::reason;
use crate::http::fault::Fault;
use crate::model::chat::Usage;
use crate::service::prompt::{End, Outcome};

/// What every answer of this surface looks like.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{T}Reply")]
pub(super) struct Envelope<T> {
    /// Whether all that was asked for was done.
    pub(super) success: bool,
    /// What was not, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// What was not, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error_code: Option<&'static str>,
    /// What was done.
    pub(super) data: T,
}

/// What came of a prompt.
#[derive(Serialize, JsonSchema)]
pub(super) struct PromptResult {
    /// The session that it is kept in, to go on with it; absent where it is kept in none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session_id: Option<String>,
    /// As it was asked for.
    pub(super) backend: String,
    /// The model that answered, or was to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) model: Option<String>,
    /// 0: there is an answer. 1: the backend failed. -1: it was canceled, because another failed.
    pub(super) exit_code: i8,
    /// From the question to the end of the answer.
    pub(super) duration_ms: u64,
    /// What the model said; of one that failed, what it said until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<String>,
    /// Why there is no answer, or not all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// The same for programs, as in the body of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error_code: Option<&'static str>,
    /// Only there where the answer is not simply complete: it was cut, or the model refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_reason: Option<&'static str>,
    /// Absent where nobody was asked, or the vendor didn't tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token_usage: Option<TokenUsage>,
    /// US dollars; absent where prices aren't known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cost_usd: Option<f64>,
    /// Who served it, where that was asked for with `verbose`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) served: Option<ServedBy>,
}

/// What an answer took.
#[derive(Clone, Copy, Default, Serialize, JsonSchema)]
pub(super) struct TokenUsage {
    /// Tokens that the model read.
    input_tokens: u64,
    /// Tokens that it wrote.
    output_tokens: u64,
    /// Of those that it read, those that the vendor had kept from before.
    #[serde(skip_serializing_if = "Option::is_none")]
    cached_tokens: Option<u64>,
    /// Of those that it wrote, those that it only thought.
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_tokens: Option<u64>,
}

/// Who served a prompt.
#[derive(Serialize, JsonSchema)]
pub(super) struct ServedBy {
    /// The provider.
    provider: String,
    /// The provider's name for the model.
    model: String,
    /// How many attempts it took, at all providers together.
    attempts: u32,
    /// Whether the vendor didn't count, so that tokens and cost are estimates.
    estimated: bool,
}

/// What came of prompts side by side.
#[derive(Serialize, JsonSchema)]
pub(super) struct ParallelResult {
    /// How many there were.
    pub(super) total_tasks: usize,
    /// How many have an answer.
    pub(super) completed: usize,
    /// How many failed; those that were canceled are in neither.
    pub(super) failed: usize,
    /// Until the last of them was over.
    pub(super) total_duration_ms: u64,
    /// In the order of the tasks.
    pub(super) results: Vec<PromptResult>,
    /// All answers as one, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) aggregate: Option<Aggregate>,
}

/// All answers as one.
#[derive(Serialize, JsonSchema)]
pub(super) struct Aggregate {
    /// What was said, in the order of the tasks, each under the name of its backend.
    output: String,
    /// What all of it took, where vendors told.
    token_usage: TokenUsage,
    /// US dollars, where prices are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_usd: Option<f64>,
}

/// What came of a chain.
#[derive(Serialize, JsonSchema)]
pub(super) struct ChainResult {
    /// How many steps there were.
    pub(super) total_steps: usize,
    /// How many have an answer.
    pub(super) completed_steps: usize,
    /// The last one that failed, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failed_step: Option<usize>,
    /// Until the last of them was over.
    pub(super) total_duration_ms: u64,
    /// Of the steps that were begun, in order.
    pub(super) results: Vec<StepResult>,
}

/// What came of a step.
#[derive(Serialize, JsonSchema)]
pub(super) struct StepResult {
    /// Its place, counted from 1.
    pub(super) step: usize,
    /// Its name, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// What came of its prompt.
    #[serde(flatten)]
    pub(super) result: PromptResult,
}

/// What several backends said to one prompt.
#[derive(Serialize, JsonSchema)]
pub(super) struct CompareResult {
    /// What was asked.
    pub(super) prompt: String,
    /// Who was asked.
    pub(super) backends: Vec<String>,
    /// Until the last of them was over.
    pub(super) total_duration_ms: u64,
    /// In the order of the backends.
    pub(super) results: Vec<PromptResult>,
}

/// Who can be asked.
#[derive(Serialize, JsonSchema)]
pub(super) struct BackendList {
    /// Providers, then routes, each in the order of their names.
    pub(super) backends: Vec<Backend>,
}

/// Who can be asked.
#[derive(Serialize, JsonSchema)]
pub(super) struct Backend {
    /// What callers name it.
    pub(super) name: String,
    /// Whether it can be asked now.
    pub(super) available: bool,
    /// `provider` or `route`.
    pub(super) kind: &'static str,
    /// Its model for who names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) default_model: Option<String>,
    /// What is wrong with it, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

// === impl Envelope ===

impl<T> Envelope<T> {
    pub(super) fn done(data: T) -> Self {
        Self { success: true, error: None, error_code: None, data }
    }

    /// Of several, of which that many failed or were canceled.
    pub(super) fn of_several(data: T, what: &str, all: usize, missing: usize) -> Self {
        let error = (missing > 0).then(|| format!("{missing} of {all} {what} have no answer; see each one's error"));
        Self { success: missing == 0, error, error_code: None, data }
    }
}

// === impl PromptResult ===

impl PromptResult {
    pub(super) fn of(outcome: Outcome, verbose: bool) -> Self {
        let (exit_code, error, error_code) = match &outcome.end {
            End::Done => (0, None, None),
            End::Failed(error) => (1, Some(error.public().to_owned()), Some(Fault::of(error).code)),
            End::Canceled => (-1, Some("canceled".to_owned()), None),
        };
        let cost_usd = outcome.served.as_ref().and_then(|served| served.cost);
        let served = outcome.served.filter(|_| verbose).map(|served| ServedBy {
            provider: served.provider,
            model: served.model,
            attempts: served.attempts,
            estimated: served.estimated,
        });
        Self {
            session_id: None,
            backend: outcome.backend,
            model: outcome.model,
            exit_code,
            duration_ms: milliseconds(outcome.duration),
            output: outcome.output,
            error,
            error_code,
            stop_reason: outcome.stop.and_then(reason),
            token_usage: outcome.usage.map(Into::into),
            cost_usd,
            served,
        }
    }
}

// === impl Aggregate ===

impl Aggregate {
    pub(super) fn of(results: &[PromptResult]) -> Self {
        let said = results.iter().filter(|result| result.exit_code == 0);
        let texts =
            said.map(|result| format!("## {}\n\n{}", result.backend, result.output.as_deref().unwrap_or_default()));
        let costs: Vec<f64> = results.iter().filter_map(|result| result.cost_usd).collect();
        Self {
            output: texts.collect::<Vec<_>>().join("\n\n"),
            token_usage: results
                .iter()
                .filter_map(|result| result.token_usage)
                .fold(TokenUsage::default(), TokenUsage::and),
            cost_usd: (!costs.is_empty()).then(|| costs.iter().sum()),
        }
    }
}

// === impl TokenUsage ===

impl TokenUsage {
    fn and(self, more: Self) -> Self {
        let both = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (None, None) => None,
            _ => Some(one.unwrap_or_default().saturating_add(other.unwrap_or_default())),
        };
        Self {
            input_tokens: self.input_tokens.saturating_add(more.input_tokens),
            output_tokens: self.output_tokens.saturating_add(more.output_tokens),
            cached_tokens: both(self.cached_tokens, more.cached_tokens),
            reasoning_tokens: both(self.reasoning_tokens, more.reasoning_tokens),
        }
    }
}

impl From<Usage> for TokenUsage {
    fn from(usage: Usage) -> Self {
        let some = |count: u64| Some(count).filter(|count| *count > 0);
        Self {
            input_tokens: usage.input,
            output_tokens: usage.output,
            cached_tokens: some(usage.cache_read),
            reasoning_tokens: some(usage.reasoning),
        }
    }
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
