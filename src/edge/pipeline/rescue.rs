//! Whatever went wrong becomes an answer, in the shape of the surface that was asked.

use bytes::Bytes;
use http::header::{
    ALLOW, CONNECTION, HeaderName, HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_VERSION, UPGRADE, WWW_AUTHENTICATE,
};

use crate::http::fault::Fault;
use crate::http::{Reply, Surface, websocket};
use crate::model::id::RequestId;
use crate::model::{self, Error, Kind};

/// How often providers were asked, as good answers tell it too.
const ATTEMPTS: HeaderName = HeaderName::from_static("x-mortise-attempts");

/// The answer that tells `error`.
pub(super) fn reply(surface: &Surface, error: &Error, id: &RequestId, timestamp: &str) -> Reply {
    let fault = Fault::of(error);
    let body = (surface.shape)(&fault, id, timestamp).to_string();
    let mut reply = Reply::whole((surface.status)(&fault), "application/json", Bytes::from(body));
    if error.kind() == Kind::Unauthenticated && error.fault() == model::Fault::Caller {
        reply.headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if error.kind() == Kind::UpgradeRequired {
        reply.headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        reply.headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        reply.headers.insert(SEC_WEBSOCKET_VERSION, websocket::SPOKEN);
    }
    if let Some(after) = fault.retry_after() {
        reply.headers.insert(RETRY_AFTER, HeaderValue::from(after));
    }
    if let Some(attempts) = error.attempts() {
        reply.headers.insert(ATTEMPTS, HeaderValue::from(attempts));
    }
    let allow = error.details().and_then(|details| details.get("allow")?.as_str());
    if let Some(allow) = allow.and_then(|allow| HeaderValue::from_str(allow).ok()) {
        reply.headers.insert(ALLOW, allow);
    }
    reply
}
