//! The JSON that the Responses API's clients read: an answer and its items.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::api::openai::wire::Members;
use crate::model::chat::{Field, Usage};

/// An answer, whole or in the making.
#[derive(Serialize, JsonSchema)]
pub(super) struct Response<'a> {
    /// Names the answer.
    pub(super) id: &'a str,
    /// `response`.
    pub(super) object: &'static str,
    /// When it was begun, in Unix seconds.
    pub(super) created_at: i64,
    /// `in_progress`, `completed`, `incomplete` or `failed`.
    pub(super) status: &'static str,
    /// False: nothing runs in the background.
    pub(super) background: bool,
    /// Why it failed, if it did.
    pub(super) error: Option<Failure<'a>>,
    /// Why it isn't complete, if it isn't.
    pub(super) incomplete_details: Option<Incomplete>,
    /// The request's.
    pub(super) instructions: Option<&'a str>,
    /// The request's.
    pub(super) max_output_tokens: Option<u32>,
    /// The request's.
    pub(super) max_tool_calls: Option<u32>,
    /// The request's.
    pub(super) metadata: Verbatim<'a>,
    /// Which model answers.
    pub(super) model: &'a str,
    /// What the model said and asks for.
    pub(super) output: &'a [Item],
    /// The request's.
    pub(super) parallel_tool_calls: bool,
    /// The answer that this one goes on from.
    pub(super) previous_response_id: Option<&'a str>,
    /// The request's.
    pub(super) prompt_cache_key: Option<&'a str>,
    /// The request's.
    pub(super) reasoning: ReasoningView<'a>,
    /// The request's.
    pub(super) safety_identifier: Option<&'a str>,
    /// The vendor's, or else the request's.
    pub(super) service_tier: &'a str,
    /// Whether the answer is kept, so that another can go on from it.
    pub(super) store: bool,
    /// The request's.
    pub(super) temperature: Option<f64>,
    /// The request's.
    pub(super) text: TextView<'a>,
    /// The request's.
    pub(super) tool_choice: Verbatim<'a>,
    /// The request's.
    pub(super) tools: Verbatim<'a>,
    /// The request's.
    pub(super) top_logprobs: Option<u32>,
    /// The request's.
    pub(super) top_p: Option<f64>,
    /// The request's.
    pub(super) truncation: &'a str,
    /// What the answer took, if the vendor tells, once it is whole.
    pub(super) usage: Option<UsageView>,
    /// The request's.
    pub(super) user: Option<&'a str>,
    #[serde(flatten)]
    pub(super) extra: Members<'a>,
}

/// A field as the request had it, or what it means to leave it out.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(super) enum Verbatim<'a> {
    /// As the request had it.
    Given(&'a RawValue),
    /// As if it had been left out.
    Otherwise(Value),
}

/// Why an answer failed.
#[derive(Clone, Copy, Serialize, JsonSchema)]
#[schemars(rename = "ResponseFailure")]
pub(super) struct Failure<'a> {
    /// What went wrong, for programs.
    pub(super) code: &'a str,
    /// What went wrong, for people.
    pub(super) message: &'a str,
}

/// Why an answer isn't complete.
#[derive(Clone, Copy, Serialize, JsonSchema)]
#[schemars(rename = "ResponseIncompleteDetails")]
pub(super) struct Incomplete {
    /// `max_output_tokens` or `content_filter`.
    pub(super) reason: &'static str,
}

/// How much the model was to think.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ResponseReasoning")]
pub(super) struct ReasoningView<'a> {
    /// The request's.
    pub(super) effort: Option<&'a str>,
    /// The request's.
    pub(super) summary: Option<&'a str>,
}

/// What the answer's text has to look like.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ResponseText")]
pub(super) struct TextView<'a> {
    /// The request's.
    pub(super) format: Verbatim<'a>,
    /// The request's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verbosity: Option<&'a str>,
}

/// Something that the model said or asks for.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schemars(rename = "ResponseItem")]
pub(super) enum Item {
    /// What the model said.
    Message {
        /// Names the item.
        id: String,
        /// `in_progress`, `completed` or `incomplete`.
        status: &'static str,
        /// `assistant`.
        role: &'static str,
        /// The words.
        content: Vec<Content>,
    },
    /// What the model thought.
    Reasoning {
        /// Names the item.
        id: String,
        /// The thoughts that it shows.
        summary: Vec<Summary>,
        /// What the model wants to see again, readable to nobody else.
        #[serde(skip_serializing_if = "Option::is_none")]
        encrypted_content: Option<String>,
    },
    /// A function that the model wants called.
    FunctionCall {
        /// Names the item.
        id: String,
        /// `in_progress`, `completed` or `incomplete`.
        status: &'static str,
        /// Names the call, for its answer.
        call_id: String,
        /// The function's name.
        name: String,
        /// Where the function belongs, if the request had namespaces.
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<String>,
        /// What it is given: JSON, in a string.
        arguments: String,
        #[serde(flatten)]
        extra: Extras,
    },
    /// A tool that takes free text, which the model wants called.
    CustomToolCall {
        /// Names the item.
        id: String,
        /// `in_progress`, `completed` or `incomplete`.
        status: &'static str,
        /// Names the call, for its answer.
        call_id: String,
        /// The tool's name.
        name: String,
        /// Where the tool belongs, if the request had namespaces.
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<String>,
        /// What it is given.
        input: String,
        #[serde(flatten)]
        extra: Extras,
    },
    /// A search in the tools that the caller holds back.
    ToolSearchCall {
        /// Names the item.
        id: String,
        /// `in_progress`, `completed` or `incomplete`.
        status: &'static str,
        /// Names the call, for its answer.
        call_id: String,
        /// `client`.
        execution: &'static str,
        /// What is sought.
        arguments: Value,
    },
    #[serde(untagged)]
    Other(OtherItem),
}

