//! The JSON that the Responses API's clients read of a stream: one event each.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::wire::{Content, Item, Response, Summary};

/// One event; they are numbered from 0.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type")]
#[schemars(rename = "ResponseEvent")]
#[rustfmt::skip]
pub(super) enum Said<'a> {
    /// The answer has begun.
    #[serde(rename = "response.created")]
    Created { sequence_number: u64, response: &'a Response<'a> },
    /// It goes on.
    #[serde(rename = "response.in_progress")]
    InProgress { sequence_number: u64, response: &'a Response<'a> },
    /// It is whole.
    #[serde(rename = "response.completed")]
    Completed { sequence_number: u64, response: &'a Response<'a> },
    /// It ended too early.
    #[serde(rename = "response.incomplete")]
    Incomplete { sequence_number: u64, response: &'a Response<'a> },
    /// It broke off; nothing follows.
    #[serde(rename = "response.failed")]
    Failed { sequence_number: u64, response: &'a Response<'a> },
    /// An item begins; the one before has ended.
    #[serde(rename = "response.output_item.added")]
    ItemAdded { sequence_number: u64, output_index: usize, item: &'a Item },
    /// An item is whole.
    #[serde(rename = "response.output_item.done")]
    ItemDone { sequence_number: u64, output_index: usize, item: &'a Item },
    /// A part of a message begins.
    #[serde(rename = "response.content_part.added")]
    PartAdded { sequence_number: u64, item_id: &'a str, output_index: usize, content_index: usize, part: &'a Content },
    /// A part of a message is whole.
    #[serde(rename = "response.content_part.done")]
    PartDone { sequence_number: u64, item_id: &'a str, output_index: usize, content_index: usize, part: &'a Content },
    /// More words.
    #[serde(rename = "response.output_text.delta")]
    Text { sequence_number: u64, item_id: &'a str, output_index: usize, content_index: usize, delta: &'a str, logprobs: [Value; 0] },
    /// All words of the part.
    #[serde(rename = "response.output_text.done")]
    TextDone { sequence_number: u64, item_id: &'a str, output_index: usize, content_index: usize, text: &'a str, logprobs: [Value; 0] },
    /// A source of the words.
    #[serde(rename = "response.output_text.annotation.added")]
    Annotation { sequence_number: u64, item_id: &'a str, output_index: usize, content_index: usize, annotation_index: usize, annotation: &'a Value },
    /// More words in place of an answer.
    #[serde(rename = "response.refusal.delta")]
    Refusal { sequence_number: u64, item_id: &'a str, output_index: usize, content_index: usize, delta: &'a str },
    /// All of them.
    #[serde(rename = "response.refusal.done")]
    RefusalDone { sequence_number: u64, item_id: &'a str, output_index: usize, content_index: usize, refusal: &'a str },
    /// A thought begins.
    #[serde(rename = "response.reasoning_summary_part.added")]
    SummaryAdded { sequence_number: u64, item_id: &'a str, output_index: usize, summary_index: usize, part: &'a Summary },
    /// A thought is whole.
    #[serde(rename = "response.reasoning_summary_part.done")]
    SummaryDone { sequence_number: u64, item_id: &'a str, output_index: usize, summary_index: usize, part: &'a Summary },
    /// More of a thought.
    #[serde(rename = "response.reasoning_summary_text.delta")]
    Thought { sequence_number: u64, item_id: &'a str, output_index: usize, summary_index: usize, delta: &'a str },
    /// All of it.
    #[serde(rename = "response.reasoning_summary_text.done")]
    ThoughtDone { sequence_number: u64, item_id: &'a str, output_index: usize, summary_index: usize, text: &'a str },
    /// More of the JSON that a function is given.
    #[serde(rename = "response.function_call_arguments.delta")]
    Arguments { sequence_number: u64, item_id: &'a str, output_index: usize, delta: &'a str },
    /// All of it.
    #[serde(rename = "response.function_call_arguments.done")]
    ArgumentsDone { sequence_number: u64, item_id: &'a str, output_index: usize, name: &'a str, arguments: &'a str },
    /// More of the text that a tool is given.
    #[serde(rename = "response.custom_tool_call_input.delta")]
    Input { sequence_number: u64, item_id: &'a str, output_index: usize, delta: &'a str },
    /// All of it.
    #[serde(rename = "response.custom_tool_call_input.done")]
    InputDone { sequence_number: u64, item_id: &'a str, output_index: usize, input: &'a str },
}

// === impl Said ===

impl Said<'_> {
    /// The event's name, which its data repeats as its type.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "response.created",
            Self::InProgress { .. } => "response.in_progress",
            Self::Completed { .. } => "response.completed",
            Self::Incomplete { .. } => "response.incomplete",
            Self::Failed { .. } => "response.failed",
            Self::ItemAdded { .. } => "response.output_item.added",
            Self::ItemDone { .. } => "response.output_item.done",
            Self::PartAdded { .. } => "response.content_part.added",
            Self::PartDone { .. } => "response.content_part.done",
            Self::Text { .. } => "response.output_text.delta",
            Self::TextDone { .. } => "response.output_text.done",
            Self::Annotation { .. } => "response.output_text.annotation.added",
            Self::Refusal { .. } => "response.refusal.delta",
            Self::RefusalDone { .. } => "response.refusal.done",
            Self::SummaryAdded { .. } => "response.reasoning_summary_part.added",
            Self::SummaryDone { .. } => "response.reasoning_summary_part.done",
            Self::Thought { .. } => "response.reasoning_summary_text.delta",
            Self::ThoughtDone { .. } => "response.reasoning_summary_text.done",
            Self::Arguments { .. } => "response.function_call_arguments.delta",
            Self::ArgumentsDone { .. } => "response.function_call_arguments.done",
            Self::Input { .. } => "response.custom_tool_call_input.delta",
            Self::InputDone { .. } => "response.custom_tool_call_input.done",
        }
    }
}
