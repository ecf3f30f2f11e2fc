//! What an operator sets.

use serde::Deserialize;

/// Who commits, where the repository doesn't say.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    pub(crate) author_name: String,
    pub(crate) author_email: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { author_name: "Mortise".to_owned(), author_email: "mortise@localhost".to_owned() }
    }
}