/// The doings of a tool that the vendor runs itself, as it tells them.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(super) struct OtherItem(pub(super) Box<RawValue>);

/// Types of items that have a form of their own here.
pub(super) const KNOWN: [&str; 5] = ["message", "reasoning", "function_call", "custom_tool_call", "tool_search_call"];

/// Words of the model.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schemars(rename = "ResponseContent")]
pub(super) enum Content {
    /// What it said.
    OutputText {
        /// The words.
        text: String,
        /// Sources of them.
        annotations: Vec<Value>,
        /// None are told.
        logprobs: [Value; 0],
    },
    /// Words in place of an answer.
    Refusal {
        /// The words.
        refusal: String,
    },
}

/// Where there is one kind, there is nothing to choose among.
fn sole(schema: &mut Schema) {
    if let Some(Value::Array(kinds)) = schema.remove("oneOf")
        && let Some(Value::Object(kind)) = kinds.into_iter().next()
    {
        for (name, value) in kind {
            schema.as_object_mut().map(|schema| schema.entry(name).or_insert(value));
        }
    }
}

/// A thought that the model shows.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schemars(rename = "ResponseSummary", transform = sole)]
pub(super) enum Summary {
    /// One of several.
    SummaryText {
        /// The thought.
        text: String,
    },
}

/// What the answer took.
#[derive(Clone, Copy, Serialize, JsonSchema)]
#[schemars(rename = "ResponseUsage")]
pub(super) struct UsageView {
    /// Tokens that the model read.
    input_tokens: u64,
    /// What of them was special.
    input_tokens_details: InputDetails,
    /// Tokens that it wrote.
    output_tokens: u64,
    /// What of them was special.
    output_tokens_details: OutputDetails,
    /// Both together.
    total_tokens: u64,
    /// US dollars; absent where the price isn't known.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<f64>,
}

/// What of the input was special.
#[derive(Clone, Copy, Serialize, JsonSchema)]
#[schemars(rename = "ResponseInputTokensDetails")]
struct InputDetails {
    /// Tokens that the vendor remembered.
    cached_tokens: u64,
    /// Tokens that the vendor will remember.
    cache_write_tokens: u64,
}

/// What of the output was special.
#[derive(Clone, Copy, Serialize, JsonSchema)]
#[schemars(rename = "ResponseOutputTokensDetails")]
struct OutputDetails {
    /// Tokens that the model only thought.
    reasoning_tokens: u64,
}

/// A vendor's fields of a call, among the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Extras(pub(super) Vec<Field>);

// === impl Item ===

impl Item {
    /// A message of these words.
    pub(super) fn message(id: String, status: &'static str, content: Vec<Content>) -> Self {
        Self::Message { id, status, role: "assistant", content }
    }

    /// A vendor's own item, if it is one.
    pub(super) fn other(text: String) -> Option<Self> {
        #[derive(serde::Deserialize)]
        struct Typed {
            r#type: String,
        }
        let typed: Typed = serde_json::from_str(&text).ok()?;
        let item = RawValue::from_string(text).ok()?;
        (!KNOWN.contains(&typed.r#type.as_str())).then_some(Self::Other(OtherItem(item)))
    }
}

// === impl OtherItem ===

impl JsonSchema for OtherItem {
    fn schema_name() -> Cow<'static, str> {
        "OtherResponseItem".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The doings of a tool that the vendor runs itself, as it tells them.",
            "type": "object",
            "properties": {"type": {"type": "string", "not": {"enum": KNOWN}}},
            "required": ["type"],
            "additionalProperties": true,
        })
    }
}

// === impl Extras ===

impl Serialize for Extras {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Members(&self.0).serialize(serializer)
    }
}

impl JsonSchema for Extras {
    fn schema_name() -> Cow<'static, str> {
        Members::schema_name()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Members::json_schema(generator)
    }
}

// === impl UsageView ===

impl From<Usage> for UsageView {
    fn from(usage: Usage) -> Self {
        Self {
            input_tokens: usage.input,
            input_tokens_details: InputDetails {
                cached_tokens: usage.cache_read,
                cache_write_tokens: usage.cache_write,
            },
            output_tokens: usage.output,
            output_tokens_details: OutputDetails { reasoning_tokens: usage.reasoning },
            total_tokens: usage.total(),
            cost: usage.cost,
        }
    }
}
