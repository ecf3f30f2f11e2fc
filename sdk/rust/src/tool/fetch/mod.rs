//! The web, as far as the operator allows it, through `wasi:http`.
//!
//! The host checks every address, after the names are resolved, and puts on the credentials that belong to a host. A
//! redirect is one more request, which is checked like the first.

mod failure;
mod url;
#[cfg(target_family = "wasm")]
mod wasi;

#[cfg(target_family = "wasm")]
use wasi::exchange;

#[cfg(not(target_family = "wasm"))]
use crate::testing::tool::exchange;

use super::Error;
pub use failure::Failure;
pub use url::Url;

/// Headers that belong to the address for which they were made and don't follow a redirect to another one.
const SECRET: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// A token in capitals, such as `GET`.
    pub method: String,
    /// Where.
    pub url: Url,
    /// Neither credentials nor headers of the connection.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Vec<u8>,
    /// The most bytes that are read of an answer; what comes after them is left.
    pub limit: usize,
    /// How long to wait for a connection, for the answer's beginning, and between its pieces.
    pub timeout_ms: u32,
    /// How many redirects are followed.
    pub redirects: u32,
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Where it came from, after redirects.
    pub url: Url,
    /// The status.
    pub status: u16,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body, up to the request's limit.
    pub body: Vec<u8>,
    /// Whether more would have come.
    pub truncated: bool,
}

/// Sends a request, follows redirects, and reads the answer. A status other than success is no error.
pub fn send(mut request: Request) -> Result<Response, Error> {
    let mut left = request.redirects;
    loop {
        let response = exchange(&request).map_err(|failure| failure.told(&request.url))?;
        let target = match (response.status, response.header("location")) {
            (301 | 302 | 303 | 307 | 308, Some(location)) if request.redirects > 0 => request.url.join(location)?,
            _ => return Ok(response),
        };
        left = left.checked_sub(1).ok_or_else(|| {
            Error::failed(format!("more than {} redirects, the last one to {target}", request.redirects))
        })?;
        request.redirect(response.status, target);
    }
}

// === impl Request ===

impl Request {
    /// A request without headers and body: 1 MiB and five redirects at most, half a minute for each step.
    pub fn new(method: impl Into<String>, url: Url) -> Self {
        let method = method.into();
        Self { method, url, headers: Vec::new(), body: Vec::new(), limit: 1 << 20, timeout_ms: 30_000, redirects: 5 }
    }

    /// The same, with one more header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// As browsers do: 303 always, 301 and 302 after a POST, become a GET without a body.
    fn redirect(&mut self, status: u16, target: Url) {
        if status == 303 && self.method != "HEAD" || matches!(status, 301 | 302) && self.method == "POST" {
            "GET".clone_into(&mut self.method);
            self.body.clear();
            self.headers.retain(|(name, _)| !name.to_ascii_lowercase().starts_with("content-"));
        }
        if !self.url.same_origin(&target) {
            self.headers.retain(|(name, _)| !SECRET.contains(&name.to_ascii_lowercase().as_str()));
        }
        self.url = target;
    }
}

// === impl Response ===

impl Response {
    /// The first header of that name, given in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Whether the status is one of success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}
