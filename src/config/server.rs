//! `server`: where it listens, who may come in, and what bounds connections and requests.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize};

use super::auth::Auth;
use super::rate::RateLimit;
use super::units::{byte_size, duration, or_default};
use super::websocket::WebSocket;

/// `server`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// The address to listen on.
    pub host: IpAddr,
    /// 0 asks the system for a free one.
    pub port: u16,
    /// Listeners in place of `host` and `port`.
    pub listen: Vec<Listen>,
    /// Certificates.
    #[serde(deserialize_with = "or_default")]
    pub ssl: Ssl,
    /// Lets a second process listen on the same port, and take it over.
    pub reuse_port: bool,
    /// Threads that serve requests; 0 is one a core.
    pub workers: usize,
    /// A word for `/health`.
    pub environment: String,
    /// Who may come in.
    #[serde(deserialize_with = "or_default")]
    pub auth: Auth,
    /// How often who may come in may ask.
    #[serde(deserialize_with = "or_default")]
    pub rate_limit: RateLimit,
    /// Whose pages may ask.
    #[serde(deserialize_with = "or_default")]
    pub cors: Cors,
    /// Bodies that are worth it.
    #[serde(deserialize_with = "or_default")]
    pub compression: Compression,
    /// What bounds WebSockets.
    #[serde(deserialize_with = "or_default")]
    pub websocket: WebSocket,
    /// Names under which the server may be reached on a loopback address while nobody is asked who they are.
    pub allowed_hosts: Vec<String>,
    /// Networks whose word on the caller's address is taken: `X-Forwarded-For`, `Forwarded`.
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// Which of the two is read: the one that the proxies set, and don't just pass on.
    pub trusted_header: AddressHeader,
    /// Connections at once.
    pub max_connections: usize,
    /// Connections at once of one address, or of one /64 network of IPv6; trusted proxies may have more.
    pub max_connections_per_address: usize,
    /// Requests at once of one HTTP/2 connection.
    pub max_concurrent_streams: u32,
    /// The longest head of a request.
    #[serde(with = "byte_size")]
    pub max_header_bytes: usize,
    /// Headers of a request.
    pub max_headers: usize,
    /// The longest request body.
    #[serde(with = "byte_size")]
    pub max_request_body_bytes: usize,
    /// What the bodies of all requests in progress may hold together.
    #[serde(with = "byte_size")]
    pub max_body_memory: usize,
    /// Requests at once, streams included.
    pub max_concurrent_requests: usize,
    /// Requests that may wait until there are fewer.
    pub queue_length: usize,
    /// For how long.
    #[serde(with = "duration")]
    pub queue_timeout: Duration,
    /// How long TLS may take to agree.
    pub handshake_timeout_secs: u64,
    /// How long a caller may take to send a request's head, and then its body.
    pub read_timeout_secs: u64,
    /// How long a caller may take nothing of what is sent.
    pub write_timeout_secs: u64,
    /// How long a connection may be without a request.
    pub idle_timeout_secs: u64,
    /// How long a request may go without the beginning of an answer.
    pub request_timeout_secs: u64,
    /// How long the server is not ready, but goes on accepting, after a signal to stop.
    pub shutdown_delay_secs: u64,
    /// How long requests in flight may go on after a signal to stop.
    pub shutdown_timeout_secs: u64,
    /// How long a stream may be silent before a comment keeps it alive.
    pub keep_alive_secs: u64,
}

/// One of `server.listen`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// Address and port.
    pub address: SocketAddr,
    /// Whether it speaks TLS; as `server.ssl.enabled` says where left out.
    #[serde(default)]
    pub ssl: Option<bool>,
    /// Whether every connection begins with the PROXY protocol (version 1 or 2).
    #[serde(default)]
    pub proxy_protocol: bool,
}

/// `server.ssl`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ssl {
    /// Whether `host` and `port` speak TLS.
    pub enabled: bool,
    /// A PEM file of the certificate and its chain; read again when it changes.
    pub cert: Option<PathBuf>,
    /// A PEM file of its key.
    pub key: Option<PathBuf>,
    /// A PEM file of the authorities that callers' certificates come from.
    pub client_ca: Option<PathBuf>,
    /// Whether callers must show a certificate.
    pub client_auth: ClientAuth,
    /// The oldest version that is spoken.
    pub min_version: TlsVersion,
}

/// Whether callers must show a certificate.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ClientAuth {
    /// They are not asked.
    None,
    /// They may; a bad one is refused.
    Optional,
    /// They must.
    Required,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(try_from = "WrittenVersion")]
#[expect(missing_docs, reason = "the names explain themselves")]
pub enum TlsVersion {
    #[serde(rename = "1.2")]
    V1_2,
    #[serde(rename = "1.3")]
    V1_3,
}

/// As people write it: without quotes it is a number, in the environment always.
#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenVersion {
    Text(String),
    Number(f64),
}

/// Where proxies write whom they speak for.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are those of the headers")]
pub enum AddressHeader {
    XForwardedFor,
    Forwarded,
}

/// `server.cors`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cors {
    /// Whether pages of other origins may ask at all.
    pub enabled: bool,
    /// Whose: `https://app.example.com`, `https://*.example.com`, `http://localhost:*`, or `*` for all.
    pub origins: Vec<String>,
    /// With which methods.
    pub methods: Vec<String>,
    /// Whether with cookies and the browser's own credentials; never together with `*`.
    pub allow_credentials: bool,
    /// How long a browser may remember the answer.
    pub max_age_secs: u64,
}

