//! Tells operators whether the server is well.

mod metrics;

use serde::Serialize;

use super::State;
use crate::http::endpoint::answer;
use crate::http::{Access, Endpoint, Reply, Request, Surface};
use crate::model::Result;
use crate::model::plugin;

/// Errors here are native ones.
pub const SURFACE: Surface =
    Surface { name: "ops", prefixes: &["/health", "/metrics"], shape: super::v1::shape::write };

pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    vec![
        Endpoint {
            method: http::Method::GET,
            path: "/health",
            summary: "Whether the server is well.",
            surface: &SURFACE,
            access: Access::Anyone,
            handler: |request| answer(health(request)),
        },
        Endpoint {
            method: http::Method::GET,
            path: "/metrics",
            summary: "What the server counts, for Prometheus.",
            surface: &SURFACE,
            access: Access::Anyone,
            handler: |request| answer(metrics::metrics(request)),
        },
    ]
}

#[derive(Serialize)]
struct Health<'a> {
    status: &'static str,
    version: &'static str,
    service: &'static str,
    environment: &'a str,
    uptime_seconds: u64,
    checks: Checks,
}

#[derive(Serialize)]
struct Checks {
    /// There is none yet.
    database: &'static str,
    providers: &'static str,
    /// There is none yet.
    cache: &'static str,
    plugins: &'static str,
}

async fn health(request: Request<State>) -> Result<Reply> {
    let state = &request.state;
    let providers = state.providers.all();
    let (mut ready, mut broken) = (false, false);
    for provider in providers.values() {
        ready |= provider.state.is_ok();
        // What nobody configured needs nobody's attention.
        broken |= provider.state.is_err() && provider.configured;
    }
    let plugins = state.catalog.snapshot().statuses();
    let sick = |status: &plugin::Status| status.state != plugin::State::Ready || status.last_error.is_some();
    let word = |well: bool| if well { "healthy" } else { "degraded" };
    Reply::json(&Health {
        status: if ready { "healthy" } else { "unhealthy" },
        version: env!("CARGO_PKG_VERSION"),
        service: "mortise",
        environment: &state.environment,
        uptime_seconds: state.started.elapsed().as_secs(),
        checks: Checks {
            database: "disabled",
            providers: if ready { word(!broken) } else { "unhealthy" },
            cache: "disabled",
            plugins: word(!plugins.iter().any(sick)),
        },
    })
}
