//! The stations that every request passes.
//!
//! In order:
//!
//! 1. [`trace`]: gives it an id; counted, traced, and a line in the log when its answer is over.
//! 2. route: finds the endpoint, before anything that may refuse it, so that a refusal is spoken in the caller's dialect.
//! 3. [`origin`]: whose page asks, and under which name.
//! 4. [`authenticate`]: who asks.
//! 5. throttle: whether the caller has asked too often ([`Limiter`]). The one place where requests are counted.
//! 6. read: the body, within bounds. It comes before there is room for it, so that who sends slowly holds up nobody.
//! 7. [`capacity`]: whether there is room, or will be in a moment.
//! 8. serve: the endpoint does what it is there for.
//! 9. [`rescue`]: whatever went wrong becomes an answer in the surface's shape.
//! 10. [`dress`]: the answer gets what every answer has, and is compressed for who can read that.

mod authenticate;
mod capacity;
mod compress;
mod dress;
mod forwarded;
mod origin;
mod query_token;
mod rescue;
mod trace;

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{ALLOW, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Request as HttpRequest, Response, StatusCode};
use hyper::body::Incoming;
use tokio::time::timeout;

use self::authenticate::Authenticator;
use self::capacity::Capacity;
use self::dress::Dress;
use self::forwarded::Trusted;
use self::origin::{Cors, Hosts};
use self::trace::{Trace, TracedBody};
use crate::config;
use crate::http::body::{self, BodyLimits, Held, Memory};
use crate::http::router::Route;
use crate::http::websocket::{self, Limits, Sockets, Upgrade};
use crate::http::{Access, Endpoint, Reply, Request, Router, Surface};
use crate::model::caller::Caller;
use crate::model::{Error, Fault, Kind, Result};
use crate::service::access::Accounts;
use crate::service::limit::{Limiter, Standing};
use crate::service::{Clock, clock};
use crate::store::Store;
use crate::telemetry::Telemetry;
use crate::telemetry::metrics::Metrics;

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
    stations: Stations,
    telemetry: Arc<Telemetry>,
    clock: Clock,
}

/// What a request passes before its endpoint, and its answer after it.
struct Stations {
    trusted: Trusted,
    hosts: Hosts,
    cors: Cors,
    authenticator: Authenticator,
    limiter: Arc<Limiter>,
    capacity: Capacity,
    bodies: BodyLimits,
    memory: Arc<Memory>,
    answer_within: Duration,
    dress: Dress,
    sockets: Arc<Sockets>,
}

/// Whether the stations can be built as `settings` say.
///
/// # Errors
/// Says which setting can't be followed.
pub(in crate::edge) fn check(settings: &config::Server) -> Result<()> {
    let limiter = Arc::new(Limiter::new(&settings.rate_limit, Clock::system()));
    let accounts = Accounts::new(Store::in_memory(), settings, Clock::system());
    Stations::new(settings, limiter, Arc::new(accounts), Arc::new(Metrics::new([]))).map(drop)
}

// === impl Pipeline ===

