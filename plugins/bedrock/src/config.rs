//! What an operator may set; `plugin.toml` says the same as a schema.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// AWS's region.
    pub(crate) region: String,
    pub(crate) credential: Kind,
    /// The models to show.
    pub(crate) models: Vec<String>,
}

/// How requests show who pays.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// By a signature with an access key.
    Sigv4,
    /// By an API key of Bedrock.
    ApiKey,
}

impl Default for Settings {
    fn default() -> Self {
        Self { region: "us-east-1".into(), credential: Kind::Sigv4, models: Vec::new() }
    }
}
