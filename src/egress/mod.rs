//! The only way out to the network: a pooled client, an address policy after name look-up, credentials put on last.
//!
//! Each worker has connections of its own, because one is driven by the thread that opened it, and waking another thread costs
//! more than opening one.
//!
//! Simplifying assumptions: redirects are not followed (a vendor's API has no use for them, an attacker has); bodies are not
//! compressed (we don't ask for it); proxies are not used.

mod connect;
mod event_stream;
mod frames;
mod lanes;
mod otlp;
mod policy;
mod request;
mod response;
mod sign;
pub mod tool;

use std::collections::HashSet;
use std::sync::Arc;
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
use lanes::{Lanes, Open};

pub use response::{Piece, Response};

/// Connections that nobody uses are closed after this.
const IDLE_CONNECTION: Duration = Duration::from_secs(90);
/// HTTP/2 connections are probed this often, so that a dead one isn't used for minutes.
const PROBE: Duration = Duration::from_secs(20);

type HttpClient = Client<Connector, Full<Bytes>>;

/// The way out. Cheap to clone.
#[derive(Clone)]
pub struct Egress {
    dialer: Arc<Dialer>,
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
    lanes: ThreadLocal<Lanes<HttpClient>>,
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
        let secrets = match &credential {
            Some(request::Credentials::Signature(keys)) => keys.secrets(),
            _ => secret.map(str::to_owned).into_iter().collect(),
        };
        let (name, lanes, dialer) = (name.to_owned(), ThreadLocal::new(), self.dialer.clone());
        Ok(Target { name, base, credential, secrets, timeouts, lanes, dialer })
    }
}

// === impl Target ===

impl Target {
    /// A client that has room for another request.
    fn client(&self) -> (HttpClient, Open) {
        self.lanes.get_or_default().enter(|| client(&self.dialer, self.timeouts.connect))
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
