//! Puts a configuration together: defaults, file, environment, flags.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Config, StoreEngine};

/// What flags set, in place of everything else.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--host`.
    pub host: Option<IpAddr>,
    /// `--port`.
    pub port: Option<u16>,
    /// `--workers`.
    pub workers: Option<usize>,
    /// `--ssl-cert`.
    pub ssl_cert: Option<PathBuf>,
    /// `--ssl-key`.
    pub ssl_key: Option<PathBuf>,
    /// `--debug`.
    pub debug: bool,
    /// `--ephemeral`.
    pub ephemeral: bool,
}

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("can't read the configuration {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no YAML.
    #[error("{origin} is no valid YAML: {message}")]
    Yaml {
        /// The file.
        origin: String,
        /// What is wrong, and where.
        message: String,
    },
    /// A key is unknown, or a value is none for its key.
    #[error("{origin}: {message}")]
    Invalid {
        /// Where the key was set.
        origin: String,
        /// What is wrong, and what would be right.
        message: String,
    },
}

/// Keys of the environment: `MORTISE_SERVER__PORT` sets `server.port`.
const PREFIX: &str = "MORTISE_";

/// Names and letters that differ in more than this share are no misspelling of each other.
const NEAR: f64 = 0.6;

// === impl Config ===

impl Config {
    /// Loads the file at `path`, or `~/.mortise/config.yaml` if that exists, or nothing; then the environment; then `overrides`.
    ///
    /// # Errors
    /// Names the file or variable, the key, and what would be right.
    pub fn load(path: Option<&Path>, overrides: &Overrides) -> Result<Self, ConfigError> {
        let home_file = expand_home(Path::new("~/.mortise/config.yaml"));
        let path = path.map(Path::to_owned).or_else(|| home_file.exists().then_some(home_file));
        let (origin, mut tree) = match path {
            Some(path) => {
                let text = std::fs::read_to_string(&path)
                    .map_err(|source| ConfigError::Read { path: path.clone(), source })?;
                let origin = path.display().to_string();
                let tree = read_yaml(&text, &origin)?;
                (origin, tree)
            }
            None => ("the configuration".to_owned(), Value::Null),
        };
        // The file is checked by itself first, so that an error names the right place.
        interpret(tree.clone(), &origin)?;
        #[expect(clippy::disallowed_methods, reason = "the configuration is where the environment is read")]
        let variables = std::env::vars_os();
        let mut set = Vec::new();
        // What isn't UTF-8 is none of ours.
        for (name, text) in variables.filter_map(|(name, text)| name.into_string().ok().zip(text.into_string().ok())) {
            if let Some(keys) = name.strip_prefix(PREFIX).filter(|keys| keys.contains("__")) {
                insert(&mut tree, &keys.to_ascii_lowercase().split("__").collect::<Vec<_>>(), scalar(&text));
                set.push(name);
            }
        }
        let origin = if set.is_empty() { origin } else { format!("{origin} with {}", set.join(", ")) };
        let mut config = interpret(tree, &origin)?;
        config.imply();
        config.apply(overrides);
        Ok(config)
    }

    /// Reads a configuration from YAML text alone.
    ///
    /// # Errors
    /// Names the key and what would be right.
    pub fn from_yaml(text: &str) -> Result<Self, ConfigError> {
        interpret(read_yaml(text, "the configuration")?, "the configuration")
    }

    /// As YAML; secrets are references and stay so.
    ///
    /// # Errors
    /// If a value can't be written, which no configuration that was read has.
    pub fn to_yaml(&self) -> Result<String, ConfigError> {
        serde_saphyr::to_string(self)
            .map_err(|error| ConfigError::Yaml { origin: "the configuration".into(), message: error.to_string() })
    }

