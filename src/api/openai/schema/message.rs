//! Messages of a conversation, as the reader in `message` takes them.

use schemars::JsonSchema;
use serde_json::{Value, json};

use super::tools::FunctionWord;

/// One message.
#[derive(JsonSchema)]
#[schemars(rename = "Message", tag = "role", rename_all = "snake_case")]
pub(super) enum MessageParam {
    /// The operator's instructions.
    System {
        /// What is said.
        content: ContentParam,
        /// Who says it, among several of this role.
        name: Option<String>,
    },
    /// The operator's instructions, as newer models call them.
    Developer {
        /// What is said.
        content: ContentParam,
        /// Who says it, among several of this role.
        name: Option<String>,
    },
    /// What a person says.
    User {
        /// What is said.
        content: ContentParam,
        /// Who says it, among several of this role.
        name: Option<String>,
    },
    /// What the model said: words, calls or a refusal.
    #[schemars(extend("anyOf" = said_something()))]
    Assistant {
        /// What it said.
        content: Option<ContentParam>,
        /// Who said it, among several of this role.
        name: Option<String>,
        /// Why it said nothing else.
        refusal: Option<String>,
        /// What it thought.
        reasoning_content: Option<String>,
        /// The same, for a model that has to be shown that it was its own.
        reasoning_details: Option<Vec<DetailParam>>,
        /// What it asked for.
        tool_calls: Option<Vec<CallParam>>,
        /// The same, from before there were tools.
        function_call: Option<CalledFunction>,
    },
    /// What a function answered, from before there were tools.
    Function {
        /// Which function it was; its last call is answered.
        name: String,
        /// The answer.
        content: OutcomeParam,
    },
    /// What a tool answered.
    Tool {
        /// Which call it answers.
        tool_call_id: String,
        /// The answer.
        content: OutcomeParam,
        /// Which tool it was.
        name: Option<String>,
    },
}

fn said_something() -> Value {
    let not_null = json!({"not": {"type": "null"}});
    json!([
        {"required": ["content"], "properties": {"content": {"type": ["string", "array"]}}},
        {"required": ["tool_calls"], "properties": {"tool_calls": {"type": "array", "minItems": 1}}},
        {"required": ["refusal"], "properties": {"refusal": {"type": "string"}}},
        {"required": ["function_call"], "properties": {"function_call": not_null}},
        {"required": ["audio"], "properties": {"audio": not_null}},
    ])
}

/// Words, or parts.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "Content")]
pub(super) enum ContentParam {
    /// Words.
    Text(String),
    /// Words, pictures, sounds and files.
    Parts(Vec<PartParam>),
}

/// Words, or parts that a tool can answer in.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "ToolContent")]
pub(super) enum OutcomeParam {
    /// Words.
    Text(String),
    /// Words, pictures, sounds and files.
    Parts(Vec<OutcomePart>),
}

/// A part of a tool's answer, and nothing beside it.
#[derive(JsonSchema)]
#[schemars(tag = "type", rename = "ToolContentPart", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum OutcomePart {
    /// Words.
    Text {
        /// The words.
        text: String,
        /// Until where the vendor may remember.
        cache_control: Option<CacheControl>,
    },
    /// A picture.
    ImageUrl {
        /// Where it is.
        #[schemars(extend("propertyNames" = {"enum": ["url", "detail"]}))]
        image_url: Image,
        /// Until where the vendor may remember.
        cache_control: Option<CacheControl>,
    },
    /// A sound.
    InputAudio {
        /// The sound itself.
        #[schemars(extend("propertyNames" = {"enum": ["data", "format"]}))]
        input_audio: Audio,
        /// Until where the vendor may remember.
        cache_control: Option<CacheControl>,
    },
    /// A file.
    File {
        /// Where it is.
        #[schemars(extend("propertyNames" = {"enum": ["filename", "file_data", "file_id"]}))]
        file: FileParam,
        /// Until where the vendor may remember.
        cache_control: Option<CacheControl>,
    },
}

/// A part of a message; parts of other types go to providers that know them, as they came.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "ContentPart")]
pub(super) enum PartParam {
    /// A part of a known type.
    Known(KnownPart),
    /// A part of a type of the vendor's own.
    Other(OtherPart),
}

#[derive(JsonSchema)]
#[schemars(rename = "OtherContentPart")]
pub(super) struct OtherPart {
    /// A type of the vendor's own.
    #[schemars(rename = "type", extend("not" = {"enum": ["text", "refusal", "image_url", "input_audio", "file"]}))]
    kind: String,
    /// Until where the vendor may remember.
    cache_control: Option<CacheControl>,
}

