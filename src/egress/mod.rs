//! The only way out to the network: a pooled client, an address policy after name look-up, credentials put on last.
//!
//! Each worker has a pool of its own, because a connection is driven by the thread that opened it.
//!
//! Simplifying assumptions: redirects are not followed (a vendor's API has no use for them, an attacker has); bodies are not
//! compressed (we don't ask for it); proxies are not used.

mod connect;
mod event_stream;
mod frames;
mod otlp;
mod policy;
mod request;
mod response;
mod sign;
pub mod tool;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use thread_local::ThreadLocal;

use crate::config::{self, Timeouts};
use crate::model::provider::Credential;
use crate::model::{Error, Result};
use connect::{Connector, Dialer};

pub use response::{Piece, Response};

/// Connections that nobody uses are closed after this.
const IDLE_CONNECTION: Duration = Duration::from_secs(90);
/// HTTP/2 connections are probed this often, so that a dead one isn't used for minutes.
const PROBE: Duration = Duration::from_secs(20);

type HttpClient = Client<Connector, Full<Bytes>>;

/// One client a thread: a connection is driven by the thread that opened it, and waking another costs more than opening one.
#[derive(Default)]
struct Clients {
    of_thread: ThreadLocal<HttpClient>,
}

/// The way out. Cheap to clone.
#[derive(Clone)]
pub struct Egress {
    dialer: Arc<Dialer>,
    /// One a connect time-out: the pool can't tell connections apart by it.
    clients: Arc<Mutex<BTreeMap<Duration, Arc<Clients>>>>,
    max_frame: usize,
    max_body: usize,
    /// Whether vendors are told the trace.
    propagate: bool,
    now: Now,
}

/// The time of day, for signatures.
pub type Now = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// A vendor, as one provider reaches it.
pub struct Target {
    /// The provider's name, for errors.
    name: String,
    base: request::Base,
    credential: Option<request::Credentials>,
    /// What no text may repeat.
    secrets: Vec<String>,
    /// The time-outs of every call.
    pub timeouts: Timeouts,
    clients: Arc<Clients>,
    dialer: Arc<Dialer>,
}

// === impl Egress ===

impl Egress {
    /// Prepares TLS and name look-up.
    ///
    /// # Errors
    /// If the file of certificate authorities can't be used.
    pub fn new(config: &config::Config, now: Now) -> Result<Self> {
        let named: HashSet<String> = config
            .providers
            .values()
            .filter_map(|provider| url::Url::parse(provider.base_url.as_deref()?).ok()?.host_str().map(str::to_owned))
            .collect();
        Ok(Self {
            dialer: Arc::new(Dialer::new(named, config.egress.ca_file.as_deref())?),
            clients: Arc::default(),
            max_frame: config.egress.max_frame,
            max_body: config.egress.max_body,
            propagate: config.telemetry.otlp.enabled && config.telemetry.otlp.propagate,
            now,
        })
    }

    /// A vendor at `base_url`; `secret` goes where `credential` says.
    ///
    /// # Errors
    /// If the address can't be used, or is one that only an operator may name.
    pub fn target(
        &self,
        name: &str,
        base_url: &str,
        credential: &Credential,
        secret: Option<&str>,
        timeouts: Timeouts,
    ) -> Result<Target> {
        let base = request::Base::parse(name, base_url)?;
        self.dialer.check_literal(name, &base.host)?;
        let credential = request::Credentials::new(credential, secret)
            .map_err(|reason| Error::internal(format!("provider {name}: {reason}")))?;
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let clients = clients.entry(timeouts.connect).or_default().clone();
        let secrets = match &credential {
            Some(request::Credentials::Signature(keys)) => keys.secrets(),
            _ => secret.map(str::to_owned).into_iter().collect(),
        };
        Ok(Target { name: name.to_owned(), base, credential, secrets, timeouts, clients, dialer: self.dialer.clone() })
    }
}

// === impl Target ===

impl Target {
    fn client(&self) -> &HttpClient {
        self.clients.of_thread.get_or(|| client(&self.dialer, self.timeouts.connect))
    }

    /// Host and port of the vendor.
    pub fn server(&self) -> (&str, u16) {
        self.base.server()
    }

    /// Takes secrets out of `text`, should a vendor have repeated them.
    pub fn redact(&self, text: &mut String) {
        for secret in &self.secrets {
            if text.contains(secret) {
                *text = text.replace(secret, "[secret]");
            }
        }
    }
}

fn client(dialer: &Arc<Dialer>, connect: Duration) -> HttpClient {
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_CONNECTION)
        .timer(TokioTimer::new())
        .http2_adaptive_window(true)
        .http2_keep_alive_interval(Some(PROBE))
        .http2_keep_alive_timeout(PROBE / 2)
        .build(dialer.connector(connect))
}
