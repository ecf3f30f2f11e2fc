//! WebSockets: from a request to a socket that an endpoint owns.
//!
//! An endpoint that is marked with [`Endpoint::socket`](super::Endpoint::socket) finds a [`Handshake`] in its request, and
//! accepts it with what is to happen on the [`Socket`]. Once that answer has gone out, the edge runs the [`Upgrade`] where it
//! serves the connection. HTTP/1.1 (RFC 6455) and HTTP/2 (RFC 8441) differ in the handshake alone.
//!
//! What bounds a socket: how many there are, how long a message may be, how long the caller may be silent without answering a
//! ping, and how long it may take nothing of what is sent. When the server ends, it is closed with 1001.

mod socket;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use http::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue, UPGRADE};
use http::request::Parts;
use http::{Method, StatusCode, Version};
use hyper::ext::Protocol;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::Reply;
use crate::model::id::RequestId;
use crate::model::{Error, Fault, Kind, Result};
use crate::telemetry::metrics::{Metrics, OpenSocket};

pub use socket::{Code, Gone, Message, Socket};

const KEY: HeaderName = HeaderName::from_static("sec-websocket-key");
const VERSION: HeaderName = HeaderName::from_static("sec-websocket-version");
const ACCEPT: HeaderName = HeaderName::from_static("sec-websocket-accept");

/// The only version that there ever was.
pub const SPOKEN: HeaderValue = HeaderValue::from_static("13");

/// When to try again, of who is turned away.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Becomes true when sockets are to end.
pub type Closing = watch::Receiver<bool>;

/// What bounds a socket.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a message from the caller.
    pub message: usize,
    /// Silence after which the caller is pinged.
    pub ping_after: Duration,
    /// How long it may then go on being silent.
    pub pong_within: Duration,
    /// How long it may take nothing of what is sent.
    pub send_within: Duration,
}

/// What all sockets share.
pub struct Sockets {
    limits: Limits,
    room: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

/// A caller who wants a socket.
pub struct Handshake {
    opening: Opening,
    on: OnUpgrade,
    sockets: Arc<Sockets>,
    id: RequestId,
    surface: &'static str,
}

enum Opening {
    /// HTTP/1.1, with the proof that the request was understood.
    First(HeaderValue),
    /// HTTP/2.
    Second,
}

/// A socket to be, once the answer that promises it has gone out.
pub struct Upgrade {
    on: OnUpgrade,
    work: Work,
    sockets: Arc<Sockets>,
    id: RequestId,
    _room: OwnedSemaphorePermit,
}

type Work = Box<dyn FnOnce(Socket) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// Whether the request asks for a socket on a stream of HTTP/2: then it is no `GET`, but means one.
pub fn is_extended_connect(parts: &Parts) -> bool {
    let protocol = || parts.extensions.get::<Protocol>();
    parts.method == Method::CONNECT && protocol().is_some_and(|protocol| protocol.as_str() == "websocket")
}

// === impl Sockets ===

impl Sockets {
    /// Room for `most` sockets within `limits`.
    pub fn new(most: usize, limits: Limits, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { limits, room: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))), metrics })
    }

    /// The handshake in a request.
    ///
    /// # Errors
    /// Says what a socket's request would have to look like.
    pub fn handshake(self: &Arc<Self>, parts: &mut Parts, id: &RequestId, surface: &'static str) -> Result<Handshake> {
        let on = parts.extensions.remove::<OnUpgrade>();
        let opening = if is_extended_connect(parts) { Opening::Second } else { Opening::first(parts)? };
        // Version 1.0 of HTTP has none.
        let on = on.ok_or_else(|| wanted("this connection can't become a WebSocket"))?;
        Ok(Handshake { opening, on, sockets: self.clone(), id: id.clone(), surface })
    }
}

// === impl Opening ===

impl Opening {
    fn first(parts: &Parts) -> Result<Self> {
        let headers = &parts.headers;
        if parts.version != Version::HTTP_11 || !lists(headers, &UPGRADE, "websocket") {
            return Err(wanted("this endpoint speaks WebSocket; connect with ws:// or wss://"));
        }
        if !lists(headers, &CONNECTION, "upgrade") {
            return Err(Error::caller(
                Kind::InvalidValue,
                "a WebSocket's request has the header `Connection: Upgrade`",
            ));
        }
        if headers.get(VERSION) != Some(&SPOKEN) {
            return Err(wanted("version 13 of the WebSocket protocol is spoken; send `Sec-WebSocket-Version: 13`"));
        }
        let key = headers.get(KEY).map(HeaderValue::as_bytes);
        let Some(key) = key.filter(|key| STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16)) else {
            let what = "a WebSocket's request has the header `Sec-WebSocket-Key`, 16 random bytes in Base64";
            return Err(Error::caller(Kind::InvalidValue, what));
        };
        HeaderValue::try_from(derive_accept_key(key)).map(Self::First).map_err(Error::internal)
    }
}

/// Whether `name` lists `token`.
fn lists(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|listed| listed.trim().eq_ignore_ascii_case(token))
}

fn wanted(what: &str) -> Error {
    Error::caller(Kind::UpgradeRequired, what)
}

// === impl Handshake ===

impl Handshake {
    /// The answer that makes a socket of the connection, on which `work` is done then. A socket that is dropped is closed.
    ///
    /// # Errors
    /// If there are as many sockets as there may be.
    pub fn accept<F>(self, work: impl FnOnce(Socket) -> F + Send + 'static) -> Result<Reply>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { opening, on, sockets, id, surface } = self;
        let Ok(room) = sockets.room.clone().try_acquire_owned() else {
            sockets.metrics.limited(surface, "websockets");
            let what =
                "the server has as many WebSockets as it may (server.websocket.max_connections); try again later";
            return Err(Error::new(Kind::Overloaded, Fault::Us, what).with_retry_after(Some(RETRY_AFTER)));
        };
        let mut reply = Reply::empty(StatusCode::OK);
        if let Opening::First(proof) = opening {
            reply.status = StatusCode::SWITCHING_PROTOCOLS;
            reply.headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
            reply.headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            reply.headers.insert(ACCEPT, proof);
        }
        let work: Work = Box::new(move |socket| Box::pin(work(socket)));
        reply.upgrade = Some(Upgrade { on, work, sockets, id, _room: room });
        Ok(reply)
    }
}

// === impl Upgrade ===

impl Upgrade {
    /// Does what the endpoint wants on the socket, and closes it.
    pub async fn run(self, closing: Closing) {
        let Self { on, work, sockets, id, .. } = self;
        // The caller may have left before the answer.
        let Ok(io) = on.await else { return };
        let counts = OpenSocket::new(sockets.metrics.clone());
        let (socket, returned) = Socket::new(TokioIo::new(io), sockets.limits, closing, counts).await;
        let worked = AssertUnwindSafe(async move { work(socket).await }).catch_unwind().await;
        // The endpoint has dropped it, or will.
        let Ok(line) = returned.await else { return };
        let request_id = id.as_str();
        if worked.is_err() {
            tracing::error!(request_id, "what an endpoint does on its WebSocket panicked");
        }
        let told = line.farewell(worked.is_err()).await;
        let (code, by, received, sent, why) = (told.code, told.by, told.received, told.sent, told.why);
        tracing::info!(request_id, code, by, received, sent, "a WebSocket is over: {why}");
    }
}
