//! A stream of which some bytes were read already and are read again, and of which only so much is read at once.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf, Take};

/// See the module.
pub(super) struct Rewound<T> {
    /// Come before what `inner` still has.
    first: Bytes,
    inner: Take<T>,
    at_once: u64,
}

// === impl Rewound ===

impl<T: AsyncRead> Rewound<T> {
    /// `at_once`: bytes.
    pub(super) fn new(first: Bytes, inner: T, at_once: u64) -> Self {
        Self { first, inner: inner.take(at_once), at_once }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Rewound<T> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        if self.first.is_empty() {
            let at_once = self.at_once;
            self.inner.set_limit(at_once);
            return Pin::new(&mut self.inner).poll_read(context, into);
        }
        let length = self.first.len().min(into.remaining());
        into.put_slice(&self.first.split_to(length));
        if self.first.has_remaining() {
            return Poll::Ready(Ok(()));
        }
        // What isn't needed any more isn't held for as long as the connection lives.
        self.first = Bytes::new();
        // With what has come since: HTTP/1 would ask for the rest of its head with a buffer twice as large, and keep that.
        match Pin::new(&mut self.inner).poll_read(context, into) {
            Poll::Pending => Poll::Ready(Ok(())),
            more => more,
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Rewound<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(self.inner.get_mut()).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(self.inner.get_mut()).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.get_ref().is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(self.inner.get_mut()).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(self.inner.get_mut()).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn what_was_read_comes_first() {
        let (mut theirs, ours) = tokio::io::duplex(64);
        theirs.write_all(b"lo").await.unwrap();
        let mut rewound = Rewound::new(Bytes::from_static(b"hel"), ours, 64);
        let mut two = [0; 2];
        rewound.read_exact(&mut two).await.unwrap();
        let mut three = [0; 3];
        rewound.read_exact(&mut three).await.unwrap();
        assert_eq!([two.as_slice(), &three].concat(), b"hello");
    }

    #[tokio::test]
    async fn what_came_since_comes_with_it_and_is_not_waited_for() {
        let first = || Bytes::from_static(b"hel");
        let (mut theirs, mut ours) = tokio::io::duplex(64);
        let mut all = [0; 8];
        assert_eq!(Rewound::new(first(), &mut ours, 64).read(&mut all).await.unwrap(), 3);
        theirs.write_all(b"lo").await.unwrap();
        assert_eq!(Rewound::new(first(), &mut ours, 64).read(&mut all).await.unwrap(), 5);
        assert_eq!(all.split_at(5).0, b"hello");
    }

    #[tokio::test]
    async fn much_is_read_little_by_little_to_its_end() {
        let mut rewound = Rewound::new(Bytes::new(), b"0123456789".as_slice(), 4);
        let (mut read, mut lengths) = (Vec::new(), Vec::new());
        loop {
            lengths.push(rewound.read_buf(&mut read).await.unwrap());
            if lengths.ends_with(&[0]) {
                break;
            }
        }
        assert_eq!((read.as_slice(), lengths.as_slice()), (b"0123456789".as_slice(), [4, 4, 2, 0].as_slice()));
    }
}
