//! In what the vendors of one dialect differ.

use serde::Deserialize;

use super::{DIALECT, RESPONSES};
use crate::http::Header;
use crate::provider::Model;

/// What an operator, or the author of a provider, may set. The defaults are OpenAI's own ways.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The endpoint that conversations go to.
    pub api: Api,
    /// Whether the vendor has the endpoint `/responses`. Callers who speak its dialect are passed on to it then.
    pub responses: bool,
    /// Models that the vendor serves at `/responses` only, by the beginnings of their names, whole up to a `-`.
    pub responses_models: Vec<String>,
    /// The field for the limit of the answer's tokens.
    pub max_tokens_field: MaxTokensField,
    /// How a model is told how much to think.
    pub reasoning: ReasoningField,
    /// Asks for a summary of a model's reasoning at `/responses`, where the vendor gives one only to those who do (and, OpenAI, only
    /// to organisations that it has verified). Absent: no summary.
    pub reasoning_summary: Option<Summary>,
    /// The field in which a model's earlier reasoning is sent back to it. Absent: it isn't.
    pub replay_thinking: Option<ThinkingField>,
    /// Whether the vendor knows the role `developer`; if not, it reads `system`.
    pub developer_role: bool,
    /// Which ids of tool calls the vendor takes.
    pub call_ids: CallIds,
    /// The vendor's word for «call some tool».
    pub required_tool: RequiredTool,
    /// Whether the vendor knows `parallel_tool_calls`; if not, `false` is an error.
    pub parallel_tool_calls: bool,
    /// Whether the vendor holds answers to a schema (`response_format` of the type `json_schema`); if not, it is an error.
    pub json_schema: bool,
    /// Whether the vendor knows `stream_options`; if not, it tells the usage of a stream unasked.
    pub stream_options: bool,
    /// The field for the seed.
    pub seed_field: SeedField,
    /// Whether the vendor takes images and files in tool results; if not, they are an error.
    pub media_in_results: bool,
    /// Whether the vendor takes `top_k`; if not, it is an error.
    pub top_k: bool,
    /// The names of models to show without asking the vendor.
    pub models: Vec<String>,
    /// Headers of every request. Not a setting: for the author of a provider.
    #[serde(skip)]
    pub headers: Vec<Header>,
    /// Where the endpoints are. Not a setting: for the author of a provider.
    #[serde(skip)]
    pub paths: Paths,
}

/// The endpoint that conversations go to.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Api {
    /// `/chat/completions`
    #[default]
    ChatCompletions,
    /// `/responses`
    Responses,
}

/// Where the endpoints are below the base URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paths {
    /// Comes before each, such as `/openai/v1`.
    pub prefix: String,
    /// Comes before those that belong to one model, whose name takes the place of `{model}`. Absent: the same prefix.
    pub model_prefix: Option<String>,
    /// Comes behind each, such as `api-version=2024-10-21`.
    pub query: Option<String>,
}

/// Declares enums whose members are fields and words of the dialect: what an operator writes is what is sent.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$note:meta])* $member:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
        pub enum $name {
            $($(#[$note])* #[serde(rename = $word)] $member,)*
        }

        impl $name {
            pub(super) const fn name(self) -> &'static str {
                match self {
                    $(Self::$member => $word,)*
                }
            }
        }
    )*};
}

words! {
    /// The field for the limit of the answer's tokens.
    MaxTokensField {
        /// OpenAI's own.
        #[default] MaxCompletionTokens = "max_completion_tokens",
        /// What most compatible vendors still want.
        MaxTokens = "max_tokens",
    }

    /// The field for a model's earlier reasoning.
    ThinkingField {
        /// As DeepSeek has it.
        #[default] ReasoningContent = "reasoning_content",
        /// As OpenRouter has it.
        Reasoning = "reasoning",
        /// Parts of the type `thinking` within the content, as Mistral has it.
        Content = "content",
    }

    /// How much of a model's reasoning a summary tells.
    Summary {
        /// As much as the model can.
        #[default] Auto = "auto",
        /// A little.
        Concise = "concise",
        /// A lot.
        Detailed = "detailed",
    }

    /// The field for the seed.
    SeedField {
        /// OpenAI's own.
        #[default] Seed = "seed",
        /// As Mistral has it.
        RandomSeed = "random_seed",
    }

    /// The vendor's word for «call some tool».
    RequiredTool {
        /// OpenAI's own.
        #[default] Required = "required",
        /// As Mistral has it.
        Any = "any",
    }
}

