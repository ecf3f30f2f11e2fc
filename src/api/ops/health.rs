//! Whether the server is well, whether it lives, and whether it wants requests.
//!
//! Three questions, because three answers follow: a person looks closer, a supervisor restarts, a balancer sends callers
//! elsewhere. A vendor's outage changes none but the first: all replicas have it, and none of them would be left.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::api::State;
use crate::http::{Reply, Request};
use crate::model::{Result, plugin};
use crate::service::readiness::Phase;
use crate::store;

/// How the server is.
#[derive(Serialize, JsonSchema)]
pub(super) struct Health<'a> {
    /// In one word: `healthy`, `unhealthy`, `starting` or `draining`.
    status: &'static str,
    /// The server's version.
    version: &'static str,
    /// Which program answers.
    service: &'static str,
    /// Where it runs, as its operator calls it.
    environment: &'a str,
    /// Since the server started.
    uptime_seconds: u64,
    /// How its parts are.
    checks: Checks,
}

/// How the parts are: `healthy`, `degraded`, `unhealthy`, or `disabled` where there is none.
#[derive(Serialize, JsonSchema)]
pub(super) struct Checks {
    /// What outlives a restart.
    database: &'static str,
    /// Who can be asked.
    providers: &'static str,
    /// What needn't be asked twice.
    cache: &'static str,
    /// What is loaded.
    plugins: &'static str,
}

pub(super) fn example() -> Value {
    json!({
        "status": "healthy",
        "version": "0.1.0",
        "service": "mortise",
        "environment": "production",
        "uptime_seconds": 3600,
        "checks": {"database": "healthy", "providers": "healthy", "cache": "disabled", "plugins": "healthy"},
    })
}

pub(super) async fn health(request: Request<State>) -> Result<Reply> {
    let state = &request.state;
    let checks = check(state);
    let status = match state.readiness.phase() {
        Phase::Draining => "draining",
        _ if checks.providers == "unhealthy" || checks.database == "unhealthy" => "unhealthy",
        _ => "healthy",
    };
    Reply::json(&body(state, status, checks))
}

/// Whoever reads this knows that it lives.
pub(super) async fn live(request: Request<State>) -> Result<Reply> {
    Reply::json(&body(&request.state, "healthy", check(&request.state)))
}

pub(super) async fn ready(request: Request<State>) -> Result<Reply> {
    let state = &request.state;
    let status = match state.readiness.phase() {
        Phase::Starting => "starting",
        Phase::Ready => "healthy",
        Phase::Draining => "draining",
    };
    let mut reply = Reply::json(&body(state, status, check(state)))?;
    if status != "healthy" {
        reply.status = http::StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(reply)
}

fn body<'a>(state: &'a State, status: &'static str, checks: Checks) -> Health<'a> {
    Health {
        status,
        version: env!("CARGO_PKG_VERSION"),
        service: "mortise",
        environment: &state.environment,
        uptime_seconds: state.started.elapsed().as_secs(),
        checks,
    }
}

fn check(state: &State) -> Checks {
    let (mut ready, mut broken) = (false, false);
    for provider in state.providers.all().values() {
        ready |= provider.state.is_ok();
        // What nobody configured needs nobody's attention.
        broken |= provider.state.is_err() && provider.configured;
    }
    let plugins = state.catalog.snapshot().statuses();
    let sick = |status: &plugin::Status| status.state != plugin::State::Ready || status.last_error.is_some();
    let word = |well: bool| if well { "healthy" } else { "degraded" };
    Checks {
        database: match state.store.health() {
            store::Health::Volatile => "disabled",
            store::Health::Well => "healthy",
            store::Health::Full | store::Health::Damaged => "degraded",
            store::Health::Down => "unhealthy",
        },
        providers: if ready { word(!broken) } else { "unhealthy" },
        // There is none yet.
        cache: "disabled",
        plugins: word(!plugins.iter().any(sick)),
    }
}
