//! Whether the server is well, whether it lives, and whether it wants requests.
//!
//! Three questions, because three answers follow: a person looks closer, a supervisor restarts, a balancer sends callers
//! elsewhere. A vendor's outage changes none but the first: all replicas have it, and none of them would be left.

use serde::Serialize;

use super::SURFACE;
use crate::api::State;
use crate::http::endpoint::answer;
use crate::http::{Access, Endpoint, Reply, Request};
use crate::model::{Result, plugin};
use crate::service::readiness::Phase;

pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    let get = |path, summary, handler| Endpoint {
        method: http::Method::GET,
        path,
        summary,
        surface: &SURFACE,
        access: Access::Anyone,
        handler,
    };
    vec![
        get("/health", "Whether the server is well.", |request| answer(health(request))),
        get("/health/live", "Whether the server lives.", |request| answer(live(request))),
        get("/health/ready", "Whether the server wants requests: 503 while it starts or ends.", |request| {
            answer(ready(request))
        }),
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
    let checks = check(state);
    let status = match state.readiness.phase() {
        Phase::Draining => "draining",
        _ if checks.providers == "unhealthy" => "unhealthy",
        _ => "healthy",
    };
    Reply::json(&body(state, status, checks))
}

/// Whoever reads this knows that it lives.
async fn live(request: Request<State>) -> Result<Reply> {
    Reply::json(&body(&request.state, "healthy", check(&request.state)))
}

async fn ready(request: Request<State>) -> Result<Reply> {
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
        database: "disabled",
        providers: if ready { word(!broken) } else { "unhealthy" },
        cache: "disabled",
        plugins: word(!plugins.iter().any(sick)),
    }
}
