//! A stream of which some bytes were read already, and are read again.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// See the module.
pub(super) struct Rewound<T> {
    /// Come before what `inner` still has.
    first: Bytes,
    inner: T,
}

// === impl Rewound ===

impl<T> Rewound<T> {
    pub(super) fn new(first: Bytes, inner: T) -> Self {
        Self { first, inner }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Rewound<T> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        if self.first.is_empty() {
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

impl<T: AsyncWrite + Unpin> AsyncWrite for Rewound<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
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
        let mut rewound = Rewound::new(Bytes::from_static(b"hel"), ours);
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
        assert_eq!(Rewound::new(first(), &mut ours).read(&mut all).await.unwrap(), 3);
        theirs.write_all(b"lo").await.unwrap();
        assert_eq!(Rewound::new(first(), &mut ours).read(&mut all).await.unwrap(), 5);
        assert_eq!(all.split_at(5).0, b"hello");
    }
}