    fn apply(&mut self, overrides: &Overrides) {
        // A flag names the one listener that is wanted.
        if overrides.host.is_some() || overrides.port.is_some() {
            self.server.listen.clear();
        }
        if let Some(host) = overrides.host {
            self.server.host = host;
        }
        if let Some(port) = overrides.port {
            self.server.port = port;
        }
        if let Some(cert) = &overrides.ssl_cert {
            self.server.ssl.cert = Some(cert.clone());
            self.server.ssl.enabled = true;
        }
        if let Some(key) = &overrides.ssl_key {
            self.server.ssl.key = Some(key.clone());
            self.server.ssl.enabled = true;
        }
        if let Some(workers) = overrides.workers {
            self.server.workers = workers;
        }
        if overrides.ephemeral {
            self.store.engine = StoreEngine::Memory;
        }
        if overrides.debug {
            self.logging.level = "debug".into();
        }
    }
}

/// The environment variable `name`; every reading of the environment goes through here.
pub(super) fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the configuration is where the environment is read")]
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn expand_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), variable("HOME")) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path.to_owned(),
    }
}

fn read_yaml(text: &str, origin: &str) -> Result<Value, ConfigError> {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Value::Null);
    }
    serde_saphyr::from_str(text)
        .map_err(|error| ConfigError::Yaml { origin: origin.to_owned(), message: error.to_string() })
}

fn interpret(tree: Value, origin: &str) -> Result<Config, ConfigError> {
    let tree = if tree.is_null() { Value::Object(serde_json::Map::new()) } else { tree };
    let mut config: Config = serde_path_to_error::deserialize(tree).map_err(|error| {
        let path = error.path().to_string();
        ConfigError::Invalid { origin: origin.to_owned(), message: explain(&path, &error.into_inner().to_string()) }
    })?;
    let invalid = |message| ConfigError::Invalid { origin: origin.to_owned(), message };
    config.server.check().map_err(invalid)?;
    config.prompt.check().map_err(invalid)?;
    super::routing::check(&config.models).map_err(invalid)?;
    config.fill().map_err(invalid)?;
    config.plugins.directory = expand_home(&config.plugins.directory);
    config.store.path = expand_home(&config.store.path);
    // While one process takes over from another, both serve.
    config.store.shared |= config.server.reuse_port;
    config.plugins.cache = expand_home(&config.plugins.cache);
    config.logging.directory = expand_home(&config.logging.directory);
    config.model_catalog = config.model_catalog.as_deref().map(expand_home);
    let ssl = &mut config.server.ssl;
    for path in [&mut ssl.cert, &mut ssl.key, &mut ssl.client_ca].into_iter().flatten() {
        *path = expand_home(path);
    }
    Ok(config)
}

/// Serde's message with the key's path and, for an unknown key, the nearest known one.
fn explain(path: &str, message: &str) -> String {
    let Some(rest) = message.strip_prefix("unknown field `") else {
        return format!("`{path}`: {message}");
    };
    let mut quoted = rest.split('`');
    let key = quoted.next().unwrap_or_default();
    let known: Vec<&str> = quoted.skip(1).step_by(2).collect();
    let nearest = known
        .iter()
        .map(|name| (strsim::jaro_winkler(key, name), *name))
        .filter(|(score, _)| *score > NEAR)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((_, name)) => format!("unknown key `{path}`; did you mean `{name}`? known here: {}", known.join(", ")),
        None => format!("unknown key `{path}`; known here: {}", known.join(", ")),
    }
}

fn insert(tree: &mut Value, keys: &[&str], value: Value) {
    if !tree.is_object() {
        *tree = Value::Object(serde_json::Map::new());
    }
    let (Some(map), Some((key, rest))) = (tree.as_object_mut(), keys.split_first()) else { return };
    if rest.is_empty() {
        map.insert((*key).to_owned(), value);
    } else {
        insert(map.entry((*key).to_owned()).or_insert(Value::Null), rest, value);
    }
}

/// What a variable's text means, as it would in YAML.
fn scalar(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}