#[derive(JsonSchema)]
#[schemars(tag = "type", rename = "KnownContentPart", rename_all = "snake_case")]
pub(super) enum KnownPart {
    /// Words.
    Text {
        /// The words.
        text: String,
        /// Until where the vendor may remember.
        cache_control: Option<CacheControl>,
    },
    /// Words in place of an answer.
    Refusal {
        /// The words.
        refusal: String,
        /// Until where the vendor may remember.
        cache_control: Option<CacheControl>,
    },
    /// A picture.
    ImageUrl {
        /// Where it is.
        image_url: Image,
        /// Until where the vendor may remember.
        cache_control: Option<CacheControl>,
    },
    /// A sound.
    InputAudio {
        /// The sound itself.
        input_audio: Audio,
        /// Until where the vendor may remember.
        cache_control: Option<CacheControl>,
    },
    /// A file.
    File {
        /// Where it is.
        file: FileParam,
        /// Until where the vendor may remember.
        cache_control: Option<CacheControl>,
    },
}

#[derive(JsonSchema)]
pub(super) struct Image {
    /// Its address, or its bytes as a data URL in base64.
    #[schemars(regex(pattern = "^(https?://|data:[^,]*;base64,)"))]
    url: String,
    /// How closely to look, in the vendor's words.
    detail: Option<String>,
}

#[derive(JsonSchema)]
pub(super) struct Audio {
    /// Its bytes in base64.
    data: String,
    /// Its format: `wav`, `mp3`.
    format: String,
}

/// A file that is sent along, or one that the vendor has.
#[derive(JsonSchema)]
#[schemars(rename = "File", extend("anyOf" = [
    {"required": ["file_data"], "properties": {"file_data": {"type": "string"}}},
    {"required": ["file_id"], "properties": {"file_id": {"type": "string"}}},
]))]
pub(super) struct FileParam {
    /// Its name.
    filename: Option<String>,
    /// Its address, or its bytes as a data URL in base64.
    #[schemars(regex(pattern = "^(https?://|data:[^,]*;base64,)"))]
    file_data: Option<String>,
    /// The vendor's name for it.
    file_id: Option<String>,
}

#[derive(JsonSchema)]
pub(super) struct CacheControl {
    /// For how long, in the vendor's words.
    ttl: Option<Value>,
}

/// A thought, as answers tell it.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "ReasoningDetailParam")]
pub(super) enum DetailParam {
    /// A thought of a known type.
    Known(KnownDetail),
    /// One that is left out.
    Other(OtherDetail),
}

#[derive(JsonSchema)]
#[schemars(tag = "type", rename = "KnownReasoningDetail")]
pub(super) enum KnownDetail {
    /// One that can be read.
    #[schemars(rename = "reasoning.text")]
    Text {
        /// The thought.
        text: Option<String>,
        /// The proof that it is the model's own.
        signature: Option<String>,
    },
    /// A short form of one.
    #[schemars(rename = "reasoning.summary")]
    Summary {
        /// The thought.
        summary: Option<String>,
    },
    /// One that only the model can read.
    #[schemars(rename = "reasoning.encrypted")]
    Encrypted {
        /// The thought.
        data: String,
    },
}

#[derive(JsonSchema)]
#[schemars(rename = "OtherReasoningDetail")]
pub(super) struct OtherDetail {
    /// A type of the vendor's own.
    #[schemars(rename = "type", extend("not" = {"enum": ["reasoning.text", "reasoning.summary", "reasoning.encrypted"]}))]
    kind: String,
}

/// What the model asked for.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "ToolCallParam")]
pub(super) enum CallParam {
    /// A function.
    Function(FunctionCallParam),
    /// A tool that takes free text.
    Custom(CustomCallParam),
}

#[derive(JsonSchema)]
pub(super) struct FunctionCallParam {
    /// Names the call.
    id: String,
    #[schemars(rename = "type")]
    kind: Option<FunctionWord>,
    /// Which function, and what it is given.
    function: CalledFunction,
}

#[derive(JsonSchema)]
pub(super) struct CustomCallParam {
    /// Names the call.
    id: String,
    #[schemars(rename = "type", extend("const" = "custom"))]
    kind: String,
    /// Which tool, and what it is given.
    custom: CalledCustom,
}

#[derive(JsonSchema)]
pub(super) struct CalledCustom {
    /// The tool's name.
    name: String,
    /// What it is given.
    input: String,
}

#[derive(JsonSchema)]
pub(super) struct CalledFunction {
    /// The function's name.
    name: String,
    /// What it is given: JSON, in a string.
    arguments: Option<String>,
}
