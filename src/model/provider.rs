//! What a model provider is, can be asked, and answers.
//!
//! It mirrors `wit/provider.wit` and `wit/http.wit`; what each name means is written there.

use std::time::Duration;

use super::chat::{self, Field, Json};
use super::{Error, Fault, Kind};

/// US dollars for a million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are the field's")]
pub struct Price {
    pub input: f64,
    pub output: f64,
    pub cache_read: Option<f64>,
    pub cache_write: Option<f64>,
    /// Of what is kept for an hour.
    pub cache_write_hour: Option<f64>,
    /// What holds instead for long prompts.
    pub long: Option<LongPrice>,
}

/// US dollars for a million tokens, of prompts of more than `above` tokens and their answers.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are the field's")]
pub struct LongPrice {
    pub above: u32,
    pub input: f64,
    pub output: f64,
    pub cache_read: Option<f64>,
    pub cache_write: Option<f64>,
    /// Of what is kept for an hour.
    pub cache_write_hour: Option<f64>,
}

/// A model, as far as it is known; what is not known is absent.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the names are the field's")]
pub struct Model {
    pub id: String,
    pub name: Option<String>,
    /// Seconds since 1970.
    pub created: Option<u64>,
    pub owner: Option<String>,
    /// Tokens.
    pub context_window: Option<u32>,
    /// Tokens.
    pub max_output: Option<u32>,
    pub vision: Option<bool>,
    pub tools: Option<bool>,
    pub reasoning: Option<bool>,
    pub price: Option<Price>,
}

/// Where the operator's secret goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Nowhere: the vendor asks for none.
    None,
    /// `Authorization: Bearer`.
    Bearer,
    /// The header of this name.
    Header(String),
    /// The query parameter of this name.
    Query(String),
    /// AWS's signature, version 4, of the whole request.
    SigV4 {
        /// Which service of AWS.
        service: String,
        /// In which region.
        region: String,
    },
}

/// What a provider says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    /// For people.
    pub name: String,
    /// Where the vendor is reached; absent for a provider that asks nobody.
    pub base_url: Option<String>,
    /// Where the operator's secret goes.
    pub credential: Credential,
    /// The environment variable in which people keep this vendor's key.
    pub key_variable: Option<String>,
    /// The dialects whose requests it passes on as they came, its own first.
    pub dialects: Vec<String>,
    /// Whether it can stream.
    pub streaming: bool,
    /// Whether its models call tools.
    pub tools: bool,
    /// Whether its models see images.
    pub vision: bool,
    /// What is known without asking.
    pub models: Vec<Model>,
}

/// Texts to turn into vectors.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are the field's")]
pub struct EmbedRequest {
    pub model: String,
    pub inputs: Vec<String>,
    pub dimensions: Option<u32>,
    pub user: Option<String>,
    pub extra: Vec<Field>,
}

/// What a provider can be asked.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are the field's")]
pub enum Operation {
    Chat(chat::Request),
    CountTokens(chat::Request),
    Embed(EmbedRequest),
    ListModels,
}

/// How a response body is cut into frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the field's")]
pub enum Framing {
    Whole,
    Sse,
    Ndjson,
    Bytes,
    EventStream,
}

/// What a provider wants sent; the host adds base URL and credential.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are the field's")]
pub struct HttpRequest {
    pub method: String,
    /// Appended to the base URL.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub framing: Framing,
}

/// Status and headers of a response.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are the field's")]
pub struct Head {
    pub status: u16,
    pub headers: Vec<(String, String)>,
}

/// A piece of a response body, as its framing cuts it.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The type of a server-sent event.
    pub event: Option<String>,
    /// Its content.
    pub data: Vec<u8>,
}

/// What a provider is handed.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are in wit/provider.wit")]
pub enum Input {
    Begin,
    Head(Head),
    Frames(Vec<Frame>),
    End,
    Broken(String),
    Woken,
}

/// What comes of an operation.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are the field's")]
pub enum Output {
    Chat(chat::Event),
    Models(Vec<Model>),
    Vector { index: u32, values: Vec<f32> },
    Tokens(u64),
    Usage(chat::Usage),
}

/// A provider's own error.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// What kind of error.
    pub kind: FailureKind,
    /// The vendor's words.
    pub message: String,
    /// How long to wait before another attempt, in milliseconds.
    pub retry_after_ms: Option<u32>,
    /// The vendor's own error.
    pub raw: Option<Json>,
}

/// The kinds of a provider's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the field's")]
pub enum FailureKind {
    InvalidRequest,
    Unauthenticated,
    Forbidden,
    UnknownModel,
    TooLarge,
    RateLimited,
    Overloaded,
    ContextTooLong,
    Refused,
    Unsupported,
    Upstream,
}

/// What a provider wants done next.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are in wit/provider.wit")]
pub enum Action {
    Send(HttpRequest),
    Emit(Vec<Output>),
    /// Milliseconds.
    Wait(u32),
    Fail(Failure),
    Finish,
}

// === impl Model ===