/// `server.compression`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Compression {
    /// Whether answers are compressed for who can read it.
    pub enabled: bool,
    /// From which size on.
    #[serde(with = "byte_size")]
    pub min_bytes: usize,
}

// === defaults ===

impl Default for Server {
    fn default() -> Self {
        Self {
            host: IpAddr::from([127, 0, 0, 1]),
            port: 8080,
            listen: Vec::new(),
            ssl: Ssl::default(),
            reuse_port: false,
            workers: 0,
            environment: "production".into(),
            auth: Auth::default(),
            rate_limit: RateLimit::default(),
            cors: Cors::default(),
            compression: Compression::default(),
            websocket: WebSocket::default(),
            allowed_hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            trusted_header: AddressHeader::XForwardedFor,
            max_connections: 10_000,
            max_connections_per_address: 1000,
            max_concurrent_streams: 128,
            max_header_bytes: 64 << 10,
            max_headers: 100,
            max_request_body_bytes: 10 << 20,
            max_body_memory: 512 << 20,
            max_concurrent_requests: 1000,
            queue_length: 500,
            queue_timeout: Duration::from_secs(1),
            handshake_timeout_secs: 10,
            read_timeout_secs: 30,
            write_timeout_secs: 60,
            idle_timeout_secs: 120,
            request_timeout_secs: 300,
            shutdown_delay_secs: 0,
            shutdown_timeout_secs: 30,
            keep_alive_secs: 15,
        }
    }
}

impl Default for Ssl {
    fn default() -> Self {
        Self {
            enabled: false,
            cert: None,
            key: None,
            client_ca: None,
            client_auth: ClientAuth::None,
            min_version: TlsVersion::V1_2,
        }
    }
}

impl TryFrom<WrittenVersion> for TlsVersion {
    type Error = String;

    fn try_from(written: WrittenVersion) -> Result<Self, String> {
        let written = match written {
            WrittenVersion::Text(text) => text,
            WrittenVersion::Number(number) => number.to_string(),
        };
        match written.as_str() {
            "1.2" => Ok(Self::V1_2),
            "1.3" => Ok(Self::V1_3),
            _ => Err(format!("`{written}` is no version of TLS that is spoken here; write \"1.2\" or \"1.3\"")),
        }
    }
}

impl Default for Cors {
    fn default() -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            enabled: true,
            origins: texts(&["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"]),
            methods: texts(&["GET", "POST", "PUT", "PATCH", "DELETE"]),
            allow_credentials: false,
            max_age_secs: 300,
        }
    }
}

impl Default for Compression {
    fn default() -> Self {
        Self { enabled: true, min_bytes: 1 << 10 }
    }
}

/// Networks, and single addresses.
fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let read = |text: &String| {
        let single = || text.parse::<IpAddr>().ok().map(IpNet::from);
        text.parse()
            .ok()
            .or_else(single)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no network; write 10.0.0.0/8 or 192.0.2.1")))
    };
    Vec::<String>::deserialize(deserializer)?.iter().map(read).collect()
}

// === impl Server ===

impl Server {
    /// # Errors
    /// Names the time-out that is none: 0, or longer than a year.
    pub(super) fn check(&self) -> Result<(), String> {
        self.auth.check()?;
        const YEAR: u64 = 366 * 24 * 60 * 60;
        let waits = [
            ("handshake_timeout_secs", self.handshake_timeout_secs, 1),
            ("read_timeout_secs", self.read_timeout_secs, 1),
            ("write_timeout_secs", self.write_timeout_secs, 1),
            ("idle_timeout_secs", self.idle_timeout_secs, 1),
            ("request_timeout_secs", self.request_timeout_secs, 1),
            ("keep_alive_secs", self.keep_alive_secs, 1),
            ("shutdown_delay_secs", self.shutdown_delay_secs, 0),
            ("shutdown_timeout_secs", self.shutdown_timeout_secs, 0),
        ];
        match waits.into_iter().find(|(_, seconds, least)| !(*least..=YEAR).contains(seconds)) {
            Some((key, seconds, least)) => {
                Err(format!("`server.{key}`: {seconds} is out of range; write {least} to {YEAR} seconds"))
            }
            None => Ok(()),
        }
    }

    /// Every listener: `listen`, or the one of `host` and `port`.
    pub fn listeners(&self) -> Vec<Listen> {
        if self.listen.is_empty() {
            let address = SocketAddr::new(self.host, self.port);
            return vec![Listen { address, ssl: None, proxy_protocol: false }];
        }
        self.listen.clone()
    }

    /// Whether `listen` speaks TLS.
    pub fn speaks_tls(&self, listen: &Listen) -> bool {
        listen.ssl.unwrap_or(self.ssl.enabled)
    }
}

// === impl Cors ===

impl Cors {
    /// `origins`, or those of the variable `CORS_ORIGINS`.
    pub fn allowed(&self) -> Vec<String> {
        match super::load::variable("CORS_ORIGINS") {
            Some(list) => {
                list.split(',').map(|origin| origin.trim().to_owned()).filter(|one| !one.is_empty()).collect()
            }
            None => self.origins.clone(),
        }
    }
}
