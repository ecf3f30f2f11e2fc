//! What there is: providers, tools, plugins, and how the server is doing.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde::Serialize;
use serde_json::json;

use crate::api::State;
use crate::http::{Reply, Request};
use crate::model::Result;
use crate::model::plugin::Status;

#[derive(Serialize)]
struct ProviderView {
    name: String,
    models: Vec<String>,
    features: Features,
}

#[derive(Serialize)]
struct Features {
    tool_calling: bool,
    streaming: bool,
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
    Reply::json(&json!({"providers": join_all(views).await}))
}

pub(super) async fn tools(_: Request<State>) -> Result<Reply> {
    // No plugin can bring a tool yet, so there is none.
    Reply::json(&json!({"tools": [], "categories": []}))
}

#[derive(Serialize)]
struct PluginView {
    id: String,
    version: Option<String>,
    kind: Option<String>,
    description: Option<String>,
    digest: Option<String>,
    state: String,
    origin: String,
    /// Its name alone: where the server keeps it is nobody's business.
    file: Option<String>,
    asks: Hosts,
    grants: Hosts,
    last_error: Option<String>,
    traps: u64,
    instances: usize,
}

#[derive(Serialize)]
struct Hosts {
    hosts: Vec<String>,
}

impl From<Status> for PluginView {
    fn from(status: Status) -> Self {
        Self {
            state: status.state.to_string(),
            origin: status.origin.to_string(),
            file: status.file.map(|path| path.rsplit('/').next().unwrap_or_default().to_owned()),
            asks: Hosts { hosts: status.asked_hosts },
            grants: Hosts { hosts: status.granted_hosts },
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
    Reply::json(&json!({"plugins": plugins}))
}

#[derive(Serialize)]
struct StatusView {
    version: &'static str,
    uptime_seconds: u64,
    requests_total: u64,
    requests_active: u64,
    providers: BTreeMap<String, ProviderStatus>,
    cache: CacheStatus,
}

#[derive(Serialize)]
struct ProviderStatus {
    healthy: bool,
    requests: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct CacheStatus {
    enabled: bool,
    size: u64,
    hit_rate: f64,
}

pub(super) async fn status(request: Request<State>) -> Result<Reply> {
    let state = &request.state;
    let all = state.providers.all();
    let providers = all.values().filter(|provider| provider.configured || provider.state.is_ok()).map(|provider| {
        let stats = state.telemetry.stats.provider(&provider.name);
        let error = provider.state.as_ref().err().map(|error| error.public().to_owned()).or(stats.error);
        (provider.name.clone(), ProviderStatus { healthy: error.is_none(), requests: stats.requests, error })
    });
    Reply::json(&StatusView {
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: state.started.elapsed().as_secs(),
        requests_total: state.telemetry.metrics.http.requests(),
        requests_active: state.telemetry.metrics.http.active(),
        providers: providers.collect(),
        // Answers are not cached yet.
        cache: CacheStatus { enabled: false, size: 0, hit_rate: 0.0 },
    })
}
