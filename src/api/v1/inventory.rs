//! What there is: providers, plugins, and how the server is doing.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::State;
use crate::http::{Reply, Request};
use crate::model::Result;
use crate::model::plugin::{Rights, Status};

/// Who can be asked.
#[derive(Serialize, JsonSchema)]
pub(super) struct ProviderList {
    /// In the order of their names.
    providers: Vec<ProviderView>,
}

/// A provider, and what it can do.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Provider")]
struct ProviderView {
    /// What callers name it.
    name: String,
    /// The models that it tells of; it may serve others too.
    models: Vec<String>,
    /// What it can do.
    features: Features,
}

/// What a provider can do.
#[derive(Serialize, JsonSchema)]
struct Features {
    /// Whether its models can use tools.
    tool_calling: bool,
    /// Whether its answers come piece by piece.
    streaming: bool,
    /// Whether its models can see.
    vision: bool,
}

pub(super) async fn providers(request: Request<State>) -> Result<Reply> {
    let all = request.state.providers.all();
    let views = all.values().filter_map(|provider| {
        let vendor = provider.state.as_ref().ok()?;
        let caller = &request.caller;
        Some(async move {
            let models = vendor.models(caller).await;
            ProviderView {
                name: provider.name.clone(),
                models: models.iter().map(|model| model.id.clone()).collect(),
                features: Features {
                    tool_calling: vendor.info.tools,
                    streaming: vendor.info.streaming,
                    vision: vendor.info.vision,
                },
            }
        })
    });
    Reply::json(&ProviderList { providers: join_all(views).await })
}

/// What is loaded, and what could not be.
#[derive(Serialize, JsonSchema)]
pub(super) struct PluginList {
    /// In the order of their ids.
    plugins: Vec<PluginView>,
}

/// A plugin; what is null is not known, because it could not be loaded.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Plugin")]
struct PluginView {
    /// Names it.
    id: String,
    /// Its own version.
    version: Option<String>,
    /// What it is: `provider` or `tool`.
    kind: Option<String>,
    /// What it says of itself.
    description: Option<String>,
    /// Names exactly these bytes.
    digest: Option<String>,
    /// How it is.
    state: String,
    /// Where it comes from.
    origin: String,
    /// The file's name; null where it is part of the server.
    file: Option<String>,
    /// What it wants to do.
    asks: RightsView,
    /// What of that it may do.
    grants: RightsView,
    /// What is wrong with it.
    last_error: Option<String>,
    /// What it was last kept from, and what would allow it.
    last_denial: Option<String>,
    /// How the programs that it starts are kept apart; null where it started none.
    confinement: Option<String>,
    /// How often it broke and was stopped.
    traps: u64,
    /// How many of it run.
    instances: usize,
}

/// What a plugin asks for, or may do.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Rights")]
pub(super) struct RightsView {
    /// Origins, such as `https://api.example.com`.
    hosts: Vec<String>,
    /// The session's files: `read-only`, `read-write`; null is none of them.
    workspace: Option<String>,
    /// Programs that it starts.
    programs: Vec<String>,
    /// Whether it remembers things.
    kv: bool,
    /// Credentials that the server puts on its requests, by name.
    secrets: Vec<String>,
}

impl From<Rights> for RightsView {
    fn from(rights: Rights) -> Self {
        Self {
            hosts: rights.hosts,
            workspace: rights.workspace.map(|workspace| workspace.to_string()),
            programs: rights.programs,
            kv: rights.kv,
            secrets: rights.secrets,
        }
    }
}

impl From<Status> for PluginView {
    fn from(status: Status) -> Self {
        Self {
            state: status.state.to_string(),
            origin: status.origin.to_string(),
            // Its name alone: where the server keeps it is nobody's business.
            file: status.file.map(|path| path.rsplit('/').next().unwrap_or_default().to_owned()),
            asks: status.asked.into(),
            grants: status.granted.into(),
            last_denial: status.last_denial,
            confinement: status.confinement,
            id: status.id,
            version: status.version,
            kind: status.kind,
            description: status.description,
            digest: status.digest,
            last_error: status.last_error,
            traps: status.traps,
            instances: status.instances,
        }
    }
}

pub(super) async fn plugins(request: Request<State>) -> Result<Reply> {
    let statuses = request.state.catalog.snapshot().statuses();
    let plugins: Vec<PluginView> = statuses.into_iter().map(Into::into).collect();
    Reply::json(&PluginList { plugins })
}

/// What the server has done and is doing.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Status")]
pub(super) struct StatusView {
    /// The server's version.
    version: &'static str,
    /// Since the server started.
    uptime_seconds: u64,
    /// Requests of any kind since then.
    requests_total: u64,
    /// Requests that are being served, this one among them.
    requests_active: u64,
    /// Providers by name.
    providers: BTreeMap<String, ProviderStatus>,
    /// The cache of answers.
    cache: CacheStatus,
}

/// How a provider is.
#[derive(Serialize, JsonSchema)]
struct ProviderStatus {
    /// Whether it can be asked, and the newest answer was none of its failures.
    healthy: bool,
    /// How often it was asked.
    requests: u64,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// How the cache of answers is.
#[derive(Serialize, JsonSchema)]
struct CacheStatus {
    /// Whether there is one.
    enabled: bool,
    /// How many answers it holds.
    size: u64,
    /// How many requests it answered, from 0 to 1.
    hit_rate: f64,
}

pub(super) async fn status(request: Request<State>) -> Result<Reply> {
    let state = &request.state;
    let (all, cache) = (state.providers.all(), state.chat.answers().status());
    let providers = all.values().filter(|provider| provider.configured || provider.state.is_ok()).map(|provider| {
        let stats = state.telemetry.stats.provider(&provider.name);
        let error =
            provider.state.as_ref().err().map(|error| error.public().to_owned()).or(stats.error.map(str::to_owned));
        (provider.name.clone(), ProviderStatus { healthy: error.is_none(), requests: stats.requests, error })
    });
    Reply::json(&StatusView {
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: state.started.elapsed().as_secs(),
        requests_total: state.telemetry.metrics.http.requests(),
        requests_active: state.telemetry.metrics.http.active(),
        providers: providers.collect(),
        cache: CacheStatus { enabled: cache.enabled, size: cache.answers as u64, hit_rate: cache.hit_rate },
    })
}
