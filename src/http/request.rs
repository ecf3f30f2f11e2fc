//! A request as an endpoint sees it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::Incoming;

use super::body::{self, Held};
use super::fields::Fields;
use crate::model::caller::Caller;
use crate::model::id::RequestId;
use crate::model::{Error, Kind, Result};

/// A request, routed.
pub struct Request<S> {
    /// What the endpoints share.
    pub state: Arc<S>,
    /// Names this request everywhere.
    pub id: RequestId,
    /// Who asks.
    pub caller: Caller,
    /// The request's headers.
    pub headers: HeaderMap,
    /// What the path's template left open, by name.
    pub parameters: Vec<(String, String)>,
    /// What bounds the body.
    pub limits: BodyLimits,
    /// What the body holds of the memory for bodies.
    pub held: Arc<Held>,
    /// The body, not read yet.
    pub body: Incoming,
    /// What comes between the body and the work, where the body is still to come.
    pub entry: Option<Entry>,
}

/// Waits until there is room. Who sends a body slowly must not take the room of others meanwhile.
pub type Entry = Pin<Box<dyn Future<Output = Result<()>> + Send + Sync>>;

/// What bounds a request's body.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// Bytes.
    pub most: usize,
    /// From the head to the body's end.
    pub within: Duration,
}

// === impl Request ===

impl<S> Request<S> {
    /// What stands in the path in place of `{name}`.
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Reads the body, which must be a JSON object, whatever its content type says.
    ///
    /// # Errors
    /// If it can't be read, or is no JSON object; a foreign site must say that it sends JSON.
    pub async fn fields(self) -> Result<(Arc<S>, Fields)> {
        self.refuse_simple_cross_site()?;
        self.refuse_compressed()?;
        let bytes = body::read(self.body, self.limits, &self.held).await?;
        if let Some(entry) = self.entry {
            entry.await?;
        }
        Ok((self.state, Fields::parse(&bytes)?))
    }

    fn refuse_compressed(&self) -> Result<()> {
        match self.headers.get(http::header::CONTENT_ENCODING).map(|value| value.as_bytes()) {
            None | Some(b"") => Ok(()),
            Some(coding) if coding.eq_ignore_ascii_case(b"identity") => Ok(()),
            Some(coding) => Err(Error::caller(
                Kind::UnsupportedMediaType,
                format!(
                    "request bodies are read as they are, not in {}; leave Content-Encoding out",
                    String::from_utf8_lossy(coding)
                ),
            )),
        }
    }

    /// A page of another site can make a browser send a form here without asking first, but not `application/json`.
    fn refuse_simple_cross_site(&self) -> Result<()> {
        let text = |name| self.headers.get(name).and_then(|value| value.to_str().ok());
        if !self.headers.contains_key(http::header::ORIGIN) {
            return Ok(());
        }
        // What can't be read is nobody's own.
        let origin = text(http::header::ORIGIN).unwrap_or_default();
        let here = text(http::header::HOST).unwrap_or_default();
        let same_site = origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(here));
        let json = text(http::header::CONTENT_TYPE).is_some_and(|value| {
            value.split(';').next().is_some_and(|mime| mime.trim().eq_ignore_ascii_case("application/json"))
        });
        if same_site || json {
            return Ok(());
        }
        Err(Error::caller(
            Kind::UnsupportedMediaType,
            "a request from another site's page must have the Content-Type application/json",
        ))
    }
}

/// An empty body is an empty object nowhere: it is a mistake that deserves its own words.
pub(super) fn is_blank(bytes: &Bytes) -> bool {
    bytes.iter().all(u8::is_ascii_whitespace)
}
