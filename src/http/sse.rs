//! Server-sent events and lines of JSON: how one is written, and what keeps a silent stream alive.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use serde::Serialize;
use tokio::time::{Instant, Sleep, sleep};

use crate::model::{Error, Result};

const COMMENT: &[u8] = b": keep-alive\n\n";

/// Writes an event of `name`, if it has one, whose data is `data` as JSON, at the end of `out`.
///
/// # Errors
/// If `data` can't be written, which no value of ours is.
pub fn write(out: &mut Vec<u8>, name: Option<&str>, data: &impl Serialize) -> Result<()> {
    if let Some(name) = name {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(b"data: ");
    put(out, data)?;
    out.extend_from_slice(b"\n\n");
    Ok(())
}

/// Writes `data` as a line of JSON, at the end of `out`.
///
/// # Errors
/// If `data` can't be written, which no value of ours is.
pub fn write_line(out: &mut Vec<u8>, data: &impl Serialize) -> Result<()> {
    put(out, data)?;
    out.push(b'\n');
    Ok(())
}

/// Writes JSON in one line.
fn put(out: &mut Vec<u8>, data: &impl Serialize) -> Result<()> {
    let start = out.len();
    serde_json::to_writer(&mut *out, data).map_err(Error::internal)?;
    // JSON that was kept as it came may hold line ends between its tokens, which would end the event's data.
    for byte in out.iter_mut().skip(start).filter(|byte| matches!(**byte, b'\n' | b'\r')) {
        *byte = b' ';
    }
    Ok(())
}

/// A stream that says something at least every so often, so that nobody on the way takes it for dead.
pub struct KeepAlive<S> {
    stream: Pin<Box<S>>,
    every: Duration,
    next: Pin<Box<Sleep>>,
    says: Box<dyn Fn() -> Bytes + Send>,
}

// === impl KeepAlive ===

impl<S: Stream<Item = Bytes>> KeepAlive<S> {
    /// `stream`, with a comment after each silence of `every`.
    pub fn new(stream: S, every: Duration) -> Self {
        Self::saying(|| Bytes::from_static(COMMENT), stream, every)
    }

    /// `stream`, with what `says` gives, written out, after each silence of `every`.
    pub fn saying(says: impl Fn() -> Bytes + Send + 'static, stream: S, every: Duration) -> Self {
        Self { stream: Box::pin(stream), every, next: Box::pin(sleep(every)), says: Box::new(says) }
    }
}

impl<S: Stream<Item = Bytes>> Stream for KeepAlive<S> {
    type Item = Bytes;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let this = self.get_mut();
        if let Poll::Ready(piece) = this.stream.as_mut().poll_next(context) {
            this.next.as_mut().reset(Instant::now() + this.every);
            return Poll::Ready(piece);
        }
        if this.next.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        this.next.as_mut().reset(Instant::now() + this.every);
        Poll::Ready(Some((this.says)()))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use futures_util::stream;

    use super::*;

    #[test]
    fn an_event_is_name_data_and_a_blank_line() {
        let mut out = Vec::new();
        write(&mut out, Some("token"), &serde_json::json!({"text": "a\nb"})).unwrap();
        write(&mut out, None, &1).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "event: token\ndata: {\"text\":\"a\\nb\"}\n\ndata: 1\n\n");
    }

    #[test]
    fn line_ends_between_tokens_do_not_end_the_data() {
        let raw = serde_json::value::RawValue::from_string("{\n \"a\":\r\n\n1}".into()).unwrap();
        let mut out = Vec::new();
        write(&mut out, None, &raw).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.trim_end().lines().count(), 1, "{text:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_filled_with_comments() {
        let words = stream::once(async {
            sleep(Duration::from_secs(25)).await;
            Bytes::from_static(b"word")
        });
        let all: Vec<Bytes> = KeepAlive::new(words, Duration::from_secs(10)).collect().await;
        assert_eq!(all, [COMMENT, COMMENT, b"word"]);
    }
}
