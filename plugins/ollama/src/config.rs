//! What an operator may set; `plugin.toml` says the same as a schema.

use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// The model's options for every request.
    pub(crate) options: Map<String, Value>,
    /// How long a model stays loaded.
    pub(crate) keep_alive: Option<KeepAlive>,
    /// Whether the operator's key is sent along.
    pub(crate) api_key: bool,
}

/// A duration such as `10m`, or seconds.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum KeepAlive {
    Seconds(i64),
    Duration(String),
}
