//! `server.auth`: who may come in, and how they show who they are.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::units::{byte_size, duration, or_default};
use super::{Rate, Secret};

/// The variable of a key that is looked for unasked.
const API_KEY: &str = "MORTISE_API_KEY";

/// `server.auth`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// Whether callers must show a key; where left out, if there is one.
    pub enabled: Option<bool>,
    /// A key: `env:NAME`, `${NAME}` or `file:PATH`.
    pub api_key: Option<Secret>,
    /// The environment variable of a key.
    pub api_key_env: Option<String>,
    /// Who may make an account; where left out, everybody while nobody is asked for a key and only this machine can ask.
    pub registration: Option<Registration>,
    /// What signs the tokens of logins.
    pub algorithm: Algorithm,
    /// How long such a token is good.
    #[serde(with = "duration")]
    pub access_lifetime: Duration,
    /// How long a new one can be had without the password.
    #[serde(with = "duration")]
    pub refresh_lifetime: Duration,
    /// Wrong passwords of one account; beyond it, 429.
    pub attempts_per_account: Rate,
    /// Wrong passwords, and new accounts, of one address, or of one /64 network of IPv6.
    pub attempts_per_address: Rate,
    /// What it costs to try a password.
    #[serde(deserialize_with = "or_default")]
    pub passwords: Passwords,
}

/// Who may make an account.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Everybody who reaches the server.
    Open,
    /// Only the operator, with `mortise users create`.
    Closed,
}

/// What signs tokens.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the standard")]
pub enum Algorithm {
    HS256,
    EdDSA,
}

/// `server.auth.passwords`: Argon2id's parameters.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Passwords {
    /// Memory of one trial.
    #[serde(with = "byte_size")]
    pub memory: usize,
    /// Passes over it.
    pub passes: u32,
    /// Trials at once; 0 is one for every two cores.
    pub parallel: usize,
    /// Trials that may wait until there are fewer; beyond it, 503.
    pub queue_length: usize,
}

const LEAST_MEMORY: usize = 1 << 20;
const MOST_MEMORY: usize = 1 << 30;

// === defaults ===

impl Default for Auth {
    fn default() -> Self {
        Self {
            enabled: None,
            api_key: None,
            api_key_env: Some(API_KEY.into()),
            registration: None,
            algorithm: Algorithm::HS256,
            access_lifetime: Duration::from_secs(3600),
            refresh_lifetime: Duration::from_secs(7 * 24 * 3600),
            attempts_per_account: Rate { limit: 10, window: Duration::from_secs(600) },
            attempts_per_address: Rate { limit: 100, window: Duration::from_secs(600) },
            passwords: Passwords::default(),
        }
    }
}

impl Default for Passwords {
    fn default() -> Self {
        // What OWASP asks for at least.
        Self { memory: 19 << 20, passes: 2, parallel: 0, queue_length: 64 }
    }
}

// === impl Auth ===

impl Auth {
    /// # Errors
    /// Names the cost that is none.
    pub(super) fn check(&self) -> Result<(), String> {
        let Passwords { memory, passes, .. } = self.passwords;
        if !(LEAST_MEMORY..=MOST_MEMORY).contains(&memory) || !(1..=100).contains(&passes) {
            return Err("`server.auth.passwords`: memory is 1MiB to 1024MiB, passes are 1 to 100".into());
        }
        Ok(())
    }

    /// Whether callers must show a key: as it is set, or if there is one.
    pub fn asks(&self) -> bool {
        self.enabled.unwrap_or_else(|| self.keys().is_ok_and(|keys| !keys.is_empty()))
    }

    /// The keys that are set: `api_key`, the variable `api_key_env`, and those of `MORTISE_API_KEYS`, parted by commas.
    ///
    /// # Errors
    /// Says which reference can't be followed.
    pub fn keys(&self) -> Result<Vec<String>, String> {
        let mut keys = Vec::new();
        if let Some(secret) = &self.api_key {
            keys.push(secret.resolve().map_err(|error| format!("server.auth.api_key: {error}"))?);
        }
        if let Some(name) = self.api_key_env.as_deref() {
            let key = super::load::variable(name);
            // Who names a variable wants a key to be asked for, also when it is misspelt.
            if key.is_none() && name != API_KEY {
                return Err(format!("server.auth.api_key_env: environment variable {name} is not set"));
            }
            keys.extend(key);
        }
        let list = super::load::variable("MORTISE_API_KEYS").unwrap_or_default();
        keys.extend(list.split(',').map(str::to_owned));
        keys.iter_mut().for_each(|key| *key = key.trim().to_owned());
        keys.retain(|key| !key.is_empty());
        Ok(keys)
    }
}
