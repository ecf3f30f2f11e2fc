//! What the readers of the Responses API take, as types for the API document.

#![expect(dead_code, reason = "these types are never made: they tell what the readers take, and tests hold them to it")]

mod tools;

use schemars::JsonSchema;
use serde_json::{Map, Value};

use tools::{Choice, ToolParam};

/// A conversation for a model to go on with; `conversation` is refused.
#[derive(JsonSchema)]
pub(super) struct CreateResponse {
    /// Which model: `provider/model`, its own name, or a provider's name for its default model.
    #[schemars(length(min = 1))]
    model: String,
    /// What was said so far.
    input: Input,
    /// The operator's instructions.
    instructions: Option<String>,
    /// Whether the answer comes piece by piece, as server-sent events.
    stream: Option<bool>,
    /// Whether the answer is kept, so that another can go on from it; it is where this is left out.
    store: Option<bool>,
    /// An answer that was kept: all that was said up to and with it stands before `input`.
    previous_response_id: Option<String>,
    /// Nothing runs in the background.
    #[schemars(extend("enum" = [false, null]))]
    background: Option<bool>,
    /// What the answer includes beside what it always does.
    include: Option<Vec<String>>,
    /// The longest answer, in tokens.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    max_output_tokens: Option<u32>,
    /// How often the vendor's own tools may run.
    #[schemars(range(max = 4_294_967_295_u32))]
    max_tool_calls: Option<u32>,
    /// The caller's own notes, which the answer repeats.
    metadata: Option<Map<String, Value>>,
    /// Whether the model may call several tools at once.
    parallel_tool_calls: Option<bool>,
    /// Names what the vendor may remember of the prompt.
    prompt_cache_key: Option<String>,
    /// How much the model may think.
    reasoning: Option<ReasoningParam>,
    /// The caller's own name for its end user.
    safety_identifier: Option<String>,
    /// How fast the vendor is to answer, in its words.
    service_tier: Option<String>,
    /// How freely the model chooses its words.
    #[schemars(range(min = 0.0, max = 2.0))]
    temperature: Option<f64>,
    /// What the answer's text has to look like.
    text: Option<TextParam>,
    /// Whether tools may, must not, or have to be used.
    tool_choice: Option<Choice>,
    /// Tools that the model may ask for.
    tools: Option<Vec<ToolParam>>,
    /// How many alternatives to each word are told.
    #[schemars(range(max = 4_294_967_295_u32))]
    top_logprobs: Option<u32>,
    /// From which share of the likeliest words the model chooses.
    #[schemars(range(min = 0.0, max = 1.0))]
    top_p: Option<f64>,
    /// What the vendor does with too long a conversation.
    truncation: Option<String>,
    /// The caller's own name for its end user, as it was called before.
    user: Option<String>,
}

/// Words of a user, or items.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
enum Input {
    /// Words.
    Text(String),
    /// Items.
    Items(#[schemars(length(min = 1))] Vec<InputItem>),
}

/// An item of a conversation.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "ResponseInputItem")]
enum InputItem {
    /// What somebody said.
    Message(InputMessage),
    /// What the model thought or called, and what came of it.
    Known(KnownItem),
    /// The doings of a tool that the vendor runs itself.
    Other(OtherParam),
}

#[derive(JsonSchema)]
#[schemars(rename = "ResponseInputMessage")]
struct InputMessage {
    #[schemars(rename = "type")]
    kind: Option<MessageWord>,
    /// Who speaks.
    role: RoleWord,
    /// What is said.
    content: InputContent,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum MessageWord {
    Message,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum RoleWord {
    System,
    Developer,
    User,
    Assistant,
}

#[derive(JsonSchema)]
#[schemars(tag = "type", rename_all = "snake_case", rename = "ResponseKnownInputItem")]
enum KnownItem {
    /// What the model thought.
    Reasoning {
        /// The thoughts that it showed.
        summary: Option<Vec<Thought>>,
        /// The same at length.
        content: Option<Vec<Thought>>,
        /// What the model wants to see again.
        encrypted_content: Option<String>,
    },
    /// A function that the model wanted called.
    FunctionCall {
        /// Names the call.
        call_id: String,
        /// The function's name.
        name: String,
        /// Where the function belongs.
        namespace: Option<String>,
        /// What it was given: JSON, in a string.
        arguments: Option<String>,
    },
    /// What a function answered.
    FunctionCallOutput {
        /// Which call it answers.
        call_id: String,
        /// The answer.
        output: OutcomeContent,
    },
    /// A tool that takes free text, which the model wanted called.
    CustomToolCall {
        /// Names the call.
        call_id: String,
        /// The tool's name.
        name: String,
        /// Where the tool belongs.
        namespace: Option<String>,
        /// What it was given.
        input: String,
    },
    /// What such a tool answered.
    CustomToolCallOutput {
        /// Which call it answers.
        call_id: String,
        /// The answer.
        output: OutcomeContent,
    },
    /// Tools that join those of the request.
    AdditionalTools {
        /// The tools.
        tools: Vec<ToolParam>,
    },
}

#[derive(JsonSchema)]
#[schemars(rename = "ResponseInputThought")]
struct Thought {
    /// The thought.
    text: String,
}

#[derive(JsonSchema)]
#[schemars(rename = "ResponseOtherInputItem")]
struct OtherParam {
    /// A type of the vendor's own; nothing here can be referred to.
    #[schemars(rename = "type", extend("not" = {"enum": [
        "message", "reasoning", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output",
        "additional_tools", "item_reference",
    ]}))]
    kind: String,
}

