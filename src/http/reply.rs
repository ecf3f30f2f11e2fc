//! What an endpoint answers.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use serde::Serialize;

use super::body::ReplyBody;
use super::websocket::Upgrade;
use crate::model::{Error, Result};

/// An answer.
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: ReplyBody,
    /// What the connection becomes once it has gone out, if it becomes anything else.
    pub upgrade: Option<Upgrade>,
}

// === impl Reply ===

impl Reply {
    /// `value` as JSON.
    ///
    /// # Errors
    /// If `value` can't be written, which no value of ours is.
    pub fn json(value: &impl Serialize) -> Result<Self> {
        let text = serde_json::to_vec(value).map_err(Error::internal)?;
        Ok(Self::whole(StatusCode::OK, "application/json", Bytes::from(text)))
    }

    /// A body of which all is there.
    pub fn whole(status: StatusCode, mime: &'static str, body: Bytes) -> Self {
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(mime));
        Self { status, headers, body: ReplyBody::Whole(Some(body)), upgrade: None }
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// An answer without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: ReplyBody::Whole(None), upgrade: None }
    }

    /// A stream of server-sent events, already written out.
    pub fn events(stream: impl futures_util::Stream<Item = Bytes> + Send + 'static) -> Self {
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        // Proxies that buffer would turn a stream into a wait.
        headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
        Self { status: StatusCode::OK, headers, body: ReplyBody::Stream(Box::pin(stream)), upgrade: None }
    }

    /// A stream of lines of JSON, already written out.
    pub fn lines(stream: impl futures_util::Stream<Item = Bytes> + Send + 'static) -> Self {
        let mut reply = Self::events(stream);
        reply.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
        reply
    }

    /// As hyper wants it.
    pub fn into_response(self) -> Response<ReplyBody> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
