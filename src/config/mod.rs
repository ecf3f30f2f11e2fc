//! What the operator set: defaults, then the file, then the environment, then flags.
//!
//! Every key stands in `config/mortise.yaml` with its default and a sentence. A key that nobody knows is an error that
//! names the nearest known one. Secrets stand here only as references ([`Secret`]), so a printed configuration leaks none.

mod auth;
mod limits;
mod load;
mod plugins;
mod presets;
mod prompt;
mod rate;
mod routing;
mod runs;
mod secret;
mod server;
mod sessions;
mod store;
mod telemetry;
mod units;
mod websocket;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use auth::{Algorithm, Auth, Passwords, Registration};
pub use limits::{Limits, PartialLimits};
pub use load::{ConfigError, Overrides};
pub use plugins::{BoundSecret, Compiler, Confinement, Grant, Place, Plugins, Process, Quarantine, WorkspaceGrant};
pub use presets::{Preset, presets};
pub use prompt::Prompt;
pub use rate::{Per, Rate, RateClass, RateLimit, SurfaceLimit, Surfaces};
pub use routing::{Breaker, Cache, Route, RouteCache, RouteTarget, Routing};
pub use runs::Runs;
pub use secret::Secret;
pub use server::{AddressHeader, ClientAuth, Compression, Cors, Listen, Server, Ssl, TlsVersion};
pub use sessions::{Retention, Sessions};
pub use store::{Store, StoreEngine};
pub use telemetry::{LogFormat, Logging, Otlp, Rotation, Telemetry};
use units::{byte_size, duration, entries, or_default};
pub use websocket::WebSocket;

/// Everything that can be set.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The listener and what bounds a request.
    #[serde(deserialize_with = "or_default")]
    pub server: Server,
    /// Model providers by the name that callers use.
    #[serde(deserialize_with = "entries")]
    pub providers: BTreeMap<String, Provider>,
    /// The provider that answers when a caller names neither provider nor model.
    pub default_provider: Option<String>,
    /// Names for callers, and who serves them.
    pub models: BTreeMap<String, Route>,
    /// A YAML file of what is known of models, in place of what `config/models.yaml` says of the same.
    pub model_catalog: Option<PathBuf>,
    /// What happens when a provider fails.
    #[serde(deserialize_with = "or_default")]
    pub routing: Routing,
    /// Which answers are kept.
    #[serde(deserialize_with = "or_default")]
    pub cache: Cache,
    /// What bounds the prompt surface.
    #[serde(deserialize_with = "or_default")]
    pub prompt: Prompt,
    /// Where plugins are, what they may do, what bounds them.
    #[serde(deserialize_with = "or_default")]
    pub plugins: Plugins,
    /// What bounds traffic to vendors.
    #[serde(deserialize_with = "or_default")]
    pub egress: Egress,
    /// Where everything is kept that must outlive the process.
    #[serde(deserialize_with = "or_default")]
    pub store: Store,
    /// What bounds agents.
    #[serde(deserialize_with = "or_default")]
    pub runs: Runs,
    /// Sessions and conversations: who waits for whom, and what they may hold.
    #[serde(deserialize_with = "or_default")]
    pub sessions: Sessions,
    /// For how long what nobody uses is kept.
    #[serde(deserialize_with = "or_default")]
    pub retention: Retention,
    /// What is logged, and how.
    #[serde(deserialize_with = "or_default")]
    pub logging: Logging,
    /// Metrics and traces.
    #[serde(deserialize_with = "or_default")]
    pub telemetry: Telemetry,
}

/// One of `providers`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Provider {
    /// A vendor of `config/presets.yaml`, which then says what is left out below; the provider's own name where there is such a
    /// vendor and no `plugin` is named.
    pub preset: Option<String>,
    /// The plugin's id; the provider's own name where left out.
    pub plugin: Option<String>,
    /// Where the vendor is reached; the plugin's own where left out. Naming a host here allows it.
    pub base_url: Option<String>,
    /// `env:NAME` or `file:PATH`; the plugin's key variable where left out.
    pub api_key: Option<Secret>,
    /// The model of a caller who names none; the first known one where left out.
    pub default_model: Option<String>,
    /// Each of them in place of the one under `egress.timeouts`.
    pub timeouts: PartialTimeouts,
    /// In place of `routing.retries`.
    pub retries: Option<u32>,
    /// Who shares the plugin's instances; by the plugin's origin where left out.
    pub isolation: Option<Isolation>,
    /// Handed to the plugin, checked against its schema.
    pub settings: serde_json::Map<String, serde_json::Value>,
}

/// Who shares a plugin's instances. An instance serves one exchange at a time, whatever is set here.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// Nobody: one instance a request.
    Fresh,
    /// The requests of one caller.
    Principal,
    /// All requests.
    Warm,
}

/// The five time-outs of a call to a vendor.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// Name look-up, TCP and TLS.
    #[serde(with = "duration")]
    pub connect: Duration,
    /// From the connection to the response's head.
    #[serde(with = "duration")]
    pub head: Duration,
    /// From the head of a stream to the model's first word.
    #[serde(with = "duration")]
    pub first_token: Duration,
    /// Between two pieces of a response.
    #[serde(with = "duration")]
    pub idle: Duration,
    /// All of it.
    #[serde(with = "duration")]
    pub total: Duration,
}

/// Time-outs of one provider.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see Timeouts")]
pub struct PartialTimeouts {
    #[serde(with = "duration::option")]
    pub connect: Option<Duration>,
    #[serde(with = "duration::option")]
    pub head: Option<Duration>,
    #[serde(with = "duration::option")]
    pub first_token: Option<Duration>,
    #[serde(with = "duration::option")]
    pub idle: Option<Duration>,
    #[serde(with = "duration::option")]
    pub total: Option<Duration>,
}

/// `egress`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Egress {
    /// Of every provider that has none of its own.
    pub timeouts: Timeouts,
    /// The longest frame of a stream.
    #[serde(with = "byte_size")]
    pub max_frame: usize,
    /// The longest response body that is handed over whole.
    #[serde(with = "byte_size")]
    pub max_body: usize,
    /// A PEM file of certificate authorities to trust beside the public ones.
    pub ca_file: Option<PathBuf>,
}

// === defaults ===

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            head: Duration::from_secs(60),
            first_token: Duration::from_secs(60),
            idle: Duration::from_secs(30),
            total: Duration::from_secs(600),
        }
    }
}

impl Default for Egress {
    fn default() -> Self {
        Self { timeouts: Timeouts::default(), max_frame: 16 << 20, max_body: 16 << 20, ca_file: None }
    }
}

// === impl Timeouts ===

impl Timeouts {
    /// These, with each of `own` in its place.
    pub fn with(self, own: &PartialTimeouts) -> Self {
        Self {
            connect: own.connect.unwrap_or(self.connect),
            head: own.head.unwrap_or(self.head),
            first_token: own.first_token.unwrap_or(self.first_token),
            idle: own.idle.unwrap_or(self.idle),
            total: own.total.unwrap_or(self.total),
        }
    }
}
