//! The tools that the Responses API's readers take, as types for the API document.

use schemars::JsonSchema;
use serde_json::{Map, Value};

/// A tool.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "ResponseTool")]
pub(super) enum ToolParam {
    /// One that the caller runs.
    Known(KnownTool),
    /// One that the vendor runs itself.
    Other(OtherTool),
}

#[derive(JsonSchema)]
#[schemars(tag = "type", rename_all = "snake_case", rename = "ResponseKnownTool")]
pub(super) enum KnownTool {
    /// A function.
    Function {
        /// Its name.
        #[schemars(length(min = 1))]
        name: String,
        /// What it is good for.
        description: Option<String>,
        /// What it takes, as a JSON schema.
        parameters: Option<Map<String, Value>>,
    },
    /// A tool that takes free text.
    Custom {
        /// Its name.
        #[schemars(length(min = 1))]
        name: String,
        /// What it is good for.
        description: Option<String>,
        /// What the text has to look like.
        format: Option<Grammar>,
    },
    /// Tools that belong together.
    Namespace {
        /// Their common name.
        #[schemars(length(min = 1))]
        name: String,
        /// The tools.
        tools: Vec<ToolParam>,
    },
    /// A search in tools that are held back.
    ToolSearch {
        /// Who searches: `client` or `server`.
        execution: Option<String>,
        /// What it is good for.
        description: Option<String>,
        /// What it takes, as a JSON schema.
        parameters: Option<Map<String, Value>>,
    },
}

#[derive(JsonSchema)]
#[schemars(rename = "ResponseToolGrammar")]
pub(super) struct Grammar {
    /// The language that the grammar is written in.
    syntax: Option<String>,
    /// The grammar.
    definition: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename = "ResponseOtherTool")]
pub(super) struct OtherTool {
    /// A type of the vendor's own.
    #[schemars(rename = "type", extend("not" = {"enum": ["function", "custom", "namespace", "tool_search"]}))]
    kind: String,
}

/// Whether tools are used, or which.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "ResponseToolChoice")]
pub(super) enum Choice {
    /// Whether tools are used.
    Word(Word),
    /// Which has to be used, or may be.
    Known(KnownChoice),
    /// A tool of the vendor's own.
    Other(OtherChoice),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
pub(super) enum Word {
    Auto,
    None,
    Required,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
pub(super) enum Mode {
    Auto,
    Required,
}

#[derive(JsonSchema)]
#[schemars(tag = "type", rename_all = "snake_case", rename = "ResponseKnownToolChoice")]
pub(super) enum KnownChoice {
    /// A function that has to be used.
    Function {
        /// Its name.
        name: String,
        /// Where it belongs.
        namespace: Option<String>,
    },
    /// A tool that takes free text, which has to be used.
    Custom {
        /// Its name.
        name: String,
        /// Where it belongs.
        namespace: Option<String>,
    },
    /// Tools that may be used.
    AllowedTools {
        /// Whether one of them has to be.
        mode: Mode,
        /// The tools.
        tools: Vec<Allowed>,
    },
}

#[derive(JsonSchema)]
#[schemars(rename = "ResponseAllowedTool")]
pub(super) struct Allowed {
    /// Its name.
    name: Option<String>,
    /// Where it belongs.
    namespace: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename = "ResponseOtherToolChoice")]
pub(super) struct OtherChoice {
    /// A type of the vendor's own.
    #[schemars(rename = "type", extend("not" = {"enum": ["function", "custom", "allowed_tools"]}))]
    kind: String,
}
