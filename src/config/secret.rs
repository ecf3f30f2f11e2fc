//! References to secrets: the configuration says where a secret is, never what it is.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where a secret is kept: `env:NAME`, which can be written `${NAME}`, or `file:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// In an environment variable.
    Env(String),
    /// In a file; blanks at its end don't count.
    File(PathBuf),
}

impl Secret {
    /// Reads it.
    ///
    /// # Errors
    /// Says which reference can't be followed, and why; an empty secret is none.
    pub fn resolve(&self) -> Result<String, String> {
        let value = match self {
            Self::Env(name) => {
                super::load::variable(name).ok_or_else(|| format!("environment variable {name} is not set"))?
            }
            Self::File(path) => {
                std::fs::read_to_string(path).map_err(|error| format!("can't read {}: {error}", path.display()))?
            }
        };
        let value = value.trim();
        if value.is_empty() {
            return Err(format!("{self} is empty"));
        }
        if value.chars().any(|c| c.is_control() || !c.is_ascii()) {
            return Err(format!("{self} holds characters that no header can carry"));
        }
        Ok(value.to_owned())
    }
}

impl std::fmt::Display for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Some(name) =
            text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).filter(|name| !name.is_empty())
        {
            return Ok(Self::Env(name.to_owned()));
        }
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(PathBuf::from(path))),
            // The text may be the secret itself: it is not repeated.
            _ => Err(serde::de::Error::custom(
                "secrets stand here only by reference: write env:NAME or file:PATH, not the secret itself",
            )),
        }
    }
}