impl Model {
    /// Adds what a plugin knows of the model to what its vendor told: the vendor's own names stay, the plugin's facts hold.
    pub fn learn(&mut self, known: &Self) {
        let told = std::mem::replace(self, known.clone());
        let Self { name, created, owner, context_window, max_output, vision, tools, reasoning, price, .. } = told;
        self.name = name.or(self.name.take());
        self.owner = owner.or(self.owner.take());
        self.created = self.created.or(created);
        self.context_window = self.context_window.or(context_window);
        self.max_output = self.max_output.or(max_output);
        self.vision = self.vision.or(vision);
        self.tools = self.tools.or(tools);
        self.reasoning = self.reasoning.or(reasoning);
        self.price = self.price.or(price);
    }
}

// === impl Price ===

impl Price {
    /// What `usage` costs, in US dollars. What has no price of its own costs what any input does.
    pub fn of(&self, usage: &chat::Usage) -> f64 {
        if let Some(long) = self.long.filter(|long| usage.input > long.above.into()) {
            let LongPrice { input, output, cache_read, cache_write, cache_write_hour, .. } = long;
            return Self { input, output, cache_read, cache_write, cache_write_hour, long: None }.of(usage);
        }
        let plain = usage.input.saturating_sub(usage.cache_read).saturating_sub(usage.cache_write);
        let hour = usage.cache_write_hour.min(usage.cache_write);
        let write = self.cache_write.unwrap_or(self.input);
        let parts = [
            (plain, self.input),
            (usage.cache_read, self.cache_read.unwrap_or(self.input)),
            (usage.cache_write.saturating_sub(hour), write),
            (hour, self.cache_write_hour.unwrap_or(write)),
            (usage.output, self.output),
        ];
        parts.iter().map(|(tokens, price)| *tokens as f64 * price).sum::<f64>() / 1e6
    }
}

// === impl Failure ===

impl Failure {
    /// As an error on its way to a caller; `provider` is the name that callers use.
    pub fn into_error(self, provider: &str) -> Error {
        let (kind, fault) = match self.kind {
            FailureKind::InvalidRequest => (Kind::InvalidValue, Fault::Caller),
            FailureKind::Unsupported => (Kind::Unsupported, Fault::Caller),
            FailureKind::Unauthenticated => (Kind::Unauthenticated, Fault::Upstream),
            FailureKind::Forbidden => (Kind::Forbidden, Fault::Upstream),
            FailureKind::UnknownModel => (Kind::ModelNotFound, Fault::Caller),
            FailureKind::TooLarge => (Kind::TooLarge, Fault::Caller),
            FailureKind::RateLimited => (Kind::RateLimited, Fault::Upstream),
            FailureKind::Overloaded => (Kind::Overloaded, Fault::Upstream),
            FailureKind::ContextTooLong => (Kind::ContextTooLong, Fault::Caller),
            FailureKind::Refused => (Kind::Refused, Fault::Upstream),
            FailureKind::Upstream => (Kind::Upstream, Fault::Upstream),
        };
        Error::new(kind, fault, format!("{provider}: {}", self.message))
            .with_retry_after(self.retry_after_ms.map(|millis| Duration::from_millis(millis.into())))
            .with_raw(self.raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_token_has_its_price() {
        let usage = chat::Usage { input: 1000, output: 200, cache_read: 300, cache_write: 100, ..Default::default() };
        let (cache_read, cache_write) = (Some(0.3), Some(3.75));
        let price = Price { input: 3.0, output: 15.0, cache_read, cache_write, cache_write_hour: None, long: None };
        let nanodollars = |cost: f64| (cost * 1e9).round();
        assert_eq!(nanodollars(price.of(&usage)), 1_800_000.0 + 90_000.0 + 375_000.0 + 3_000_000.0);
        let flat = Price { cache_read: None, cache_write: None, ..price };
        assert_eq!(nanodollars(flat.of(&usage)), 6_000_000.0);
        let (cache_read, cache_write, cache_write_hour) = (None, None, None);
        let long = LongPrice { above: 999, input: 6.0, output: 30.0, cache_read, cache_write, cache_write_hour };
        assert_eq!(nanodollars(Price { long: Some(long), ..price }.of(&usage)), 12_000_000.0);
        let longer = LongPrice { above: 1000, ..long };
        assert_eq!(Price { long: Some(longer), ..price }.of(&usage), price.of(&usage));
        // Of what was written to the cache, a part is kept for longer.
        let mixed = chat::Usage { cache_write_hour: 40, ..usage };
        assert_eq!(price.of(&mixed), price.of(&usage), "what has no price of its own costs what the rest does");
        let dearer = Price { cache_write_hour: Some(6.0), ..price };
        assert_eq!(nanodollars(dearer.of(&mixed) - price.of(&usage)), 40.0 * 2_250.0);
        // A vendor that counts what was cached beside the prompt is charged for no negative one.
        let odd = chat::Usage { cache_read: 2000, ..usage };
        assert_eq!(nanodollars(price.of(&odd)), 600_000.0 + 375_000.0 + 3_000_000.0);
    }

    #[test]
    fn a_vendors_names_stay_and_a_plugins_facts_hold() {
        let mut told = Model {
            id: "m".into(),
            name: Some("M, shown".into()),
            created: Some(7),
            max_output: Some(10),
            vision: Some(false),
            ..Model::default()
        };
        let known = Model { id: "m".into(), owner: Some("o".into()), max_output: Some(20), ..Model::default() };
        told.learn(&known);
        assert_eq!((told.name.as_deref(), told.owner.as_deref(), told.created), (Some("M, shown"), Some("o"), Some(7)));
        assert_eq!((told.max_output, told.vision), (Some(20), Some(false)));
    }
}
