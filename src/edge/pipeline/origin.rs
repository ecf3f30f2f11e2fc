//! Whose pages may ask: names under which the server may be reached, and pages of other origins.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use http::request::Parts;
use http::{Method, StatusCode, Version};

use crate::config;
use crate::http::Reply;
use crate::model::{Error, Kind, Result};

/// What scripts of other origins may read of an answer, beside what they always may.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "X-Request-Id, Request-Id, X-Conversation-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, \
     X-Mortise-Provider, X-Mortise-Model, X-Mortise-Attempts, X-Mortise-Cost, X-Mortise-Estimated, X-Mortise-Cache",
);

/// Names under which a server on a loopback address may be asked while nobody has to show a key.
///
/// A page of another site can give its own name the address 127.0.0.1 and then ask as if it were at home (DNS rebinding).
/// What it can't do is send another name than its own.
pub(super) struct Hosts {
    allowed: Vec<String>,
}

/// Which pages of other origins may ask.
pub(super) struct Cors {
    origins: Origins,
    methods: HeaderValue,
    credentials: bool,
    max_age: HeaderValue,
}

enum Origins {
    None,
    All,
    Some(Vec<Pattern>),
}

/// `https://*.example.com:*`.
struct Pattern {
    scheme: String,
    /// Without its `*.`, if `below`.
    host: String,
    /// Whether names below `host` are meant.
    below: bool,
    port: Port,
}

enum Port {
    Any,
    /// As it is written; nothing is the scheme's own.
    Only(Option<String>),
}

/// A page of another site can make a browser send a form here without asking first, but not `application/json`.
///
/// # Errors
/// If that is what it may be.
pub(super) fn refuse_unasked(headers: &HeaderMap) -> Result<()> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let json = text(CONTENT_TYPE).is_some_and(|value| {
        value.split(';').next().is_some_and(|mime| mime.trim().eq_ignore_ascii_case("application/json"))
    });
    if is_at_home(headers) || json {
        return Ok(());
    }
    Err(Error::caller(
        Kind::UnsupportedMediaType,
        "a request from another site's page must have the Content-Type application/json",
    ))
}

/// Whether the request is no page's, or that of a page of this very server.
fn is_at_home(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    // What can't be read is nobody's own.
    let origin = origin.to_str().unwrap_or_default();
    let here = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(here))
}

// === impl Hosts ===

impl Hosts {
    pub(super) fn new(allowed: &[String]) -> Self {
        Self { allowed: allowed.iter().map(|name| name.to_ascii_lowercase()).collect() }
    }

    /// # Errors
    /// If the request asks for a name that another site may have made up.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<()> {
        let Some(host) = headers.get(HOST) else { return Ok(()) };
        let name = name_of(host.to_str().unwrap_or_default()).to_ascii_lowercase();
        let address = name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
        let local = name == "localhost" || name.ends_with(".localhost");
        if address || local || self.allowed.contains(&name) {
            return Ok(());
        }
        Err(Error::caller(
            Kind::Forbidden,
            "this server may not be asked under this name while no key is needed; add the name to server.allowed_hosts, or set a key",
        ))
    }
}

/// Writes the name that was asked for where everybody looks for it: as `Host`. HTTP/2 and proxies write it beside the path,
/// and that counts.
///
/// # Errors
/// If it isn't clear which name it is: somebody on the way may have understood another one.
pub(super) fn name(parts: &mut Parts) -> Result<()> {
    let beside = parts.uri.authority().map(|authority| HeaderValue::from_str(authority.as_str()));
    let written = parts.headers.get_all(HOST).iter().count();
    if written > 1 || written == 0 && beside.is_none() && parts.version == Version::HTTP_11 {
        return Err(Error::caller(Kind::InvalidValue, "a request has one Host header, and only one"));
    }
    if let Some(name) = beside {
        parts.headers.insert(HOST, name.map_err(Error::internal)?);
    }
    Ok(())
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit()) && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

// === impl Cors ===

