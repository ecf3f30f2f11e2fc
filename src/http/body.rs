//! Bodies: read within bounds, written whole or as a stream.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use http::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::model::{Error, Fault, Kind, Result};

/// A body that may still come when long ones may not.
const SMALL: usize = 64 << 10;

/// A piece of a body that isn't worth being kept as one.
const CRUMB: usize = 4 << 10;

/// What is read of a body before it is somebody else's turn.
const TURN: usize = 64 << 10;

/// What a reply carries.
pub enum ReplyBody {
    /// All of it; gone once sent.
    Whole(Option<Bytes>),
    /// Piece by piece; dropped when the caller hangs up.
    Stream(Pin<Box<dyn Stream<Item = Bytes> + Send>>),
}

/// What bounds a request's body.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// Bytes.
    pub most: usize,
    /// From the head to the body's end.
    pub within: Duration,
}

/// What the bodies of all requests in progress may hold together.
#[derive(Debug)]
pub struct Memory {
    most: usize,
    held: AtomicUsize,
}

/// What one body holds of it, until this is dropped.
#[derive(Debug)]
pub struct Held {
    memory: Arc<Memory>,
    bytes: AtomicUsize,
}

/// Bodies are read as they are.
///
/// # Errors
/// If one with these headers would have to be decoded first.
pub fn refuse_coded(headers: &HeaderMap) -> Result<()> {
    match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
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

/// Reads a request's body within `limits`, and of `held` as much as it takes.
///
/// # Errors
/// If it is longer, slower, or breaks off, or if bodies hold too much already.
pub async fn read(body: Incoming, limits: BodyLimits, held: &Held) -> Result<Bytes> {
    let BodyLimits { most, within } = limits;
    if body.size_hint().lower() > most as u64 {
        return Err(too_large(most));
    }
    timeout(within, collect(body, most, held)).await.unwrap_or_else(|_| {
        Err(Error::caller(Kind::Timeout, format!("the request body did not arrive within {} s", within.as_secs())))
    })
}

async fn collect(mut body: Incoming, most: usize, held: &Held) -> Result<Bytes> {
    // Joined only once all is there: a body that is refused costs no copy, and most come in one piece. Crumbs are joined at
    // once, for each piece costs more than its bytes.
    let (mut pieces, mut crumbs, mut length, mut turn) = (Vec::new(), BytesMut::new(), 0, 0);
    while let Some(frame) = body.frame().await {
        let broken = |error| Error::caller(Kind::InvalidValue, "the request body broke off").with_private(error);
        // Trailers say nothing here.
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        length += data.len();
        if length > most {
            return Err(too_large(most));
        }
        held.grow(data.len())?;
        // Who sends fast would otherwise be read to the end before anybody else of the same worker has a turn.
        turn += data.len();
        if data.len() < CRUMB && !(pieces.is_empty() && crumbs.is_empty()) {
            crumbs.extend_from_slice(&data);
        } else {
            pieces.extend((!crumbs.is_empty()).then(|| crumbs.split().freeze()));
            pieces.push(data);
        }
        if turn >= TURN {
            turn = 0;
            yield_now().await;
        }
    }
    pieces.extend((!crumbs.is_empty()).then(|| crumbs.freeze()));
    Ok(match pieces.len() {
        0 | 1 => match pieces.pop().unwrap_or_default() {
            // It lies in the connection's buffer, of which nothing can be used again as long as somebody has it.
            small if small.len() < CRUMB => Bytes::copy_from_slice(&small),
            large => large,
        },
        _ => pieces.concat().into(),
    })
}

fn too_large(most: usize) -> Error {
    Error::caller(Kind::TooLarge, format!("the request body is longer than {most} bytes"))
}

// === impl Memory ===

impl Memory {
    /// Memory of `most` bytes.
    pub fn new(most: usize) -> Self {
        Self { most, held: AtomicUsize::new(0) }
    }
}

// === impl Held ===

impl Held {
    /// Nothing, so far, of `memory`.
    pub fn new(memory: Arc<Memory>) -> Self {
        Self { memory, bytes: AtomicUsize::new(0) }
    }

    fn grow(&self, bytes: usize) -> Result<()> {
        let own = self.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let all = self.memory.held.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        // A few who send much must not leave nothing to the many who send little.
        let most = self.memory.most - if own > SMALL { self.memory.most / 4 } else { 0 };
        if all <= most {
            return Ok(());
        }
        let what = "the server holds as many request bodies as it may (server.max_body_memory); try again in a moment";
        let after = Some(Duration::from_secs(1));
        Err(Error::new(Kind::Overloaded, Fault::Us, what).with_retry_after(after))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.memory.held.fetch_sub(*self.bytes.get_mut(), Ordering::Relaxed);
    }
}

// === impl ReplyBody ===

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(bytes) => {
                Poll::Ready(bytes.take().filter(|bytes| !bytes.is_empty()).map(|bytes| Ok(Frame::data(bytes))))
            }
            Self::Stream(stream) => {
                stream.as_mut().poll_next(context).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.as_ref().is_none_or(Bytes::is_empty))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}
