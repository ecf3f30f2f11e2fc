//! A guest's request as it goes out: under the base URL, without headers that are the host's, with the credential.

use std::time::SystemTime;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Uri};
use http_body_util::Full;

use super::sign::Keys;
use crate::model::provider::{Credential, HttpRequest};
use crate::model::trace::TraceContext;
use crate::model::{Error, Fault, Kind, Result};

/// Headers that only the host sets: the connection's, the credential's, and the trace's.
const OURS: [&str; 19] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "accept-encoding",
    "authorization",
    "proxy-authorization",
    "proxy-connection",
    "cookie",
    "forwarded",
    "x-forwarded-for",
    "traceparent",
    "tracestate",
    "baggage",
];

/// Who calls, for vendors' statistics.
pub(super) const USER_AGENT: &str = concat!("mortise/", env!("CARGO_PKG_VERSION"));

/// Where a vendor is: everything before a request's path.
#[derive(Debug)]
pub(super) struct Base {
    scheme: Scheme,
    authority: Authority,
    /// Without a slash at its end.
    path: String,
    pub(super) host: String,
}

/// A secret and where it goes.
pub(super) enum Credentials {
    Header(HeaderName, HeaderValue),
    /// Name and value, encoded.
    Query(String),
    /// Of the whole request.
    Signature(Keys),
}

// === impl Base ===

impl Base {
    pub(super) fn parse(provider: &str, text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Error::new(
                Kind::Internal,
                Fault::Us,
                format!("provider `{provider}`: base_url {why}; write https://host/path"),
            )
        };
        let url = url::Url::parse(text).map_err(|error| wrong(&format!("is no URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("must begin with http:// or https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("must not hold a password; use api_key"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("must not hold a query"));
        }
        let host = url.host_str().ok_or_else(|| wrong("has no host"))?.to_owned();
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.clone(),
        };
        Ok(Self {
            scheme: if url.scheme() == "https" { Scheme::HTTPS } else { Scheme::HTTP },
            authority: authority.parse().map_err(|_| wrong("has no usable host"))?,
            path: url.path().trim_end_matches('/').to_owned(),
            host,
        })
    }

    pub(super) fn server(&self) -> (&str, u16) {
        let usual = if self.scheme == Scheme::HTTPS { 443 } else { 80 };
        (&self.host, self.authority.port_u16().unwrap_or(usual))
    }

    fn join(&self, path: &str, query: Option<&str>) -> Option<Uri> {
        let sound = path.starts_with('/')
            && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#')
            && !has_dots(path.split_once('?').map_or(path, |(before, _)| before));
        if !sound {
            return None;
        }
        let separator = if path.contains('?') { '&' } else { '?' };
        let whole = match query {
            Some(query) => format!("{}{path}{separator}{query}", self.path),
            None => format!("{}{path}", self.path),
        };
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::from_maybe_shared(Bytes::from(whole)).ok()?);
        Uri::from_parts(parts).ok()
    }
}

/// Whether a segment of `path` is `.` or `..`, also in disguise: servers differ in what they decode, and in what they take
/// for the end of a segment.
pub(super) fn has_dots(path: &str) -> bool {
    let plain = path.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "\\");
    plain.split(['/', '\\']).any(|segment| matches!(segment.split(';').next(), Some("." | "..")))
}

// === impl Credentials ===

impl Credentials {
    pub(super) fn new(place: &Credential, secret: Option<&str>) -> std::result::Result<Option<Self>, String> {
        let Some(secret) = secret else { return Ok(None) };
        let header = |name: HeaderName, value: String| {
            let mut value =
                HeaderValue::from_str(&value).map_err(|_| "its key can't be put into a header".to_owned())?;
            value.set_sensitive(true);
            Ok(Some(Self::Header(name, value)))
        };
        match place {
            Credential::None => Ok(None),
            Credential::Bearer => header(AUTHORIZATION, format!("Bearer {secret}")),
            Credential::Header(name) => {
                let name =
                    name.parse().map_err(|_| format!("its plugin wants its key in `{name}`, which is no header"))?;
                header(name, secret.to_owned())
            }
            Credential::SigV4 { service, region } => {
                Keys::parse(secret, service, region).map(Self::Signature).map(Some)
            }
            Credential::Query(name) => Ok(Some(Self::Query(
                url::form_urlencoded::Serializer::new(String::new()).append_pair(name, secret).finish(),
            ))),
        }
    }
}

