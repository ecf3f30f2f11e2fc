//! One chat model, wide enough for every dialect, so that nothing a caller or a model says is lost.
//!
//! It mirrors `wit/chat.wit` name by name; what each name means is written there. What a conversation is made of can be
//! written down: a variant is an object of one member, named after it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Text that holds one JSON value, byte for byte as it came.
pub type Json = String;

/// A field that the vocabulary has no name for, untouched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Its name in the dialect it came from.
    pub name: String,
    /// Its value.
    pub value: Json,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's")]
pub enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
}

/// Where the bytes of a medium are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaSource {
    /// At an address that the vendor fetches.
    Url(String),
    /// Here, in base64.
    Base64(String),
    /// With the vendor already, under this name.
    File(String),
}

/// An image, a document, a sound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Media {
    /// `image/*` and the like where only the kind is known.
    pub mime: String,
    /// Where its bytes are.
    pub source: MediaSource,
    /// A file name.
    pub name: Option<String>,
    /// How closely to look, in the vendor's words.
    pub detail: Option<String>,
}

/// A model's reasoning; `signature` is replayed only to the model that made it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thinking {
    /// Opaque where `redacted`.
    pub text: String,
    /// The vendor's proof that the text is its own.
    pub signature: Option<String>,
    /// Whether only the model itself can read it.
    pub redacted: bool,
}

/// What a model wants done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Unique within the conversation.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// What the model wrote, even where it is no valid JSON.
    pub arguments: Json,
    /// The vendor's fields, such as a signature, replayed with the call.
    pub extra: Vec<Field>,
}

/// A piece of what a tool answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultPart {
    /// Plain text.
    Text(String),
    /// An image or a document.
    Media(Media),
}

/// What a tool answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolResult {
    /// The call that it answers.
    pub call_id: String,
    /// The answer.
    pub parts: Vec<ResultPart>,
    /// Whether the tool failed.
    pub failed: bool,
}

/// The end of a prefix that the provider may cache.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CachePoint {
    /// For how long, in the vendor's words.
    pub ttl: Option<String>,
}

/// A piece of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Plain text.
    Text(String),
    /// An image, a document, a sound.
    Media(Media),
    /// What the model thought.
    Thinking(Thinking),
    /// What the model wants done.
    Call(ToolCall),
    /// What came of it.
    Outcome(ToolResult),
    /// The model's words for not answering.
    Refusal(String),
    /// See there.
    CachePoint(CachePoint),
    /// A part of the caller's dialect that has no name here, untouched.
    Other(Json),
}

/// One turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// Tells apart participants of one role.
    pub name: Option<String>,
    /// What is said.
    pub parts: Vec<Part>,
    /// Fields without a name here.
    pub extra: Vec<Field>,
}

impl Message {
    /// A message of one text.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Self { role, name: None, parts: vec![Part::Text(text.into())], extra: Vec::new() }
    }
}

/// A tool that the model may call.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// JSON Schema.
    pub parameters: Json,
    /// Fields without a name here.
    pub extra: Vec<Field>,
}

/// Whether the model may, must or must not call a tool.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are the field's")]
pub enum ToolChoice {
    Auto,
    Never,
    Required,
    Named(String),
}

/// The shape that an answer is to have.
#[derive(Clone, Debug, PartialEq)]
pub enum ResponseFormat {
    /// Free text.
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON that follows a schema.
    JsonSchema {
        /// For the vendor's logs.
        name: Option<String>,
        /// For the model.
        description: Option<String>,
        /// JSON Schema.
        schema: Json,
        /// Whether the vendor enforces it.
        strict: Option<bool>,
    },
}

/// How much to think.
#[derive(Clone, Debug, PartialEq)]
pub enum Reasoning {
    /// In the vendor's word: `low`, `medium`, `high`.
    Effort(String),
    /// In tokens; 0 is not at all.
    Budget(u32),
}

/// What a caller wants of a model.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the names are the field's; units and ranges are the vendors'")]
pub struct Request {
    pub model: String,
    pub messages: Vec<Message>,
    pub tools: Vec<Tool>,
    /// Tools of the caller's dialect that are no functions, untouched.
    pub native_tools: Vec<Json>,
    pub tool_choice: Option<ToolChoice>,
    pub parallel_tool_calls: Option<bool>,
    pub max_tokens: Option<u32>,
    /// The longest answer that the model can give.
    pub max_output: Option<u32>,
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub top_k: Option<u32>,
    pub frequency_penalty: Option<f64>,
    pub presence_penalty: Option<f64>,
    pub stop: Vec<String>,
    pub seed: Option<i64>,
    pub response_format: Option<ResponseFormat>,
    pub reasoning: Option<Reasoning>,
    /// The caller's own name for its end user.
    pub user: Option<String>,
    /// The dialect that `raw`, `extra`, `native_tools` and `Part::Other` speak.
    pub dialect: Option<String>,
    /// Fields without a name here.
    pub extra: Vec<Field>,
    /// The caller's whole body, which is valid JSON, for a provider that speaks its dialect. Whoever changes anything but the
    /// model and `streaming` takes it out.
    pub raw: Option<Bytes>,
    pub streaming: bool,
}

