//! From a host's name to a connection: look-up, address policy, TCP without delay, TLS.

use std::collections::HashSet;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tower_service::Service;

use super::policy;
use crate::model::{Error, Fault, Kind, Result};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type BoxFuture<T> = Pin<Box<dyn Future<Output = std::result::Result<T, BoxError>> + Send>>;

/// TCP's own probes notice a vendor that is gone without a word.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);
/// How long what was sent may stay unacknowledged, where the system can bound it.
#[cfg(target_os = "linux")]
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(30);

/// What all connections share.
pub(super) struct Dialer {
    resolver: Resolver,
    tls: ClientConfig,
}

/// Looks names up, and lets through only addresses that may be reached.
#[derive(Clone)]
pub(super) struct Resolver {
    names: Arc<dyn Names>,
    allowed: Arc<Allowed>,
}

/// What may be reached though it is not public.
#[derive(Debug, Default)]
pub(super) struct Allowed {
    /// Hosts that the operator named, whatever their addresses.
    pub(super) named: HashSet<String>,
    /// Networks that the operator named.
    pub(super) networks: Vec<IpNet>,
}

/// Knows the addresses of hosts.
pub(super) trait Names: Send + Sync {
    /// Those of `host`, whatever they are.
    fn look_up<'a>(&'a self, host: &'a str) -> LookUp<'a>;
}

type LookUp<'a> = Pin<Box<dyn Future<Output = std::result::Result<Vec<IpAddr>, BoxError>> + Send + 'a>>;

/// The system's name servers, if it has some.
struct Dns(Option<TokioResolver>);

/// Connects within a time-out: look-up, TCP and TLS together.
#[derive(Clone)]
pub(super) struct Connector {
    inner: HttpsConnector<HttpConnector<Resolver>>,
    within: Duration,
}

/// A connection took too long.
#[derive(Debug, thiserror::Error)]
#[error("no connection within {} ms", .0.as_millis())]
pub(super) struct ConnectTimeout(Duration);

/// An address may not be reached.
#[derive(Debug, thiserror::Error)]
#[error("{host} is {what} ({address})")]
pub(super) struct AddressRefused {
    pub(super) host: String,
    pub(super) address: IpAddr,
    pub(super) what: &'static str,
}

/// The error of a provider that may not reach its address; whoever configures the server can mend it, the caller can't, and
/// learns nothing of the network that the server stands in.
pub(super) fn refused(provider: &str, error: &AddressRefused) -> Error {
    Error::new(
        Kind::Unavailable,
        Fault::Us,
        format!(
            "provider `{provider}` may not reach its vendor's address, which is not public; name the host in \
             providers.{provider}.base_url to allow it"
        ),
    )
    .with_private(error)
}

// === impl Dialer ===

impl Dialer {
    pub(super) fn new(named: HashSet<String>, ca_file: Option<&Path>) -> Result<Self> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(path) = ca_file {
            let unusable = |why: String| {
                Error::new(Kind::Internal, Fault::Us, format!("egress.ca_file {}: {why}", path.display()))
            };
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(error.to_string()))? {
                let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
                roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
            }
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::internal)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let dns = TokioResolver::builder_tokio().and_then(|builder| builder.build());
        let dns = dns
            .inspect_err(
                |error| tracing::warn!(%error, "the system's name servers are unknown; only addresses can be reached"),
            )
            .ok();
        let allowed = Allowed { named, networks: Vec::new() };
        Ok(Self { resolver: Resolver { names: Arc::new(Dns(dns)), allowed: Arc::new(allowed) }, tls })
    }

    /// The same way out, to other addresses.
    pub(super) fn allowing(&self, allowed: Allowed) -> Self {
        let resolver = Resolver { names: self.resolver.names.clone(), allowed: Arc::new(allowed) };
        Self { resolver, tls: self.tls.clone() }
    }

    /// The same with other names.
    #[cfg(test)]
    pub(super) fn naming(&self, names: Arc<dyn Names>) -> Self {
        Self { resolver: Resolver { names, allowed: self.resolver.allowed.clone() }, tls: self.tls.clone() }
    }

    /// Whether `host`, if it is written as an address, may be reached.
    pub(super) fn admit_literal(&self, host: &str) -> std::result::Result<(), AddressRefused> {
        match host.trim_matches(['[', ']']).parse() {
            Ok(address) => self.resolver.admit(host, address),
            Err(_) => Ok(()),
        }
    }

    /// Refuses a host that is written as an address which only an operator may name.
    pub(super) fn check_literal(&self, provider: &str, host: &str) -> Result<()> {
        self.admit_literal(host).map_err(|error| refused(provider, &error))
    }

    /// For clients of other makes.
    pub(super) fn tls(&self) -> ClientConfig {
        self.tls.clone()
    }

    /// See [`Dialer::tls`].
    pub(super) fn resolver(&self) -> Resolver {
        self.resolver.clone()
    }

    pub(super) fn connector(&self, within: Duration) -> Connector {
        let mut http = HttpConnector::new_with_resolver(self.resolver.clone());
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_keepalive(Some(TCP_KEEPALIVE));
        #[cfg(target_os = "linux")]
        http.set_tcp_user_timeout(Some(TCP_USER_TIMEOUT));
        let inner = HttpsConnectorBuilder::new()
            .with_tls_config(self.tls.clone())
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(http);
        Connector { inner, within }
    }
}

// === impl Resolver ===

impl Resolver {
    /// The addresses of `host`, whatever they are: for hosts that only an operator names.
    pub(super) async fn look_up(&self, host: &str) -> std::result::Result<Vec<SocketAddr>, BoxError> {
        let found = self.names.look_up(host).await?;
        Ok(found.into_iter().map(|address| SocketAddr::new(address, 0)).collect())
    }

    fn admit(&self, host: &str, address: IpAddr) -> std::result::Result<(), AddressRefused> {
        match policy::refusal(address) {
            Some(what) if !self.allowed.admits(host, address) => {
                Err(AddressRefused { host: host.to_owned(), address, what })
            }
            _ => Ok(()),
        }
    }
}

// === impl Allowed ===

impl Allowed {
    fn admits(&self, host: &str, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.named.contains(host) || self.networks.iter().any(|network| network.contains(&address))
    }
}

// === impl Dns ===

impl Names for Dns {
    fn look_up<'a>(&'a self, host: &'a str) -> LookUp<'a> {
        Box::pin(async move {
            let dns = self.0.as_ref().ok_or("no name server is known")?;
            Ok(dns.lookup_ip(host).await?.iter().collect())
        })
    }
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = BoxFuture<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::result::Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolver = self.clone();
        Box::pin(async move {
            let host = name.as_str();
            let mut refused = None;
            let mut addresses = Vec::new();
            for address in resolver.look_up(host).await? {
                match resolver.admit(host, address.ip()) {
                    Ok(()) => addresses.push(address),
                    Err(error) => refused = Some(error),
                }
            }
            match (addresses.is_empty(), refused) {
                (true, Some(refused)) => Err(refused.into()),
                (true, None) => Err(format!("{host} has no address").into()),
                // The connection goes to these addresses and no others, whatever the name means a moment later.
                (false, _) => Ok(addresses.into_iter()),
            }
        })
    }
}

// === impl Connector ===

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = BoxFuture<Self::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<std::result::Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (connecting, within) = (self.inner.call(uri), self.within);
        Box::pin(async move { tokio::time::timeout(within, connecting).await.map_err(|_| ConnectTimeout(within))? })
    }
}