/// How a model is told how much to think.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningField {
    /// A word in `reasoning_effort`.
    #[default]
    Effort,
    /// An object `reasoning` with a word or a number of tokens, as OpenRouter has it.
    Object,
    /// An object `thinking` that switches it on or off, as Z.ai has it.
    Switch,
    /// That object, and the word where it is on, as DeepSeek has it.
    SwitchAndEffort,
}

/// Which ids of tool calls the vendor takes.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum CallIds {
    /// Any of up to 40 characters.
    #[default]
    Any,
    /// Just nine letters and digits, as Mistral wants them.
    NineAlphanumerics,
}

// === impl Options ===

impl Options {
    /// The models that the operator named.
    pub fn known_models(&self) -> Vec<Model> {
        self.models.iter().map(Model::new).collect()
    }

    /// The dialects for [`crate::provider::Info::dialects`]: whose requests may come as their callers wrote them, the one
    /// that answers are in first. None of one whose messages these settings rewrite.
    pub fn dialects(&self) -> Vec<String> {
        let same_messages = self.developer_role && self.call_ids == CallIds::Any;
        let chat = self.api == Api::ChatCompletions && self.responses_models.is_empty() && same_messages;
        let responses = self.responses || self.api == Api::Responses;
        let named = [(DIALECT, chat), (RESPONSES, responses)];
        named.into_iter().filter(|(_, takes)| *takes).map(|(dialect, _)| dialect.to_owned()).collect()
    }

    /// Whether a request that isn't passed on as it came goes to `/responses`.
    pub(super) fn wants_responses(&self, model: &str) -> bool {
        let begins = |start: &String| {
            model.strip_prefix(start.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        self.api == Api::Responses || self.responses_models.iter().any(begins)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            api: Api::default(),
            responses: true,
            responses_models: Vec::new(),
            max_tokens_field: MaxTokensField::default(),
            reasoning: ReasoningField::default(),
            reasoning_summary: None,
            replay_thinking: None,
            developer_role: true,
            call_ids: CallIds::default(),
            required_tool: RequiredTool::default(),
            parallel_tool_calls: true,
            json_schema: true,
            stream_options: true,
            seed_field: SeedField::default(),
            media_in_results: false,
            top_k: false,
            models: Vec::new(),
            headers: Vec::new(),
            paths: Paths::default(),
        }
    }
}

// === impl Paths, MaxTokensField ===

impl Paths {
    /// The path of an endpoint that belongs to nobody.
    pub(super) fn of(&self, endpoint: &str) -> String {
        self.join(&self.prefix, endpoint)
    }

    /// The path of an endpoint that belongs to a model.
    pub(super) fn of_model(&self, endpoint: &str, model: &str) -> String {
        match &self.model_prefix {
            Some(prefix) => self.join(&prefix.replace("{model}", &encode(model)), endpoint),
            None => self.of(endpoint),
        }
    }

    fn join(&self, prefix: &str, endpoint: &str) -> String {
        match &self.query {
            Some(query) => format!("{prefix}{endpoint}?{query}"),
            None => format!("{prefix}{endpoint}"),
        }
    }
}

impl MaxTokensField {
    /// The name that is not the vendor's.
    pub(super) const fn other(self) -> &'static str {
        match self {
            Self::MaxCompletionTokens => Self::MaxTokens.name(),
            Self::MaxTokens => Self::MaxCompletionTokens.name(),
        }
    }
}

/// A caller's word as one segment of a path.
fn encode(segment: &str) -> String {
    let mut encoded = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
