//! What an operator may set; `plugin.toml` says the same as a schema.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Thresholds by harm category.
    pub(crate) safety: BTreeMap<String, String>,
    /// Whether thoughts are asked for where the caller says nothing of reasoning.
    pub(crate) include_thoughts: bool,
}
