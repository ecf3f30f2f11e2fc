//! HTTP as a provider sees it: a request without an address or a credential, a response head, frames of its body.

use serde::{Deserialize, Serialize};

pub use crate::bindings::mortise::plugin::http::{Frame, Framing, Head, Header, Request};
use crate::provider::Error;

// === impl Request ===

impl Request {
    /// Asks for `path`, which the host appends to the base URL. The answer comes whole.
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: "GET".into(), path: path.into(), headers: Vec::new(), body: Vec::new(), framing: Framing::Whole }
    }

    /// Posts JSON that is already written. The answer comes whole.
    pub fn post(path: impl Into<String>, body: Vec<u8>) -> Self {
        let headers = vec![Header::new("content-type", "application/json")];
        Self { method: "POST".into(), path: path.into(), headers, body, framing: Framing::Whole }
    }

    /// Writes `body` as JSON and posts it. The answer comes whole.
    pub fn post_json<T: Serialize + ?Sized>(path: impl Into<String>, body: &T) -> Result<Self, Error> {
        match serde_json::to_vec(body) {
            Ok(body) => Ok(Self::post(path, body)),
            Err(error) => Err(Error::invalid(format!("the request can't be written as JSON: {error}"))),
        }
    }

    /// The same request, its answer cut up in this way.
    #[must_use]
    pub fn framed(mut self, framing: Framing) -> Self {
        self.framing = framing;
        if framing == Framing::Sse {
            self = self.header("accept", "text/event-stream");
        }
        self
    }

    /// The same request with one more header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(Header::new(name, value));
        self
    }
}

// === impl Header, Head ===

impl Header {
    /// A header.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl Head {
    /// Whether the status is one of success (2xx).
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of this name, whatever the case of its letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| header.value.as_str())
    }
}

// === impl Frame ===

impl Frame {
    /// Reads the data as JSON. The error repeats nothing of the content.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        // One check of the whole is quicker than one of each string in it.
        serde_json::from_str(self.text()?).map_err(|_| Error::unreadable())
    }

    /// The data as text. The error repeats nothing of the content.
    pub fn text(&self) -> Result<&str, Error> {
        core::str::from_utf8(&self.data).map_err(|_| Error::unreadable())
    }
}
