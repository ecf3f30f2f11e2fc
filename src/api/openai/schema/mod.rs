//! What the readers of this dialect take, as types for the API document: `request`, `message` and `embeddings` read field by field.
//!
//! A field whose value may be null may as well be left out. What has no name here goes to providers that speak the
//! dialect, as it came.

#![expect(dead_code, reason = "these types are never made: they tell what the readers take, and tests hold them to it")]

mod message;
mod tools;

use schemars::JsonSchema;
use serde_json::{Map, Value};

use message::MessageParam;
use tools::{FunctionParam, LegacyChoice, ToolChoiceParam, ToolParam};

use super::shape::OpenAiError;
use super::wire::Chunk;

/// A conversation for a model to go on with.
#[derive(JsonSchema)]
#[schemars(rename = "ChatCompletionRequest")]
pub(super) struct CompletionRequest {
    /// Which model: `provider/model`, its own name, or a provider's name for its default model.
    #[schemars(length(min = 1))]
    model: String,
    /// What was said so far.
    #[schemars(length(min = 1))]
    messages: Vec<MessageParam>,
    /// How many answers; one is supported.
    #[schemars(range(min = 1, max = 1))]
    n: Option<u32>,
    /// Whether the answer comes piece by piece, as server-sent events.
    stream: Option<bool>,
    /// Only of interest to streams.
    stream_options: Option<StreamOptions>,
    /// The longest answer, in tokens.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    max_completion_tokens: Option<u32>,
    /// The same, as it was called before.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    max_tokens: Option<u32>,
    /// Functions and other tools that the model may ask for.
    tools: Option<Vec<ToolParam>>,
    /// Whether it may, must not, or has to.
    tool_choice: Option<ToolChoiceParam>,
    /// Whether it may ask for several at once.
    parallel_tool_calls: Option<bool>,
    /// Functions, as they were offered before there were tools; the answer has a `function_call` then.
    functions: Option<Vec<FunctionParam>>,
    /// Whether one of them is called, as it was said before.
    function_call: Option<LegacyChoice>,
    /// How freely the model chooses its words.
    #[schemars(range(min = 0.0, max = 2.0))]
    temperature: Option<f64>,
    /// From which share of the likeliest words it chooses.
    #[schemars(range(min = 0.0, max = 1.0))]
    top_p: Option<f64>,
    /// From how many of the likeliest words it chooses.
    #[schemars(range(max = 4_294_967_295_u32))]
    top_k: Option<u32>,
    /// How much it avoids words by how often they were said.
    #[schemars(range(min = -2.0, max = 2.0))]
    frequency_penalty: Option<f64>,
    /// How much it avoids words that were said at all.
    #[schemars(range(min = -2.0, max = 2.0))]
    presence_penalty: Option<f64>,
    /// Where the answer ends.
    stop: Option<OneOrMore>,
    /// The same seed asks for the same answer.
    #[schemars(range(min = i64::MIN, max = i64::MAX))]
    seed: Option<i64>,
    /// What the answer has to look like.
    response_format: Option<FormatParam>,
    /// How long the model may think, in the vendor's words.
    reasoning_effort: Option<String>,
    /// The caller's own name for its end user.
    user: Option<String>,
}

/// One text or several.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
enum OneOrMore {
    /// One.
    One(String),
    /// Several.
    More(Vec<String>),
}

/// What a stream says beside the answer.
#[derive(JsonSchema)]
struct StreamOptions {
    /// Whether it ends in a chunk that tells the usage.
    include_usage: Option<bool>,
}

/// What an answer has to look like.
#[derive(JsonSchema)]
#[schemars(tag = "type", rename = "ResponseFormat", rename_all = "snake_case")]
enum FormatParam {
    /// Anything.
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON of this schema.
    JsonSchema {
        /// The schema.
        json_schema: SchemaParam,
    },
}

#[derive(JsonSchema)]
#[schemars(rename = "AnswerSchema")]
struct SchemaParam {
    /// Its name.
    name: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// Whether the answer must keep to it in everything.
    strict: Option<bool>,
    /// The JSON schema itself.
    schema: Map<String, Value>,
}

/// Texts to turn into vectors.
#[derive(JsonSchema)]
pub(super) struct EmbeddingRequest {
    /// Which model: `provider/model`, or its own name.
    model: String,
    /// One text, or several.
    input: EmbeddingInput,
    /// How vectors are written: as numbers, or as the bytes of 32-bit floats in base64.
    encoding_format: Option<EncodingFormat>,
    /// How long vectors are.
    #[schemars(range(max = 4_294_967_295_u32))]
    dimensions: Option<u32>,
    /// The caller's own name for its end user.
    user: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(untagged, inline)]
enum EmbeddingInput {
    /// One text.
    One(String),
    /// Several texts.
    More(#[schemars(length(min = 1))] Vec<String>),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum EncodingFormat {
    Float,
    Base64,
}

/// The data of one event, before the last one, which is `[DONE]`.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "ChatCompletionEvent")]
pub(super) enum StreamData<'a> {
    /// A piece of the answer.
    Chunk(Chunk<'a>),
    /// Why the answer broke off; nothing follows.
    Error(OpenAiError<'a>),
}