impl Cors {
    /// # Errors
    /// Says which origin can't be read, and that `*` and credentials don't go together.
    pub(super) fn new(settings: &config::Cors) -> Result<Self> {
        let wrong = |what: String| Error::internal(format!("server.cors: {what}"));
        let allowed = settings.allowed();
        let origins = match &*allowed {
            _ if !settings.enabled => Origins::None,
            origins if origins.iter().any(|origin| origin == "*") => Origins::All,
            origins => Origins::Some(origins.iter().map(|text| Pattern::parse(text).ok_or_else(|| {
                wrong(format!("`{text}` is no origin; write https://app.example.com, https://*.example.com, http://localhost:* or \"*\""))
            })).collect::<Result<_>>()?),
        };
        if settings.allow_credentials && matches!(origins, Origins::All) {
            return Err(wrong("allow_credentials can't be given to all; name the origins".into()));
        }
        let value = |text: String| HeaderValue::from_str(&text).map_err(|error| wrong(error.to_string()));
        Ok(Self {
            origins,
            methods: value(settings.methods.join(", "))?,
            credentials: settings.allow_credentials,
            max_age: HeaderValue::from(settings.max_age_secs),
        })
    }

    /// The answer to a browser that asks first, if that is what the request is.
    pub(super) fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<Reply> {
        if *method != Method::OPTIONS
            || !headers.contains_key(ORIGIN)
            || !headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        {
            return None;
        }
        let mut reply = Reply::empty(StatusCode::NO_CONTENT);
        if self.allows(headers.get(ORIGIN)) {
            reply.headers.insert(ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
            reply.headers.insert(ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
            if let Some(wanted) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
                reply.headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
            }
        }
        Some(reply)
    }

    /// Tells the browser of `origin` whether its page may read the answer with these headers.
    pub(super) fn tell(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        match self.origins {
            Origins::None => return,
            Origins::All => {}
            // Caches must not hand one page's answer to another.
            Origins::Some(_) => {
                headers.append(VARY, HeaderValue::from_name(ORIGIN));
            }
        }
        let Some(origin) = origin.filter(|origin| self.allows(Some(origin))) else { return };
        let named = if matches!(self.origins, Origins::All) { HeaderValue::from_static("*") } else { origin.clone() };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, named);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        if self.credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }

    /// A browser asks nobody before a page opens a WebSocket, and lets the page read what comes: who may is decided here.
    ///
    /// # Errors
    /// If the page of an origin asks that may not.
    pub(super) fn check_socket(&self, headers: &HeaderMap) -> Result<()> {
        if is_at_home(headers) || self.allows(headers.get(ORIGIN)) {
            return Ok(());
        }
        let what = "a page of this origin may open no WebSocket here; add the origin to server.cors.origins";
        Err(Error::caller(Kind::Forbidden, what))
    }

    fn allows(&self, origin: Option<&HeaderValue>) -> bool {
        let Some(origin) = origin.and_then(|origin| origin.to_str().ok()) else { return false };
        match &self.origins {
            Origins::None => false,
            Origins::All => true,
            Origins::Some(patterns) => patterns.iter().any(|pattern| pattern.matches(origin)),
        }
    }
}

// === impl Pattern ===

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim_end_matches('/').split_once("://")?;
        let (host, port) = split(rest);
        let port = match port {
            Some("*") => Port::Any,
            Some(port) if port.parse::<u16>().is_err() => return None,
            port => Port::Only(port.map(str::to_owned)),
        };
        let (host, below) = host.strip_prefix("*.").map_or((host, false), |host| (host, true));
        let bare = !host.contains(':') || host.starts_with('[') && host.ends_with(']');
        let plain = bare && !host.is_empty() && !host.contains(['*', '/', '@', '?', '#', ' ']);
        plain.then(|| Self { scheme: scheme.to_owned(), host: host.to_ascii_lowercase(), below, port })
    }

    fn matches(&self, origin: &str) -> bool {
        let Some((scheme, rest)) = origin.split_once("://") else { return false };
        let (host, port) = split(rest);
        let host_fits = if self.below {
            host.strip_suffix(&*self.host).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        } else {
            host == self.host
        };
        let port_fits = match &self.port {
            Port::Any => true,
            Port::Only(only) => only.as_deref() == port,
        };
        scheme == self.scheme && host_fits && port_fits
    }
}

