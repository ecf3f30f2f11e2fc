//! Making errors.

use super::{Error, ErrorKind};

impl Error {
    /// An error of this kind. The message reaches the caller: what is wrong, and what to do about it.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after_ms: None, raw: None }
    }

    /// The caller, or the operator, asked for something that makes no sense.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message)
    }

    /// What was asked for makes sense, but not here.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// The vendor did wrong.
    pub fn upstream(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Upstream, message)
    }

    /// An answer that is not what the vendor promised. Says nothing of its content, which may be anything.
    pub fn unreadable() -> Self {
        Self::upstream("the vendor sent an answer that can't be read")
    }

    /// An operation that a provider doesn't have.
    pub(super) fn missing(operation: &str) -> Self {
        Self::unsupported(format!("this provider has no `{operation}` operation"))
    }

    /// The same error, with the vendor's own, as JSON.
    #[must_use]
    pub fn with_raw(mut self, raw: impl Into<String>) -> Self {
        self.raw = Some(raw.into());
        self
    }

    /// The same error, with the time after which another attempt makes sense.
    #[must_use]
    pub fn with_retry_after(mut self, milliseconds: u32) -> Self {
        self.retry_after_ms = Some(milliseconds);
        self
    }
}