/// The request on the wire, as it is sent at `now`.
pub(super) fn build(
    provider: &str,
    base: &Base,
    credentials: Option<&Credentials>,
    request: HttpRequest,
    now: SystemTime,
) -> Result<Request<Full<Bytes>>> {
    let breach = |what: String| {
        Error::new(Kind::Plugin, Fault::Plugin, format!("the plugin of provider `{provider}` was stopped: {what}"))
    };
    let query = match credentials {
        Some(Credentials::Query(query)) => Some(query.as_str()),
        _ => None,
    };
    let uri = base.join(&request.path, query).ok_or_else(|| {
        breach(format!("it asked for the path {:?}, which isn't one below its base URL", request.path))
    })?;
    let method = Method::from_bytes(request.method.as_bytes())
        .ok()
        .filter(|method| *method != Method::CONNECT && *method != Method::TRACE)
        .ok_or_else(|| breach(format!("it asked for the method {:?}", request.method)))?;
    let body = Bytes::from(request.body);
    let mut out = Request::new(Full::new(body.clone()));
    *out.method_mut() = method;
    *out.uri_mut() = uri;
    let headers = out.headers_mut();
    for (name, value) in &request.headers {
        let name: HeaderName =
            name.parse().map_err(|_| breach(format!("it set the header {name:?}, which is none")))?;
        if OURS.contains(&name.as_str()) {
            return Err(breach(format!("it set the header `{name}`, which is the host's; leave it out")));
        }
        let value = HeaderValue::from_str(value)
            .map_err(|_| breach(format!("it set `{name}` to a value that no header can have")))?;
        headers.append(name, value);
    }
    headers.entry(http::header::USER_AGENT).or_insert(HeaderValue::from_static(USER_AGENT));
    match credentials {
        Some(Credentials::Header(name, value)) => drop(headers.insert(name.clone(), value.clone())),
        Some(Credentials::Signature(keys)) => keys.sign(&mut out, &body, now)?,
        _ => {}
    }
    Ok(out)
}

/// Tells the vendor the trace that the request belongs to.
pub(super) fn propagate(request: &mut Request<Full<Bytes>>, trace: &TraceContext) {
    let parent = HeaderValue::try_from(trace.parent()).ok();
    let state = trace.state.as_deref().and_then(|state| HeaderValue::from_str(state).ok());
    for (name, value) in [("traceparent", parent), ("tracestate", state)] {
        if let Some(value) = value {
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(base: &str, path: &str) -> Option<String> {
        Base::parse("p", base).unwrap().join(path, None).map(|uri| uri.to_string())
    }

    #[test]
    fn a_path_stays_below_the_base() {
        assert_eq!(joined("https://a.example/v1/", "/chat").as_deref(), Some("https://a.example/v1/chat"));
        assert_eq!(
            joined("https://a.example", "//evil.example/x").as_deref(),
            Some("https://a.example//evil.example/x")
        );
        assert_eq!(joined("https://a.example:8443/v1", "/m?x=1").as_deref(), Some("https://a.example:8443/v1/m?x=1"));
        for path in ["/a..b", "/...", "/v1;x/..y", "/a%2fb", "/x?next=/../y"] {
            assert_eq!(joined("https://a.example", path), Some(format!("https://a.example{path}")));
        }
        for path in [
            "",
            "chat",
            "@evil.example",
            "/../x",
            "/a/..",
            "/%2e%2E/x",
            "/a\\..\\b",
            "/a b",
            "/a#b",
            "/a\r\nHost: x",
            "/./x",
            "/..%2fadmin",
            "/a%2F..",
            "/%2e%2e%5cx",
            "/x%5C.%2E",
            "/..;/admin",
            "/a/%2e%2e;v=1",
            "/..?x=1",
        ] {
            assert_eq!(joined("https://a.example/v1", path), None, "{path:?}");
        }
    }

    #[test]
    fn a_base_is_an_origin_and_a_path() {
        for text in ["ftp://a.example", "https://user:pw@a.example", "https://a.example/?q=1", "a.example", "https://"]
        {
            assert!(Base::parse("p", text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_hosts_headers_are_refused_and_the_credential_goes_on_last() {
        let base = Base::parse("p", "https://a.example").unwrap();
        let request = |headers: Vec<(String, String)>| HttpRequest {
            method: "POST".into(),
            path: "/x".into(),
            headers,
            body: Vec::new(),
            framing: crate::model::provider::Framing::Whole,
        };
        for name in
            ["Host", "authorization", "Transfer-Encoding", "content-length", "Traceparent", "tracestate", "baggage"]
        {
            let error =
                build("p", &base, None, request(vec![(name.into(), "x".into())]), SystemTime::UNIX_EPOCH).unwrap_err();
            assert!(error.public().contains("leave it out"), "{error}");
        }
        let credentials = Credentials::new(&Credential::Header("x-api-key".into()), Some("secret")).unwrap();
        let built = build(
            "p",
            &base,
            credentials.as_ref(),
            request(vec![("X-Api-Key".into(), "guess".into())]),
            SystemTime::UNIX_EPOCH,
        )
        .unwrap();
        assert_eq!(built.headers().get_all("x-api-key").iter().collect::<Vec<_>>(), ["secret"]);
        assert!(!format!("{built:?}").contains("secret"));
        let credentials = Credentials::new(&Credential::Query("key".into()), Some("s&t")).unwrap();
        let built = build("p", &base, credentials.as_ref(), request(Vec::new()), SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(built.uri().to_string(), "https://a.example/x?key=s%26t");
    }
}