impl<S: Send + Sync + 'static> Pipeline<S> {
    /// Serves the endpoints of `router` as `settings` say.
    ///
    /// # Errors
    /// Says which setting can't be followed.
    pub fn new(
        state: Arc<S>,
        router: Router<S>,
        settings: &config::Server,
        limiter: Arc<Limiter>,
        accounts: Arc<Accounts>,
        telemetry: Arc<Telemetry>,
        clock: Clock,
    ) -> Result<Self> {
        let stations = Stations::new(settings, limiter, accounts, telemetry.metrics.clone())?;
        Ok(Self { state, router, stations, telemetry, clock })
    }

    /// Whether callers must show a key.
    pub fn asks_for_keys(&self) -> bool {
        self.stations.authenticator.asks()
    }

    /// What is counted here.
    pub(in crate::edge) fn metrics(&self) -> &Arc<Metrics> {
        &self.telemetry.metrics
    }

    /// Serves one request: with an answer, and with what the connection becomes after it, if that is something else.
    pub async fn serve(&self, request: HttpRequest<Incoming>, peer: &Peer) -> (Response<TracedBody>, Option<Upgrade>) {
        // 1 trace
        let id = clock::request_id();
        let mut trace = Trace::begin(id, &request, peer, self.telemetry.clone());
        let (parts, body) = request.into_parts();
        let asked = self.stations.dress.asked(&parts);
        // 2 route
        let method = if websocket::is_extended_connect(&parts) { &Method::GET } else { &parts.method };
        let route = self.router.route(method, parts.uri.path());
        let surface = route.surface();
        trace.of(surface.name);
        if let Route::Found(endpoint, _) = &route {
            trace.found(endpoint.path);
        }
        let mut standing = None;
        let outcome = self.pass(route, parts, body, peer, &mut trace, &mut standing).await;
        // 9 rescue
        let reply = self.rescue(surface, outcome, &mut trace);
        let reply = dress::named(surface, trace.id(), reply);
        // 10 dress
        let mut reply = self.stations.dress.apply(&asked, &self.stations.cors, standing, reply).await;
        let upgrade = reply.upgrade.take();
        (trace.answer(reply), upgrade)
    }

    async fn pass(
        &self,
        route: Route<'_, S>,
        mut parts: Parts,
        body: Incoming,
        peer: &Peer,
        trace: &mut Trace,
        standing: &mut Option<Standing>,
    ) -> Result<Reply> {
        let (stations, surface) = (&self.stations, route.surface().name);
        // 3 origin
        origin::name(&mut parts)?;
        if let Some(reply) = stations.cors.preflight(&parts.method, &parts.headers) {
            return Ok(reply);
        }
        if peer.local.is_loopback() && !stations.authenticator.asks() {
            stations.hosts.check(&parts.headers)?;
        }
        let socket = matches!(&route, Route::Found(endpoint, _) if endpoint.socket);
        if socket {
            stations.cors.check_socket(&parts.headers)?;
        }
        // 4 authenticate
        if matches!(&route, Route::Found(endpoint, _) if endpoint.token_in_query) {
            query_token::show(&mut parts);
        }
        let address = stations.trusted.caller(peer.address, &parts.headers);
        let access = if let Route::Found(endpoint, _) = &route { endpoint.access } else { Access::Anyone };
        let caller = stations.authenticator.identify(&parts.headers, access, address, surface).await;
        // 5 throttle: who shows a wrong key is counted as the stranger that it is
        let stranger;
        let counted = match &caller {
            Ok(caller) => caller,
            Err(_) => {
                stranger = Caller::anonymous(address, surface);
                &stranger
            }
        };
        trace.asked_by(counted);
        let throttled = stations.throttle(&route, &parts.method, counted, standing);
        *standing = throttled.inspect_err(|_| self.metrics().limited(surface, "requests"))?;
        let mut caller = caller?;
        let method = if websocket::is_extended_connect(&parts) { &Method::GET } else { &parts.method };
        Authenticator::authorize(&caller, access, method)?;
        caller.trace = trace.context();
        let (endpoint, parameters) = match route {
            Route::Found(endpoint, _) if parts.method == Method::CONNECT && !socket => {
                return wrong_method(&parts.method, parts.uri.path(), endpoint.method.as_str());
            }
            Route::Found(endpoint, parameters) => (endpoint, parameters),
            Route::WrongMethod { allow, .. } => return wrong_method(&parts.method, parts.uri.path(), &allow),
            Route::Unknown { .. } => return Err(unknown(parts.uri.path())),
        };
        // 6 read
        let body = stations.read(&parts, body, trace).await?;
        // 7 capacity
        if access != Access::Anyone {
            let (entered, waited) = stations.capacity.enter().await;
            // Who was turned away at once has not waited; who waited in vain has.
            if entered.is_ok() || !waited.is_zero() {
                self.metrics().queued(waited);
            }
            let room = entered.inspect_err(|_| self.metrics().limited(surface, "concurrency"))?;
            trace.hold_room(room);
        }
        // 8 serve
        let handshake = socket.then(|| stations.sockets.handshake(&mut parts, trace.id(), surface));
        let request = Request {
            state: self.state.clone(),
            id: trace.id().clone(),
            caller,
            headers: std::mem::take(&mut parts.headers),
            parameters,
            query: parts.uri.query().map(str::to_owned),
            body,
            handshake,
        };
        // What is left of the head would keep the buffer alive that it was read into, for as long as the answer takes.
        drop(parts);
        stations.serve(endpoint, request).await
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

// === impl Stations ===

impl Stations {
    fn new(
        settings: &config::Server,
        limiter: Arc<Limiter>,
        accounts: Arc<Accounts>,
        metrics: Arc<Metrics>,
    ) -> Result<Self> {
        let seconds = Duration::from_secs;
        let keys = settings.auth.keys().map_err(Error::internal)?;
        let sockets = &settings.websocket;
        let limits = Limits {
            message: sockets.max_message_bytes,
            ping_after: sockets.ping_interval,
            pong_within: sockets.ping_timeout,
            send_within: seconds(settings.write_timeout_secs),
        };
        Ok(Self {
            trusted: Trusted::new(settings.trusted_proxies.clone(), settings.trusted_header),
            hosts: Hosts::new(&settings.allowed_hosts),
            cors: Cors::new(&settings.cors)?,
            authenticator: Authenticator::new(settings.auth.enabled, &keys, accounts),
            limiter,
            capacity: Capacity::new(settings.max_concurrent_requests, settings.queue_length, settings.queue_timeout),
            bodies: BodyLimits { most: settings.max_request_body_bytes, within: seconds(settings.read_timeout_secs) },
            memory: Arc::new(Memory::new(settings.max_body_memory)),
            answer_within: seconds(settings.request_timeout_secs),
            dress: Dress::new(settings.compression),
            sockets: Sockets::new(sockets.max_connections, limits, metrics),
        })
    }

    /// Counts the request; who only looks at a path's headers doesn't use up what it allows.
    fn throttle<S>(
        &self,
        route: &Route<'_, S>,
        method: &Method,
        caller: &Caller,
        standing: &mut Option<Standing>,
    ) -> Result<Option<Standing>> {
        let looks = matches!(route, Route::WrongMethod { .. }) && matches!(*method, Method::HEAD | Method::OPTIONS);
        if looks {
            return Ok(self.limiter.look(caller));
        }
        self.limiter.admit(caller).map_err(|refusal| {
            *standing = Some(refusal.standing);
            refusal.error
        })
    }

    /// The body of a request that has one; its trace holds on to the memory.
    async fn read(&self, parts: &Parts, body: Incoming, trace: &mut Trace) -> Result<Bytes> {
        if !matches!(parts.method, Method::POST | Method::PUT | Method::PATCH) {
            return Ok(Bytes::new());
        }
        origin::refuse_unasked(&parts.headers)?;
        body::refuse_coded(&parts.headers)?;
        let held = Held::new(self.memory.clone());
        let outcome = body::read(body, self.bodies, &held).await;
        trace.hold_body(held);
        outcome
    }

    async fn serve<S>(&self, endpoint: &Endpoint<S>, request: Request<S>) -> Result<Reply> {
        let answer = AssertUnwindSafe((endpoint.handler)(request)).catch_unwind();
        match timeout(self.answer_within, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Error::internal("the endpoint panicked")),
            Err(_) => {
                let limit = self.answer_within.as_secs();
                let what =
                    format!("no answer within {limit} s (server.request_timeout_secs); stream it, or ask for less");
                Err(Error::new(Kind::Timeout, Fault::Us, what))
            }
        }
    }
}

fn wrong_method(method: &Method, path: &str, allow: &str) -> Result<Reply> {
    let value = HeaderValue::from_str(allow).map_err(Error::internal)?;
    let status = match *method {
        Method::OPTIONS => StatusCode::NO_CONTENT,
        Method::HEAD => StatusCode::OK,
        _ => {
            let what = format!("{method} is not allowed for {path}; allowed are {allow}");
            let error = Error::caller(Kind::MethodNotAllowed, what);
            return Err(error.with_details(serde_json::json!({"allow": allow})));
        }
    };
    let headers = HeaderMap::from_iter([(ALLOW, value)]);
    Ok(Reply { headers, ..Reply::empty(status) })
}

fn unknown(path: &str) -> Error {
    Error::caller(Kind::NotFound, format!("Not found: there is no endpoint {path}"))
}
