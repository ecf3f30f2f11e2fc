//! What an operator may set; `plugin.toml` says the same as a schema.

use mortise_sdk::chat::Field;
use mortise_sdk::http::Request;
use mortise_sdk::provider::Error;
use serde::Deserialize;

/// The first version of the API that has no temperature and the like.
const WITHOUT_SAMPLING: &str = "2026-10-21";
/// The field in which a caller's own `anthropic-beta` header comes.
pub(crate) const BETA: &str = "anthropic_beta";

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// The version of the API.
    pub(crate) version: String,
    /// What to ask for beyond it.
    pub(crate) beta: Vec<String>,
    /// The limit of an answer where the caller sets none.
    pub(crate) max_tokens: Option<u32>,
    /// The models to show without asking the vendor.
    pub(crate) models: Vec<String>,
}

/// Several names, or one; a name may itself be several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    More(Vec<String>),
}

// === impl Settings ===

impl Settings {
    /// Whether this version of the API takes temperature and the like. (Versions are dates.)
    pub(crate) fn samples(&self) -> bool {
        self.version.as_str() < WITHOUT_SAMPLING
    }

    /// The request with the vendor's headers. `extra` may hold what the caller asks for beyond the version.
    pub(crate) fn headers(&self, request: Request, extra: &[Field]) -> Result<Request, Error> {
        let asked = extra.iter().find(|field| field.name == BETA).map(|field| {
            serde_json::from_str(&field.value).map_err(|_| Error::invalid(format!("`{BETA}` must be a list of names")))
        });
        let asked = match asked.transpose()? {
            Some(Names::One(name)) => vec![name],
            Some(Names::More(names)) => names,
            None => Vec::new(),
        };
        let mut names: Vec<&str> = Vec::new();
        for name in self.beta.iter().chain(&asked).flat_map(|names| names.split(',')) {
            let name = name.trim();
            if name.bytes().any(|byte| !byte.is_ascii_graphic()) {
                return Err(Error::invalid(format!("`{BETA}` holds a name with characters that no header may hold")));
            }
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
        let request = request.header("anthropic-version", &self.version);
        Ok(if names.is_empty() { request } else { request.header("anthropic-beta", names.join(",")) })
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self { version: "2023-06-01".into(), beta: Vec::new(), max_tokens: None, models: Vec::new() }
    }
}
