//! Bodies: read within bounds, written whole or as a stream.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::Stream;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::model::{Error, Kind, Result};

/// What a reply carries.
pub enum ReplyBody {
    /// All of it; gone once sent.
    Whole(Option<Bytes>),
    /// Piece by piece; dropped when the caller hangs up.
    Stream(Pin<Box<dyn Stream<Item = Bytes> + Send>>),
}

/// Reads a request's body: at most `most` bytes, within `within`.
///
/// # Errors
/// If it is longer, slower, or breaks off.
pub async fn read(body: Incoming, most: usize, within: Duration) -> Result<Bytes> {
    let too_large = || Error::caller(Kind::TooLarge, format!("the request body is longer than {most} bytes"));
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    match timeout(within, Limited::new(body, most).collect()).await {
        Ok(Ok(collected)) => {
            let mut pieces = collected.aggregate();
            Ok(pieces.copy_to_bytes(pieces.remaining()))
        }
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => Err(Error::caller(Kind::InvalidValue, "the request body broke off").with_private(error)),
        Err(_) => {
            Err(Error::caller(Kind::Timeout, format!("the request body did not arrive within {} s", within.as_secs())))
        }
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
