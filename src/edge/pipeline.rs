//! The stations that every request passes.
//!
//! In order:
//!
//! 1. [`trace`](super::trace): gives it an id; counted, traced, and a line in the log when its answer is over.
//! 2. route: finds the endpoint, before anything that may refuse it, so that a refusal is spoken in the caller's dialect.
//! 3. serve: the endpoint does what it is there for.
//! 4. [`rescue`](super::rescue): whatever went wrong becomes an answer in the surface's shape.
//!
//! Authentication and limits will stand between 2 and 3.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use http::header::{ALLOW, HeaderValue};
use http::{Method, Request as HttpRequest, Response, StatusCode};
use hyper::body::Incoming;

use super::rescue;
use super::trace::{Trace, TracedBody};
use crate::http::request::BodyLimits;
use crate::http::router::Route;
use crate::http::{Reply, Request, Router, Surface};
use crate::model::caller::Caller;
use crate::model::{Error, Kind, Result};
use crate::service::{Clock, clock};
use crate::telemetry::Telemetry;

/// What the connection tells of a caller.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// From where it comes: the PROXY protocol's word where that is spoken.
    pub address: IpAddr,
    /// Where it arrived.
    pub local: IpAddr,
    /// Whether it speaks TLS.
    pub secure: bool,
}

/// Serves requests.
pub struct Pipeline<S> {
    state: Arc<S>,
    router: Router<S>,
    limits: BodyLimits,
    telemetry: Arc<Telemetry>,
    clock: Clock,
}

// === impl Pipeline ===

impl<S: Send + Sync + 'static> Pipeline<S> {
    /// Serves the endpoints of `router`.
    pub fn new(state: Arc<S>, router: Router<S>, limits: BodyLimits, telemetry: Arc<Telemetry>, clock: Clock) -> Self {
        Self { state, router, limits, telemetry, clock }
    }

    /// Serves one request.
    pub async fn serve(&self, request: HttpRequest<Incoming>, peer: &Peer) -> Response<TracedBody> {
        // 1 trace
        let id = clock::request_id();
        let mut trace = Trace::begin(id.clone(), &request, peer, self.telemetry.clone());
        // 2 route
        let (parts, body) = request.into_parts();
        let (surface, outcome) = match self.router.route(&parts.method, parts.uri.path()) {
            Route::Found(endpoint, parameters) => {
                trace.found(endpoint.path);
                let mut caller = Caller::anonymous(peer.address, endpoint.surface.name);
                caller.trace = trace.context();
                let request = Request {
                    state: self.state.clone(),
                    id: id.clone(),
                    caller,
                    headers: parts.headers,
                    parameters,
                    limits: self.limits,
                    body,
                };
                // 3 serve
                let outcome = AssertUnwindSafe((endpoint.handler)(request)).catch_unwind().await;
                (endpoint.surface, outcome.unwrap_or_else(|_| Err(Error::internal("the endpoint panicked"))))
            }
            Route::WrongMethod { allow, surface } => (surface, wrong_method(&parts.method, parts.uri.path(), &allow)),
            Route::Unknown { surface } => (surface, Err(unknown(parts.uri.path()))),
        };
        trace.of(surface.name);
        // 4 rescue
        let reply = self.rescue(surface, outcome, &mut trace);
        trace.answer(reply)
    }

    fn rescue(&self, surface: &Surface, outcome: Result<Reply>, trace: &mut Trace) -> Reply {
        match outcome {
            Ok(reply) => reply,
            Err(error) => {
                let reply = rescue::reply(surface, &error, trace.id(), &self.clock.rfc3339());
                trace.failed(error);
                reply
            }
        }
    }
}

fn wrong_method(method: &Method, path: &str, allow: &str) -> Result<Reply> {
    let value = HeaderValue::from_str(allow).map_err(Error::internal)?;
    if method == Method::OPTIONS {
        let mut reply = Reply::empty(StatusCode::NO_CONTENT);
        reply.headers.insert(ALLOW, value);
        return Ok(reply);
    }
    Err(Error::caller(Kind::MethodNotAllowed, format!("{method} is not allowed for {path}; allowed are {allow}"))
        .with_details(serde_json::json!({"allow": allow})))
}

fn unknown(path: &str) -> Error {
    Error::caller(Kind::NotFound, format!("Not found: there is no endpoint {path}"))
}
