//! Tools and the choice among them, as the reader in `tools` takes them.

use schemars::JsonSchema;
use serde_json::{Map, Value};

/// A tool.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "Tool")]
pub(super) enum ToolParam {
    /// One that the caller runs.
    Known(KnownTool),
    /// One that the vendor runs itself.
    Other(OtherTool),
}

#[derive(JsonSchema)]
#[schemars(tag = "type", rename_all = "snake_case", rename = "KnownTool")]
pub(super) enum KnownTool {
    /// A function.
    Function {
        /// What the model may ask for.
        function: FunctionParam,
    },
    /// A tool that takes free text.
    Custom {
        /// What the model may ask for.
        custom: CustomParam,
    },
}

#[derive(JsonSchema)]
pub(super) struct OtherTool {
    /// A type of the vendor's own.
    #[schemars(rename = "type", extend("not" = {"enum": ["function", "custom"]}))]
    kind: String,
}

#[derive(JsonSchema)]
#[schemars(rename = "Function")]
pub(super) struct FunctionParam {
    /// Its name.
    #[schemars(length(min = 1))]
    name: String,
    /// What it is good for.
    description: Option<String>,
    /// What it takes, as a JSON schema.
    parameters: Option<Map<String, Value>>,
}

#[derive(JsonSchema)]
#[schemars(rename = "ChatCustomTool")]
pub(super) struct CustomParam {
    /// Its name.
    #[schemars(length(min = 1))]
    name: String,
    /// What it is good for.
    description: Option<String>,
    /// What the text has to look like.
    format: Option<CustomFormat>,
}

#[derive(JsonSchema)]
pub(super) struct CustomFormat {
    /// A grammar that the text has to follow.
    grammar: Option<Grammar>,
}

#[derive(JsonSchema)]
#[schemars(rename = "CustomToolGrammar")]
pub(super) struct Grammar {
    /// The language that the grammar is written in.
    syntax: Option<String>,
    /// The grammar.
    definition: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(untagged, rename = "ToolChoice")]
pub(super) enum ToolChoiceParam {
    /// Whether tools are used.
    Word(Word),
    /// Which function has to be used.
    Function(NamedFunction),
    /// Which other tool has to be used, or which may be.
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

/// The one type of tools that has an unspoken name.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
pub(super) enum FunctionWord {
    Function,
}

#[derive(JsonSchema)]
#[schemars(rename = "NamedTool")]
pub(super) struct NamedFunction {
    #[schemars(rename = "type")]
    kind: Option<FunctionWord>,
    /// The one to use.
    function: Name,
}

#[derive(JsonSchema)]
#[schemars(tag = "type", rename_all = "snake_case", rename = "OtherToolChoice")]
pub(super) enum OtherChoice {
    /// A tool that takes free text.
    Custom {
        /// The one to use.
        custom: Name,
    },
    /// Tools that may be used.
    AllowedTools {
        /// Which.
        allowed_tools: Allowed,
    },
}

#[derive(JsonSchema)]
#[schemars(rename = "AllowedTools")]
pub(super) struct Allowed {
    /// Whether one of them has to be.
    mode: Mode,
    /// The tools.
    tools: Vec<AllowedTool>,
}

#[derive(JsonSchema)]
pub(super) struct AllowedTool {
    /// A function.
    function: Option<Name>,
    /// A tool that takes free text.
    custom: Option<Name>,
}

#[derive(JsonSchema)]
#[schemars(rename = "ToolName")]
pub(super) struct Name {
    /// Its name.
    name: String,
}

/// Whether a function is called, or which.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "FunctionChoice")]
pub(super) enum LegacyChoice {
    /// Whether one is called.
    Word(LegacyWord),
    /// Which has to be called.
    Named(Name),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
pub(super) enum LegacyWord {
    Auto,
    None,
}
