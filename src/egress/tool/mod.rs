//! A tool's way out: what its guests ask of `wasi:http`, as far as it is granted.
//!
//! Each request is a new one here, also one that follows a redirect: the host follows none. Its address is read as a browser
//! would read it, so that no odd notation says one thing to us and another to a server; scheme, host, port and path must be
//! among those that the plugin asked for and among those that the operator allows; after the look-up, an address that is not
//! public is refused unless the operator named its network, and the connection goes to the addresses that were checked.
//! Credentials are put on last, only where they are bound to, and are taken out of what comes back.

mod budget;
mod leak;
mod receive;
mod refusal;
mod rule;

#[cfg(test)]
mod tests;

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, HOST, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Request, Response, Uri};
use http_body::Body;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use ipnet::IpNet;
use thread_local::ThreadLocal;
use tokio::time::timeout;
use url::Url;

use super::connect::{AddressRefused, Allowed, ConnectTimeout, Connector, Dialer};
use super::lanes::Lanes;
use super::request::{self, Credentials};
use super::{Egress, IDLE_CONNECTION};
use crate::config::Timeouts;
use crate::model::provider::Credential;
use crate::model::{Error, Result};

pub use self::budget::Budget;
use self::leak::Secrets;
pub use self::refusal::Refusal;
use self::rule::Rule;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type RequestBody = UnsyncBoxBody<Bytes, BoxError>;

/// A body as a tool may read it.
pub type ToolBody = UnsyncBoxBody<Bytes, Refusal>;

/// The way out of one version of a tool plugin.
pub struct Door {
    plugin: String,
    asked: Vec<Rule>,
    allowed: Vec<Rule>,
    bound: Vec<Bound>,
    secrets: Arc<Secrets>,
    timeouts: Timeouts,
    dialer: Dialer,
    lanes: ThreadLocal<Lanes<Client<Connector, RequestBody>>>,
}

/// What a plugin may reach, and with what.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// Hosts that it asked for.
    pub asked: Vec<String>,
    /// Hosts that the operator allows.
    pub allowed: Vec<String>,
    /// Networks that are not public, and that those hosts may be in.
    pub networks: Vec<IpNet>,
    /// Credentials.
    pub secrets: Vec<Secret>,
}

/// A credential, where it goes, and the only requests that it is put on.
#[derive(Clone)]
pub struct Secret {
    /// Its name, for the operator.
    pub name: String,
    /// The origin, and maybe the beginning of the path.
    pub host: String,
    /// Where it goes.
    pub place: Credential,
    /// What it is.
    pub value: String,
}

struct Bound {
    rule: Rule,
    credentials: Credentials,
}

/// How long a guest wants to wait; the operator may want it shorter.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the response's head.
    pub head: Duration,
    /// For more of its body.
    pub idle: Duration,
}

/// Headers that only the host sets: those of the connection, and of whom the request comes through.
const OURS: [&str; 19] = [
    "connection",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "traceparent",
];

/// Whether only the host sets `name`.
pub fn is_ours(name: &HeaderName) -> bool {
    OURS.contains(&name.as_str())
}

// === impl Egress ===

impl Egress {
    /// The way out of plugin `id`, as far as `reach` goes, within `timeouts`.
    ///
    /// # Errors
    /// Names what of `reach` can't be used.
    pub fn door(&self, id: &str, reach: &Reach, timeouts: Timeouts) -> Result<Door> {
        Door::new(&self.dialer, id, reach, timeouts)
    }
}

// === impl Door ===

impl Door {
    fn new(dialer: &Dialer, id: &str, reach: &Reach, timeouts: Timeouts) -> Result<Self> {
        let wrong = |what: String| Error::internal(format!("plugins.grants.{id}.{what}"));
        let rules = |list: &[String]| -> Result<Vec<Rule>> {
            list.iter().map(|text| Rule::parse(text).map_err(|why| wrong(format!("hosts: `{text}` {why}")))).collect()
        };
        let (asked, allowed) = (rules(&reach.asked)?, rules(&reach.allowed)?);
        let mut bound = Vec::new();
        for secret in &reach.secrets {
            let broken = |why: &str| wrong(format!("secrets.{}: {why}", secret.name));
            let rule = Rule::parse(&secret.host).map_err(|why| broken(&format!("host {why}")))?;
            if rule.is_open() {
                return Err(broken("a credential is bound to one host; name it without a star"));
            }
            let credentials = Credentials::new(&secret.place, Some(&secret.value)).map_err(|why| broken(&why))?;
            bound.extend(credentials.map(|credentials| Bound { rule, credentials }));
        }
        // Who writes an address means that address.
        let named = allowed.iter().filter_map(Rule::address).collect();
        Ok(Self {
            plugin: id.to_owned(),
            asked,
            allowed,
            bound,
            secrets: Arc::new(Secrets::new(reach.secrets.iter().map(|secret| (&*secret.name, &*secret.value)))),
            timeouts,
            dialer: dialer.allowing(Allowed { named, networks: reach.networks.clone() }),
            lanes: ThreadLocal::new(),
        })
    }

