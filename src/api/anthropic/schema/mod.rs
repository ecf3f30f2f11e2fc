//! What the readers of this dialect take, as types for the API document: `request`, `message` and `media` read field by field.
//!
//! A field whose value may be null may as well be left out. What has no name here goes to providers that speak the
//! dialect, as it came.

#![expect(dead_code, reason = "these types are never made: they tell what the readers take, and tests hold them to it")]

mod message;

use schemars::JsonSchema;
use serde_json::{Map, Value};

use message::{ContentParam, MessageParam};

/// A conversation for a model to go on with.
#[derive(JsonSchema)]
pub(super) struct MessageRequest {
    /// The longest answer, in tokens.
    #[schemars(range(max = 4_294_967_295_u32))]
    max_tokens: u32,
    #[schemars(flatten)]
    asked: Asked,
}

/// A conversation whose tokens are counted.
#[derive(JsonSchema)]
#[schemars(rename = "CountTokensRequest")]
pub(super) struct CountRequest {
    /// The longest answer, in tokens.
    #[schemars(range(max = 4_294_967_295_u32))]
    max_tokens: Option<u32>,
    #[schemars(flatten)]
    asked: Asked,
}

#[derive(JsonSchema)]
struct Asked {
    /// Which model: `provider/model`, its own name, or a provider's name for its default model.
    #[schemars(length(min = 1))]
    model: String,
    /// What was said so far.
    #[schemars(length(min = 1))]
    messages: Vec<MessageParam>,
    /// The operator's instructions.
    system: Option<ContentParam>,
    /// Whether the answer comes piece by piece, as server-sent events.
    stream: Option<bool>,
    /// Tools that the model may ask for.
    tools: Option<Vec<ToolParam>>,
    /// Whether it may, must not, or has to.
    tool_choice: Option<ToolChoiceParam>,
    /// How much it thinks.
    thinking: Option<ThinkingParam>,
    /// What the answer has to be like.
    output_config: Option<OutputParam>,
    /// What the answer has to look like, as it was told before `output_config`.
    output_format: Option<FormatParam>,
    /// How freely the model chooses its words.
    #[schemars(range(min = 0.0, max = 1.0))]
    temperature: Option<f64>,
    /// From which share of the likeliest words it chooses.
    #[schemars(range(min = 0.0, max = 1.0))]
    top_p: Option<f64>,
    /// From how many of the likeliest words it chooses.
    #[schemars(range(max = 4_294_967_295_u32))]
    top_k: Option<u32>,
    /// Where the answer ends.
    stop_sequences: Option<Vec<String>>,
    /// For whom it is asked.
    metadata: Option<Metadata>,
}

#[derive(JsonSchema)]
#[schemars(rename = "AnthropicMetadata")]
struct Metadata {
    /// The caller's own name for its end user.
    user_id: Option<String>,
}

/// A tool; those of the vendor's own types go to providers that know them, as they came.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "AnthropicTool")]
enum ToolParam {
    /// A tool of the caller's.
    Custom(CustomTool),
    /// A tool of the vendor's.
    Native(NativeTool),
}

#[derive(JsonSchema)]
struct CustomTool {
    #[schemars(rename = "type")]
    kind: Option<CustomWord>,
    /// Its name.
    #[schemars(length(min = 1))]
    name: String,
    /// What it is good for.
    description: Option<String>,
    /// What it takes, as a JSON schema.
    input_schema: Map<String, Value>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum CustomWord {
    Custom,
}

#[derive(JsonSchema)]
struct NativeTool {
    /// A type of the vendor's own.
    #[schemars(rename = "type", extend("not" = {"const": "custom"}))]
    kind: String,
}

/// Whether tools are used, and which.
#[derive(JsonSchema)]
#[schemars(tag = "type", rename = "AnthropicToolChoice", rename_all = "snake_case")]
enum ToolChoiceParam {
    /// As the model likes.
    Auto {
        /// Whether it may ask for one at most.
        disable_parallel_tool_use: Option<bool>,
    },
    /// Some tool.
    Any {
        /// Whether it may ask for one at most.
        disable_parallel_tool_use: Option<bool>,
    },
    /// This tool.
    Tool {
        /// Its name.
        name: String,
        /// Whether it may ask for one at most.
        disable_parallel_tool_use: Option<bool>,
    },
    /// No tool.
    None {
        /// Whether it may ask for one at most.
        disable_parallel_tool_use: Option<bool>,
    },
}

/// How much the model thinks.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "AnthropicThinking")]
enum ThinkingParam {
    /// Up to a number of tokens.
    Enabled(EnabledThinking),
    /// Not at all, as much as it likes, or what else the vendor knows.
    Other(OtherThinking),
}

#[derive(JsonSchema)]
struct EnabledThinking {
    #[schemars(rename = "type", extend("const" = "enabled"))]
    kind: String,
    /// The most tokens that it thinks.
    #[schemars(range(max = 4_294_967_295_u32))]
    budget_tokens: u32,
}

#[derive(JsonSchema)]
struct OtherThinking {
    /// `disabled`, `adaptive`.
    #[schemars(rename = "type", extend("not" = {"const": "enabled"}))]
    kind: String,
}

#[derive(JsonSchema)]
#[schemars(rename = "AnthropicOutputConfig")]
struct OutputParam {
    /// How hard the model tries, in the vendor's words.
    effort: Option<String>,
    /// What the answer has to look like.
    format: Option<FormatParam>,
}

/// What an answer has to look like.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "AnthropicOutputFormat")]
enum FormatParam {
    /// JSON of a schema.
    Schema(SchemaFormat),
    /// What else the vendor knows.
    Other(OtherFormat),
}

#[derive(JsonSchema)]
struct SchemaFormat {
    #[schemars(rename = "type", extend("const" = "json_schema"))]
    kind: String,
    /// The JSON schema itself.
    schema: Map<String, Value>,
}

#[derive(JsonSchema)]
struct OtherFormat {
    #[schemars(rename = "type", extend("not" = {"const": "json_schema"}))]
    kind: String,
}
