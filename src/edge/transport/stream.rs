//! A request's answer on its way out, and HTTP/2 streams that nobody reads.
//!
//! An HTTP/2 caller holds back one stream by giving it no window, while the connection goes on. Nothing else would notice: the
//! body isn't asked for its next piece, so its own time-outs don't run.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, sleep_until};

use super::activity::InFlight;
use super::fair;

/// What is handed to HTTP/2 at once; what is beyond a caller's window would only be held in memory.
const PIECE: usize = 16 << 10;

tokio::task_local! {
    /// The stream that this task serves.
    static PACE: Arc<Pace>;
}

/// Whether a stream gets on.
struct Pace {
    began: Instant,
    /// Milliseconds from `began`, plus one, to when a piece was handed out and no other asked for; 0 if one was.
    held_since: AtomicU64,
}

/// Runs HTTP/2 streams, and resets those whose caller takes nothing.
#[derive(Clone)]
pub(super) struct Streams {
    pub(super) within: Duration,
}

/// A body on its way out.
pub(super) struct Outgoing<B> {
    /// Absent where there is nothing to say.
    body: Option<B>,
    /// What the body gave and HTTP/2 hasn't got yet.
    rest: Bytes,
    pace: Option<Arc<Pace>>,
    _in_flight: InFlight,
}

// === impl Pace ===

impl Pace {
    fn new() -> Arc<Self> {
        Arc::new(Self { began: Instant::now(), held_since: AtomicU64::new(0) })
    }

    fn moves(&self) {
        self.held_since.store(0, Ordering::Relaxed);
    }

    fn holds(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.held_since.store(now.saturating_add(1), Ordering::Relaxed);
    }

    /// Ready once a piece has been held for that long.
    async fn stalled(&self, within: Duration) {
        loop {
            let now = Instant::now();
            let held_since = self.held_since.load(Ordering::Relaxed).checked_sub(1);
            let until = held_since.map_or(now, |since| self.began + Duration::from_millis(since)) + within;
            if until <= now {
                return;
            }
            sleep_until(until).await;
        }
    }
}

// === impl Streams ===

impl<F> hyper::rt::Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let (pace, within) = (Pace::new(), self.within);
        // Boxed, because whoever wraps a future holds it twice, and moving it is what a flood of streams costs most.
        let serving = PACE.scope(pace.clone(), Box::pin(stream));
        tokio::spawn(fair::join(async move {
            tokio::select! {
                () = serving => {}
                // Dropping the stream resets it.
                () = pace.stalled(within) => tracing::debug!("a stream was reset: its caller takes nothing"),
            }
        }));
    }
}

// === impl Outgoing ===

impl<B> Outgoing<B> {
    /// To be called in the task that sends it.
    pub(super) fn new(body: Option<B>, in_flight: InFlight) -> Self {
        let pace = PACE.try_with(Arc::clone).ok();
        // A caller without any window never asks for the first piece.
        pace.iter().for_each(|pace| pace.holds());
        Self { body, rest: Bytes::new(), pace, _in_flight: in_flight }
    }

    /// A piece of the rest.
    fn piece(&mut self, pace: &Pace) -> Frame<Bytes> {
        pace.holds();
        Frame::data(self.rest.split_to(self.rest.len().min(PIECE)))
    }
}

impl<B: Body<Data = Bytes, Error = Infallible> + Unpin> Body for Outgoing<B> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        // A guest that has much to say is asked for it little by little.
        ready!(fair::poll_proceed(context));
        let Some(pace) = self.pace.clone() else {
            return match &mut self.body {
                Some(body) => Pin::new(body).poll_frame(context),
                None => Poll::Ready(None),
            };
        };
        pace.moves();
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(self.piece(&pace))));
        }
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(context));
        Poll::Ready(match frame.map(|Ok(frame)| frame.into_data()) {
            Some(Ok(data)) => {
                self.rest = data;
                Some(Ok(self.piece(&pace)))
            }
            Some(Err(trailers)) => Some(Ok(trailers)),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint);
        let rest = self.rest.len() as u64;
        if rest > 0 {
            let (lower, upper) = (hint.lower(), hint.upper());
            hint = SizeHint::new();
            hint.set_lower(lower.saturating_add(rest));
            if let Some(upper) = upper {
                hint.set_upper(upper.saturating_add(rest));
            }
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full};

    use super::super::activity::{Activity, Patience};
    use super::*;

    fn outgoing(length: usize) -> Outgoing<Full<Bytes>> {
        let patience = Patience { head: Duration::from_secs(1), idle: Duration::from_secs(1) };
        Outgoing::new(Some(Full::new(Bytes::from(vec![1; length]))), Activity::new(patience).request())
    }

    #[tokio::test]
    async fn a_stream_gets_its_body_in_pieces_and_knows_how_much_is_to_come() {
        let mut whole = outgoing(3 * PIECE);
        assert_eq!(whole.frame().await.unwrap().unwrap().into_data().unwrap().len(), 3 * PIECE, "no stream, no pieces");
        PACE.scope(Pace::new(), async {
            let mut body = outgoing(2 * PIECE + 1);
            let mut left = 2 * PIECE + 1;
            for length in [PIECE, PIECE, 1] {
                assert!(!body.is_end_stream());
                assert_eq!(body.size_hint().exact(), Some(left as u64));
                assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap().len(), length);
                left -= length;
            }
            assert!(body.is_end_stream() && body.frame().await.is_none());
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_stream_that_is_held_stalls() {
        let (pace, within) = (Pace::new(), Duration::from_secs(60));
        let long = Duration::from_secs(3600);
        assert!(tokio::time::timeout(long, pace.stalled(within)).await.is_err(), "its vendor thinks");
        pace.holds();
        let before = Instant::now();
        pace.stalled(within).await;
        assert_eq!(before.elapsed().as_secs(), 60);
        pace.moves();
        assert!(tokio::time::timeout(long, pace.stalled(within)).await.is_err(), "it was asked for more");
    }
}
