//! Why nothing came, in words for a model.

use super::Url;
use crate::tool::{Error, ErrorKind};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    kind: ErrorKind,
    reason: String,
}

impl Failure {
    /// The host doesn't allow the address.
    pub fn denied(reason: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Denied, reason: reason.into() }
    }

    /// There is no such server.
    pub fn not_found(reason: impl Into<String>) -> Self {
        Self { kind: ErrorKind::NotFound, reason: reason.into() }
    }

    /// The server can't be reached or is silent.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Unavailable, reason: reason.into() }
    }

    /// Anything else.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Failed, reason: reason.into() }
    }

    pub(super) fn told(self, url: &Url) -> Error {
        Error::new(self.kind, format!("can't reach {}: {}", url.origin(), self.reason))
    }
}