/// The field in which the values of Anthropic's header `anthropic-beta` stand, as a list.
pub const ANTHROPIC_BETA: &str = "anthropic_beta";

/// Of Anthropic's fields without a name here, those that change what the answer is. The others tell its vendor how to serve
/// (tiers, caches, betas), and its clients send new ones all the time: for other vendors they mean nothing.
const ANTHROPIC_SUBSTANCE: [&str; 2] = ["mcp_servers", "container"];

impl Request {
    /// As a provider wants it that passes on requests in `dialects`: the caller's own body, or all that was read of it.
    pub fn for_dialects(mut self, dialects: &[String]) -> Self {
        if self.passes_to(dialects) {
            self.messages.clear();
            self.tools.clear();
            self.native_tools.clear();
            // This one came as a header: the body doesn't hold it.
            self.extra.retain(|field| field.name == ANTHROPIC_BETA);
            return self;
        }
        self.raw = None;
        if self.dialect.as_deref() == Some("anthropic") && !self.speaks(dialects) {
            self.extra.retain(|field| ANTHROPIC_SUBSTANCE.contains(&field.name.as_str()));
            self.messages.iter_mut().for_each(|message| message.extra.clear());
            self.tools.iter_mut().for_each(|tool| tool.extra.clear());
        }
        self
    }

    /// The same of a copy, which holds nothing that isn't wanted: another provider may be asked later.
    pub fn copy_for_dialects(&self, dialects: &[String]) -> Self {
        if !self.passes_to(dialects) {
            return self.clone().for_dialects(dialects);
        }
        Self {
            model: self.model.clone(),
            tool_choice: self.tool_choice.clone(),
            stop: self.stop.clone(),
            response_format: self.response_format.clone(),
            reasoning: self.reasoning.clone(),
            user: self.user.clone(),
            dialect: self.dialect.clone(),
            raw: self.raw.clone(),
            messages: Vec::new(),
            tools: Vec::new(),
            native_tools: Vec::new(),
            extra: self.extra.iter().filter(|field| field.name == ANTHROPIC_BETA).cloned().collect(),
            ..*self
        }
    }

    /// For a model that answers with `most` tokens at most. A vendor's own dialect is left alone: it has its own words for what
    /// is too much, and whoever speaks it knows them.
    pub fn bounded(mut self, most: Option<u32>, dialects: &[String]) -> Self {
        self.max_output = most;
        if let (Some(most), false) = (most, self.speaks(dialects)) {
            self.max_tokens = self.max_tokens.map(|wanted| wanted.min(most));
        }
        self
    }

    fn speaks(&self, dialects: &[String]) -> bool {
        self.dialect.as_ref().is_some_and(|dialect| dialects.contains(dialect))
    }

    fn passes_to(&self, dialects: &[String]) -> bool {
        self.raw.is_some() && self.speaks(dialects)
    }
}

/// Tokens. `input` includes those read from and written to the provider's cache, `cache_write` those that are kept for an hour,
/// `output` those of reasoning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names are the field's")]
pub struct Usage {
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    pub cache_write: u64,
    pub cache_write_hour: u64,
    pub reasoning: u64,
    /// US dollars, where the vendor itself tells.
    pub cost: Option<f64>,
}

impl Usage {
    /// Input and output together.
    pub fn total(&self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's")]
pub enum StopReason {
    Complete,
    StopSequence,
    Length,
    ToolCalls,
    Refusal,
    Pause,
}

/// The end of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stop {
    /// Why.
    pub reason: StopReason,
    /// The stop sequence that was met, where the vendor tells.
    pub sequence: Option<String>,
}

/// An answer, piece by piece. The pieces of one block, joined, are the block; blocks may interleave.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    missing_docs,
    reason = "`block` is the block's number, `text` a further piece of it; the rest is in wit/chat.wit"
)]
pub enum Event {
    Started { id: Option<String>, model: Option<String> },
    Text { block: u32, text: String },
    Thinking { block: u32, text: String },
    Signature { block: u32, text: String },
    Redacted { block: u32, text: String },
    CallStarted { block: u32, id: String, name: String, extra: Vec<Field> },
    CallArguments { block: u32, text: String },
    Refusal { block: u32, text: String },
    Annotation { block: u32, text: Json },
    Other { block: u32, text: Json },
    Usage(Usage),
    Extra(Field),
    Stopped(Stop),
}

impl Event {
    /// Whether this is something the model said, as opposed to news about the answer.
    pub fn is_content(&self) -> bool {
        matches!(
            self,
            Self::Text { .. }
                | Self::Thinking { .. }
                | Self::Redacted { .. }
                | Self::CallStarted { .. }
                | Self::CallArguments { .. }
                | Self::Refusal { .. }
                | Self::Other { .. }
        )
    }
}
