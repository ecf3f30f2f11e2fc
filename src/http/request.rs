//! A request as an endpoint sees it.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use url::form_urlencoded;

use super::fields::Fields;
use super::websocket::Handshake;
use crate::model::caller::Caller;
use crate::model::id::RequestId;
use crate::model::{Error, Result};

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
    /// What stands behind the path's question mark.
    pub query: Option<String>,
    /// The body, of methods that have one.
    pub body: Bytes,
    /// Of an endpoint for sockets: the caller's handshake, or why it is none.
    pub handshake: Option<Result<Handshake>>,
}

// === impl Request ===

impl<S> Request<S> {
    /// What stands in the path in place of `{name}`.
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The first value of `name` in the query.
    pub fn query(&self, name: &str) -> Option<String> {
        let mut members = form_urlencoded::parse(self.query.as_deref()?.as_bytes());
        members.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// The handshake of a caller who wants a socket.
    ///
    /// # Errors
    /// If the caller wants none, or the endpoint isn't marked as one for sockets.
    pub fn upgrade(&mut self) -> Result<Handshake> {
        let unmarked = || Err(Error::internal("an endpoint upgrades without being marked as one that does"));
        self.handshake.take().unwrap_or_else(unmarked)
    }

    /// The fields of the body, which must be a JSON object, whatever its content type says.
    ///
    /// # Errors
    /// If it is no JSON object.
    pub fn fields(self) -> Result<(Arc<S>, Fields)> {
        Ok((self.state, Fields::parse(&self.body)?))
    }
}

/// An empty body is an empty object nowhere: it is a mistake that deserves its own words.
pub(super) fn is_blank(bytes: &Bytes) -> bool {
    bytes.iter().all(u8::is_ascii_whitespace)
}