/// Host and port.
fn split(authority: &str) -> (&str, Option<&str>) {
    let name = match authority.rsplit_once(':') {
        Some((name, "*")) => name,
        _ => name_of(authority),
    };
    (name, authority.get(name.len() + 1..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_no_page_can_make_up() {
        let hosts = Hosts::new(&["Mortise.example".into()]);
        let ask = |host: &str| hosts.check(&HeaderMap::from_iter([(HOST, host.parse().unwrap())])).is_ok();
        for good in
            ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:80", "[::1]", "app.localhost", "mortise.example:80"]
        {
            assert!(ask(good), "{good}");
        }
        for bad in [
            "evil.example",
            "localhost.evil.example:8080",
            "127.0.0.1.evil.example",
            "xlocalhost",
            "",
            "localhost\u{e9}",
        ] {
            assert!(!ask(bad), "{bad}");
        }
        assert!(hosts.check(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn a_request_has_one_name() {
        let ask = |uri: &str, version: Version, hosts: &[&str]| {
            let mut request = http::Request::builder().uri(uri).version(version);
            for host in hosts {
                request = request.header(HOST, *host);
            }
            let (mut parts, ()) = request.body(()).unwrap().into_parts();
            name(&mut parts).ok()?;
            Some(parts.headers.get(HOST).map(|host| host.to_str().unwrap().to_owned()).unwrap_or_default())
        };
        assert_eq!(ask("/", Version::HTTP_11, &["a"]).as_deref(), Some("a"));
        assert_eq!(ask("http://b/", Version::HTTP_11, &["a"]).as_deref(), Some("b"));
        assert_eq!(ask("http://b/", Version::HTTP_2, &[]).as_deref(), Some("b"));
        assert_eq!(ask("/", Version::HTTP_10, &[]).as_deref(), Some(""));
        assert_eq!(ask("/", Version::HTTP_11, &[]), None);
        assert_eq!(ask("/", Version::HTTP_11, &["a", "b"]), None);
        assert_eq!(ask("/", Version::HTTP_11, &["a", "a"]), None);
    }

    #[test]
    fn patterns_fit_what_they_mean() {
        let fits = |pattern: &str, origin: &str| Pattern::parse(pattern).unwrap().matches(origin);
        for (pattern, origin) in [
            ("http://localhost:*", "http://localhost:5173"),
            ("http://localhost:*", "http://localhost"),
            ("http://[::1]:*", "http://[::1]:3000"),
            ("https://app.example.com", "https://app.example.com"),
            ("https://app.example.com/", "https://app.example.com"),
            ("https://*.example.com", "https://a.b.example.com"),
            ("https://x.example:8443", "https://x.example:8443"),
        ] {
            assert!(fits(pattern, origin), "{pattern} {origin}");
        }
        for (pattern, origin) in [
            ("http://localhost:*", "https://localhost:5173"),
            ("http://localhost:*", "http://localhost.evil.example"),
            ("https://app.example.com", "https://app.example.com:8443"),
            ("https://*.example.com", "https://example.com"),
            ("https://*.example.com", "https://.example.com"),
            ("https://*.example.com", "https://evilexample.com"),
            ("https://x.example", "null"),
        ] {
            assert!(!fits(pattern, origin), "{pattern} {origin}");
        }
        for bad in ["example.com", "https://", "https://*", "https://a.*.com", "https://x:port", "https://x/path"] {
            assert!(Pattern::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn credentials_are_for_named_origins() {
        let settings = config::Cors { origins: vec!["*".into()], allow_credentials: true, ..config::Cors::default() };
        assert!(Cors::new(&settings).is_err());
    }
}