    /// Sends one request, if it may be sent, and waits for the response's head.
    ///
    /// # Errors
    /// Why it wasn't sent, or came to nothing.
    pub async fn send<B>(
        &self,
        request: Request<B>,
        budget: &Arc<Budget>,
        patience: Patience,
    ) -> Result<Response<ToolBody>, Refusal>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let url = self.admit(&request)?;
        budget.request()?;
        let request = self.dress(request, &url, budget)?;
        let (client, open) = self.lanes.get_or_default().enter(|| client(&self.dialer, self.timeouts.connect));
        let within = patience.head.min(self.timeouts.head);
        let sent = timeout(within.saturating_add(patience.connect.min(self.timeouts.connect)), client.request(request));
        let response = sent.await.map_err(|_| Refusal::Late)?.map_err(|error| self.unreachable(&error))?;
        self.receive(response, open, budget.clone(), patience.idle.min(self.timeouts.idle))
    }

    /// The address that is asked for, if it is granted.
    fn admit<B>(&self, request: &Request<B>) -> Result<Url, Refusal> {
        let malformed = |what: &str| Refusal::Malformed(format!("plugin `{}` asked for {what}", self.plugin));
        if [Method::CONNECT, Method::TRACE].contains(request.method()) {
            return Err(malformed("a method that is not sent for tools: CONNECT or TRACE"));
        }
        let text = request.uri().to_string();
        let url = Url::parse(&text).map_err(|error| malformed(&format!("an address that is none: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(malformed("an address with a password in it; credentials are bound under secrets"));
        }
        if request::has_dots(url.path()) {
            return Err(malformed("a path that climbs"));
        }
        let Some(host) = url.host_str() else { return Err(malformed("an address without a host")) };
        if !self.asked.iter().any(|rule| rule.fits(&url)) {
            return Err(Refusal::Host(format!(
                "plugin `{}` may not reach {}, which its manifest doesn't ask for; only its author can mend that",
                self.plugin,
                place(&url)
            )));
        }
        if !self.allowed.iter().any(|rule| rule.fits(&url)) {
            let (id, place) = (&self.plugin, place(&url));
            return Err(Refusal::Host(format!(
                "plugin `{id}` may not reach {place}; add it to plugins.grants.{id}.hosts"
            )));
        }
        self.dialer.admit_literal(host).map_err(|error| self.refused(&error))?;
        Ok(url)
    }

    /// The request as it goes out: at the address that was checked, without headers that are the host's, with credentials.
    fn dress<B>(&self, request: Request<B>, url: &Url, budget: &Budget) -> Result<Request<RequestBody>, Refusal>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let malformed = |what: &str| Refusal::Malformed(format!("plugin `{}` asked for {what}", self.plugin));
        let (mut parts, body) = request.into_parts();
        let mut url = url.clone();
        url.set_fragment(None);
        parts.headers.remove(HOST);
        if let Some(name) = parts.headers.keys().find(|name| is_ours(name)) {
            return Err(malformed(&format!("the header `{name}`, which is the host's")));
        }
        let mut secret = false;
        let asked = url.clone();
        for bound in self.bound.iter().filter(|bound| bound.rule.fits(&asked)) {
            secret = true;
            match &bound.credentials {
                Credentials::Header(name, value) => drop(parts.headers.insert(name.clone(), value.clone())),
                Credentials::Query(query) => {
                    let own = url.query().filter(|own| !own.is_empty()).map(|own| format!("{own}&"));
                    let whole = format!("{}{query}", own.unwrap_or_default());
                    url.set_query(Some(&whole));
                }
                // It would have to be of the whole body, which is still being written.
                Credentials::Signature(_) => {}
            }
        }
        if secret {
            // What is compressed can't be searched.
            parts.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        parts.headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(request::USER_AGENT));
        parts.uri = Uri::try_from(url.as_str()).map_err(|_| malformed("an address that can't be sent"))?;
        parts.version = http::Version::HTTP_11;
        let body = Limited::new(body.map_err(Into::into), budget.upload()).boxed_unsync();
        Ok(Request::from_parts(parts, body))
    }

    fn refused(&self, error: &AddressRefused) -> Refusal {
        let AddressRefused { host, address, what } = error;
        Refusal::Address(format!(
            "plugin `{}` may not reach {host}, which is {what} ({address}); if it must, add its network to \
             plugins.grants.{}.networks",
            self.plugin, self.plugin
        ))
    }

    fn unreachable(&self, error: &hyper_util::client::legacy::Error) -> Refusal {
        let mut cause = error.source();
        let mut words = error.to_string();
        while let Some(inner) = cause {
            if let Some(refused) = inner.downcast_ref::<AddressRefused>() {
                return self.refused(refused);
            }
            if inner.downcast_ref::<ConnectTimeout>().is_some() {
                return Refusal::ConnectLate;
            }
            if inner.downcast_ref::<http_body_util::LengthLimitError>().is_some() {
                let what = format!("plugin `{}` sent more than it may; raise plugins.limits.call_bytes", self.plugin);
                return Refusal::Limit(what);
            }
            words = format!("{words}: {inner}");
            cause = inner.source();
        }
        Refusal::Unreachable(words)
    }
}

/// Scheme, host and port, for a person.
fn place(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

fn client(dialer: &Dialer, connect: Duration) -> Client<Connector, RequestBody> {
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_CONNECTION)
        .timer(TokioTimer::new())
        .build(dialer.connector(connect))
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret").field("name", &self.name).field("host", &self.host).finish_non_exhaustive()
    }
}
