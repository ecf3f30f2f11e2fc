//! The manifest: what a plugin says about itself, readable without running it.
//!
//! It travels as JSON in a custom section of the component. Whoever reads it has not yet decided to trust the file, so
//! reading is bounded, compiles nothing and never panics.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::section;

/// The version of the contract (`wit/`) that plugins are built against.
pub const API: &str = "0.1.0";

/// The custom section that holds the manifest.
pub const SECTION: &str = "mortise:manifest";

/// The largest manifest that is read, in bytes.
pub const LIMIT: usize = 64 * 1024;

/// The layout of the section's JSON.
const LAYOUT: u32 = 1;

const LONGEST_ID: usize = 63;

/// What a plugin says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    manifest: u32,
    /// The plugin's name: `[a-z][a-z0-9-]{0,62}`. A later file with the same id replaces an earlier one.
    pub id: String,
    /// The plugin's own version.
    pub version: String,
    /// Which world it implements.
    pub kind: Kind,
    /// The version of the contract that it was built against.
    pub api: String,
    /// One sentence for people; may be empty.
    #[serde(default)]
    pub description: String,
    /// What it asks for. Asking grants nothing.
    #[serde(default)]
    pub asks: Asks,
    /// JSON Schema of its settings; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Map<String, Value>>,
}

/// A plugin's world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A model provider.
    Provider,
    /// A set of tools.
    Tool,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Provider => "provider",
            Self::Tool => "tool",
        })
    }
}

/// What a plugin would like to be allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asks {
    /// Origins that it wants to reach, such as `https://api.openai.com`. A tool's may go on with the beginning of a path, and a
    /// host of `*` is any host.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// How it wants the session's files; a tool's right, as all below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<Workspace>,
    /// Programs that it wants to start, by name; `*` is whatever the operator allows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<String>,
    /// Whether it wants to remember things.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kv: bool,
    /// Credentials that it wants to be put on its requests, by name; `*` is whatever the operator binds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
}

/// How a tool may use the session's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workspace {
    /// Look at them.
    ReadOnly,
    /// Change them too.
    ReadWrite,
}

/// Why a manifest could not be read or embedded.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The bytes are no component.
    #[error("not a webassembly component; build the plugin with `mortise plugin build`")]
    NotAComponent,
    /// The bytes are a core module.
    #[error("a core webassembly module, not a component; build the plugin with `mortise plugin build`")]
    CoreModule,
    /// The component is cut off or broken.
    #[error("the component is damaged ({0}); copy or build it again")]
    Damaged(String),
    /// There is no manifest section.
    #[error("no manifest inside; write a plugin.toml and build the plugin with `mortise plugin build`")]
    Absent,
    /// There is more than one manifest section.
    #[error("more than one manifest inside; build the plugin again with `mortise plugin build`")]
    Twice,
    /// The manifest is larger than [`LIMIT`].
    #[error("the manifest has {size} bytes, more than the {LIMIT} allowed; shorten the settings schema")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// The manifest's layout is not the one that is known here.
    #[error("the manifest has layout {found}, this program knows {LAYOUT}; update it, or build the plugin again")]
    Layout {
        /// The layout that the manifest says it has.
        found: String,
    },
    /// The manifest is no JSON, lacks a field or has one too many.
    #[error("the manifest can't be read: {0}; mend plugin.toml and build the plugin again")]
    Malformed(#[from] serde_json::Error),
    /// A field says something that it must not.
    #[error("the manifest's {0}")]
    Invalid(String),
}

// === impl Manifest ===

impl Manifest {
    /// A manifest of this layout for this contract, asking for nothing.
    pub fn new(id: impl Into<String>, version: impl Into<String>, kind: Kind) -> Self {
        Self {
            manifest: LAYOUT,
            id: id.into(),
            version: version.into(),
            kind,
            api: API.to_owned(),
            description: String::new(),
            asks: Asks::default(),
            settings: None,
        }
    }

    /// Reads the manifest of a component without compiling or running it.
    pub fn from_component(component: &[u8]) -> Result<Self, ManifestError> {
        let mut found = None;
        let mut twice = false;
        section::walk(component, |_, custom| {
            if let Some((SECTION, data)) = custom {
                twice |= found.replace(data).is_some();
            }
        })?;
        if twice {
            return Err(ManifestError::Twice);
        }
        Self::parse(found.ok_or(ManifestError::Absent)?)
    }