/// Words, or parts.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "ResponseInputContent")]
enum InputContent {
    /// Words.
    Text(String),
    /// Words, pictures, sounds and files.
    Parts(Vec<InputPart>),
}

#[derive(JsonSchema)]
#[schemars(untagged, rename = "ResponseInputPart")]
enum InputPart {
    /// A part of a known type.
    Known(KnownPart),
    /// Words in place of an answer.
    Refusal(RefusalPart),
    /// A part of a type of the vendor's own.
    Other(OtherPart),
}

/// Words, or parts that a tool can answer in.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "ResponseToolOutput")]
enum OutcomeContent {
    /// Words.
    Text(String),
    /// Words, pictures, sounds and files.
    Parts(Vec<KnownPart>),
}

#[derive(JsonSchema)]
#[schemars(rename = "ResponseRefusalInputPart")]
struct RefusalPart {
    #[schemars(rename = "type")]
    kind: RefusalWord,
    /// The words.
    refusal: String,
    /// Until where the vendor may remember.
    prompt_cache_breakpoint: Option<Breakpoint>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum RefusalWord {
    Refusal,
}

#[derive(JsonSchema)]
#[schemars(rename = "ResponseOtherInputPart")]
struct OtherPart {
    /// A type of the vendor's own.
    #[schemars(rename = "type", extend("not" = {"enum": [
        "input_text", "output_text", "text", "refusal", "input_image", "input_file", "input_audio",
    ]}))]
    kind: String,
    /// Until where the vendor may remember.
    prompt_cache_breakpoint: Option<Breakpoint>,
}

#[derive(JsonSchema)]
#[schemars(tag = "type", rename_all = "snake_case", rename = "ResponseKnownInputPart")]
enum KnownPart {
    /// Words.
    InputText {
        /// The words.
        text: String,
        /// Until where the vendor may remember.
        prompt_cache_breakpoint: Option<Breakpoint>,
    },
    /// Words of the model.
    OutputText {
        /// The words.
        text: String,
        /// Until where the vendor may remember.
        prompt_cache_breakpoint: Option<Breakpoint>,
    },
    /// Words.
    Text {
        /// The words.
        text: String,
        /// Until where the vendor may remember.
        prompt_cache_breakpoint: Option<Breakpoint>,
    },
    /// A picture.
    #[schemars(extend("anyOf" = [{"required": ["image_url"], "properties": {"image_url": {"type": "string"}}}, {"required": ["file_id"], "properties": {"file_id": {"type": "string"}}}]))]
    InputImage {
        /// Its address, or its bytes as a data URL in base64.
        #[schemars(regex(pattern = "^(https?://|data:[^,]*;base64,)"))]
        image_url: Option<String>,
        /// The vendor's name for it.
        file_id: Option<String>,
        /// How closely to look, in the vendor's words.
        detail: Option<String>,
        /// Until where the vendor may remember.
        prompt_cache_breakpoint: Option<Breakpoint>,
    },
    /// A file.
    #[schemars(extend("anyOf" = [{"required": ["file_data"], "properties": {"file_data": {"type": "string"}}}, {"required": ["file_url"], "properties": {"file_url": {"type": "string"}}}, {"required": ["file_id"], "properties": {"file_id": {"type": "string"}}}]))]
    InputFile {
        /// Its bytes as a data URL in base64.
        #[schemars(regex(pattern = "^(https?://|data:[^,]*;base64,)"))]
        file_data: Option<String>,
        /// Its address.
        #[schemars(regex(pattern = "^(https?://|data:[^,]*;base64,)"))]
        file_url: Option<String>,
        /// The vendor's name for it.
        file_id: Option<String>,
        /// Its name.
        filename: Option<String>,
        /// How closely to look, in the vendor's words.
        detail: Option<String>,
        /// Until where the vendor may remember.
        prompt_cache_breakpoint: Option<Breakpoint>,
    },
    /// A sound.
    InputAudio {
        /// The sound itself.
        input_audio: Sound,
        /// Until where the vendor may remember.
        prompt_cache_breakpoint: Option<Breakpoint>,
    },
}

#[derive(JsonSchema)]
#[schemars(rename = "ResponseInputSound")]
struct Sound {
    /// Its bytes in base64.
    data: String,
    /// Its format: `wav`, `mp3`.
    format: String,
}

#[derive(JsonSchema)]
#[schemars(rename = "ResponseCacheBreakpoint")]
struct Breakpoint {
    /// For how long, in the vendor's words.
    ttl: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename = "ResponseReasoningParam")]
struct ReasoningParam {
    /// How long the model may think, in the vendor's words.
    effort: Option<String>,
    /// How much of it is shown, in the vendor's words.
    summary: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename = "ResponseTextParam")]
struct TextParam {
    /// What the text has to look like.
    format: Option<Format>,
    /// How many words the model makes, in the vendor's words.
    verbosity: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(tag = "type", rename_all = "snake_case", rename = "ResponseTextFormat")]
enum Format {
    /// Anything.
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON of this schema.
    JsonSchema {
        /// The schema's name.
        name: Option<String>,
        /// What it is for.
        description: Option<String>,
        /// Whether the answer must keep to it in everything.
        strict: Option<bool>,
        /// The JSON schema itself.
        schema: Map<String, Value>,
    },
}
