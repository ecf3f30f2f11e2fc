//! Messages of a conversation, as the readers in `message` and `media` take them.

use schemars::JsonSchema;
use serde_json::{Map, Value};

/// One message.
#[derive(JsonSchema)]
#[schemars(rename = "AnthropicMessageParam")]
pub(super) struct MessageParam {
    /// Who speaks.
    role: RoleWord,
    /// What is said.
    content: ContentParam,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum RoleWord {
    User,
    Assistant,
    System,
}

/// Words, or blocks.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "AnthropicContent")]
pub(super) enum ContentParam {
    /// Words.
    Text(String),
    /// Words, pictures, documents, thoughts, calls and their answers.
    Blocks(Vec<BlockParam>),
}

/// A block; those of other types go to providers that know them, as they came.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "AnthropicBlockParam")]
pub(super) enum BlockParam {
    /// A block of a known type.
    Known(KnownBlockParam),
    /// A block of a type of the vendor's own.
    Other(OtherBlockParam),
}

#[derive(JsonSchema)]
pub(super) struct OtherBlockParam {
    /// A type of the vendor's own.
    #[schemars(rename = "type", extend("not" = {"enum": [
        "text", "image", "document", "thinking", "redacted_thinking", "tool_use", "tool_result",
    ]}))]
    kind: String,
    /// Until where the vendor may remember.
    cache_control: Option<CacheMark>,
}

#[derive(JsonSchema)]
#[schemars(tag = "type", rename = "AnthropicKnownBlockParam", rename_all = "snake_case")]
pub(super) enum KnownBlockParam {
    /// Words.
    Text {
        /// The words.
        text: String,
        /// Until where the vendor may remember.
        cache_control: Option<CacheMark>,
    },
    /// A picture.
    Image {
        /// Where it is.
        source: SourceParam,
        /// Until where the vendor may remember.
        cache_control: Option<CacheMark>,
    },
    /// A document.
    Document {
        /// Where it is.
        source: DocumentSourceParam,
        /// Its name.
        title: Option<String>,
        /// Whether the model cites it.
        citations: Option<CitationsParam>,
        /// Until where the vendor may remember.
        cache_control: Option<CacheMark>,
    },
    /// What the model thought.
    Thinking {
        /// Its words.
        thinking: String,
        /// The vendor's proof of them.
        signature: Option<String>,
        /// Until where the vendor may remember.
        cache_control: Option<CacheMark>,
    },
    /// What the model thought and only it can read.
    RedactedThinking {
        /// The thought.
        data: String,
        /// Until where the vendor may remember.
        cache_control: Option<CacheMark>,
    },
    /// What the model asked for.
    ToolUse {
        /// Names the call.
        id: String,
        /// The tool's name.
        name: String,
        /// What it is given.
        input: Map<String, Value>,
        /// Until where the vendor may remember.
        cache_control: Option<CacheMark>,
    },
    /// What a tool answered.
    ToolResult {
        /// Which call it answers.
        tool_use_id: String,
        /// The answer.
        content: Option<InnerContent>,
        /// Whether the tool failed.
        is_error: Option<bool>,
        /// Until where the vendor may remember.
        cache_control: Option<CacheMark>,
    },
}

/// Words, or blocks without further ones.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "AnthropicInnerContent")]
pub(super) enum InnerContent {
    /// Words.
    Text(String),
    /// Words, pictures and documents.
    Blocks(Vec<InnerBlock>),
}

#[derive(JsonSchema)]
#[schemars(untagged, rename = "AnthropicInnerBlock")]
pub(super) enum InnerBlock {
    /// A block of a known type.
    Known(KnownInnerBlock),
    /// A block of a type of the vendor's own.
    Other(OtherInnerBlock),
}

#[derive(JsonSchema)]
pub(super) struct OtherInnerBlock {
    /// A type of the vendor's own.
    #[schemars(rename = "type", extend("not" = {"enum": ["text", "image", "document"]}))]
    kind: String,
    /// Until where the vendor may remember.
    cache_control: Option<CacheMark>,
}

#[derive(JsonSchema)]
#[schemars(tag = "type", rename = "AnthropicKnownInnerBlock", rename_all = "snake_case")]
pub(super) enum KnownInnerBlock {
    /// Words.
    Text {
        /// The words.
        text: String,
        /// Until where the vendor may remember.
        cache_control: Option<CacheMark>,
    },
    /// A picture.
    Image {
        /// Where it is.
        source: SourceParam,
        /// Until where the vendor may remember.
        cache_control: Option<CacheMark>,
    },
    /// A document.
    Document {
        /// Where it is.
        source: SourceParam,
        /// Its name.
        title: Option<String>,
        /// Whether the model cites it.
        citations: Option<CitationsParam>,
        /// Until where the vendor may remember.
        cache_control: Option<CacheMark>,
    },
}

/// Where something is.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "AnthropicSource")]
pub(super) enum SourceParam {
    /// In a known way.
    Known(KnownSource),
    /// In a way of the vendor's own.
    Other(OtherSource),
}

#[derive(JsonSchema)]
#[schemars(tag = "type", rename = "AnthropicKnownSource", rename_all = "snake_case")]
pub(super) enum KnownSource {
    /// Here, as bytes.
    Base64 {
        /// Its type.
        media_type: String,
        /// Its bytes in base64.
        data: String,
    },
    /// At an address.
    Url {
        /// The address.
        #[schemars(regex(pattern = "^https?://"))]
        url: String,
    },
    /// With the vendor.
    File {
        /// The vendor's name for it.
        file_id: String,
    },
    /// Here, as words.
    Text {
        /// Its type.
        media_type: Option<String>,
        /// The words.
        data: String,
    },
}

#[derive(JsonSchema)]
pub(super) struct OtherSource {
    #[schemars(rename = "type", extend("not" = {"enum": ["base64", "url", "file", "text"]}))]
    kind: String,
}

/// Where a document is.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "AnthropicDocumentSource")]
pub(super) enum DocumentSourceParam {
    /// In a known way.
    Known(KnownSource),
    /// Here, as blocks.
    Content(ContentSource),
    /// In a way of the vendor's own.
    Other(OtherDocumentSource),
}

#[derive(JsonSchema)]
pub(super) struct ContentSource {
    #[schemars(rename = "type", extend("const" = "content"))]
    kind: String,
    /// The blocks.
    content: InnerContent,
}

#[derive(JsonSchema)]
pub(super) struct OtherDocumentSource {
    #[schemars(rename = "type", extend("not" = {"enum": ["base64", "url", "file", "text", "content"]}))]
    kind: String,
}

#[derive(JsonSchema)]
pub(super) struct CitationsParam {
    /// Whether the model cites the document.
    enabled: Option<bool>,
}

#[derive(JsonSchema)]
pub(super) struct CacheMark {
    /// For how long, in the vendor's words.
    ttl: Option<Value>,
}