    /// The component with this manifest inside, in place of any that was there.
    pub fn embed(&self, component: &[u8]) -> Result<Vec<u8>, ManifestError> {
        self.check()?;
        let data = serde_json::to_vec(self)?;
        if data.len() > LIMIT {
            return Err(ManifestError::TooLarge { size: data.len() });
        }
        let mut out = Self::strip(component)?;
        section::append(&mut out, SECTION, &data);
        Ok(out)
    }

    /// The component without any manifest.
    pub fn strip(component: &[u8]) -> Result<Vec<u8>, ManifestError> {
        let mut out = Vec::with_capacity(component.len());
        section::walk(component, |span, custom| {
            if !matches!(custom, Some((SECTION, _))) {
                out.extend_from_slice(component.get(span).unwrap_or_default());
            }
        })?;
        Ok(out)
    }

    fn parse(data: &[u8]) -> Result<Self, ManifestError> {
        if data.len() > LIMIT {
            return Err(ManifestError::TooLarge { size: data.len() });
        }
        // The layout first: a newer one may differ in every other field.
        let value: Value = serde_json::from_slice(data)?;
        match value.get("manifest") {
            Some(layout) if *layout == LAYOUT => {}
            Some(other) => return Err(ManifestError::Layout { found: other.to_string() }),
            None => return Err(ManifestError::Layout { found: "nothing".to_owned() }),
        }
        let manifest: Self = serde_json::from_value(value)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// What the types can't say.
    pub(crate) fn check(&self) -> Result<(), ManifestError> {
        let invalid = |what: String| Err(ManifestError::Invalid(what));
        if !valid_id(&self.id) {
            return invalid(format!(
                "id {:?} must be a lower-case letter followed by up to {} lower-case letters, digits or hyphens",
                self.id,
                LONGEST_ID - 1
            ));
        }
        for (name, version) in [("version", &self.version), ("api", &self.api)] {
            if !valid_version(version) {
                return invalid(format!("{name} {version:?} must look like 1.2.3"));
            }
        }
        if self.description.chars().any(char::is_control) {
            return invalid("description must be one line of text".to_owned());
        }
        for host in &self.asks.hosts {
            if !valid_origin(host, self.kind) {
                return invalid(format!("asks.hosts entry {host:?} must look like https://api.example.com"));
            }
        }
        if self.kind == Kind::Provider && (Asks { hosts: Vec::new(), ..self.asks.clone() }) != Asks::default() {
            return invalid("asks may name nothing but hosts: a provider has neither files nor programs".to_owned());
        }
        for program in &self.asks.programs {
            if !valid_program(program) {
                return invalid(format!("asks.programs entry {program:?} must be a program's name, without a path"));
            }
        }
        for secret in &self.asks.secrets {
            if secret != "*" && !valid_id(secret) {
                return invalid(format!("asks.secrets entry {secret:?} must look like a plugin's id, or be *"));
            }
        }
        Ok(())
    }
}

fn valid_id(id: &str) -> bool {
    id.len() <= LONGEST_ID
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Three numbers, then whatever semantic versioning allows after them.
fn valid_version(version: &str) -> bool {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    version.len() <= 64
        && version.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'))
        && core.split('.').count() == 3
        && core.split('.').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()))
}

fn valid_origin(host: &str, kind: Kind) -> bool {
    let rest = host.strip_prefix("https://").or_else(|| host.strip_prefix("http://"));
    let (host, path) = match rest.and_then(|rest| Some(rest.split_at(rest.find('/')?))) {
        Some((host, path)) => (Some(host), path),
        None => (rest, ""),
    };
    let path =
        path.is_empty() || kind == Kind::Tool && path.chars().all(|c| c.is_ascii_graphic() && c != '?' && c != '#');
    path && host.is_some_and(|host| {
        !host.is_empty()
            && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '*' | '[' | ']'))
    })
}

fn valid_program(name: &str) -> bool {
    name.len() <= LONGEST_ID
        && !name.starts_with(['.', '-'])
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+'))
        && !name.is_empty()
        || name == "*"
}

#[cfg(test)]
mod tests;
