//! The one error type: whose fault it is, whether to try again, what the caller reads, what the log reads.

use std::fmt;
use std::time::Duration;

/// What most functions here return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request can't be served as it is.
    Caller,
    /// The vendor behind a provider failed or refused.
    Upstream,
    /// A plugin broke its contract or its limits.
    Plugin,
    /// The server itself.
    Us,
}

/// What went wrong; `http::fault` gives each kind its status and codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names explain themselves")]
pub enum Kind {
    MissingField,
    InvalidValue,
    Unauthenticated,
    Forbidden,
    NotFound,
    ProviderNotFound,
    ModelNotFound,
    MethodNotAllowed,
    Conflict,
    TooLarge,
    UnsupportedMediaType,
    UpgradeRequired,
    Unsupported,
    ContextTooLong,
    Refused,
    RateLimited,
    OverBudget,
    Overloaded,
    Unavailable,
    Timeout,
    Upstream,
    Plugin,
    Tool,
    Storage,
    Internal,
}

/// An error on its way to a caller.
#[derive(Clone, Debug)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Clone, Debug)]
struct Inner {
    kind: Kind,
    fault: Fault,
    retry_after: Option<Duration>,
    public: String,
    private: Option<String>,
    param: Option<String>,
    details: Option<serde_json::Value>,
    raw: Option<String>,
    attempts: Option<u32>,
}

// === impl Error ===

impl Error {
    /// An error of `kind` that is `fault`'s, with the sentence that the caller reads.
    pub fn new(kind: Kind, fault: Fault, public: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                fault,
                retry_after: None,
                public: public.into(),
                private: None,
                param: None,
                details: None,
                raw: None,
                attempts: None,
            }),
        }
    }

    /// The caller's mistake.
    pub fn caller(kind: Kind, public: impl Into<String>) -> Self {
        Self::new(kind, Fault::Caller, public)
    }

    /// A value that can't be used; `param` is the field's path.
    pub fn invalid(param: &str, public: impl Into<String>) -> Self {
        Self::caller(Kind::InvalidValue, public).with_param(param)
    }

    /// The server's own failure: the caller reads that it failed, the log reads why.
    pub fn internal(private: impl fmt::Display) -> Self {
        Self::new(Kind::Internal, Fault::Us, "internal error; the server's log tells more under this request id")
            .with_private(private)
    }

    /// Adds what only the log reads.
    pub fn with_private(mut self, private: impl fmt::Display) -> Self {
        self.inner.private = Some(private.to_string());
        self
    }

    /// Names the field that is wrong.
    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.inner.param = Some(param.into());
        self
    }

    /// Adds facts for a program to read.
    pub fn with_details(mut self, details: serde_json::Value) -> Self {
        self.inner.details = Some(details);
        self
    }

    /// Adds the vendor's own error.
    pub fn with_raw(mut self, raw: Option<String>) -> Self {
        self.inner.raw = raw;
        self
    }

    /// Says when another attempt makes sense.
    pub fn with_retry_after(mut self, after: Option<Duration>) -> Self {
        self.inner.retry_after = after;
        self
    }

    /// Says how often providers were asked in vain.
    pub fn after_attempts(mut self, attempts: u32) -> Self {
        self.inner.attempts = Some(attempts);
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> Kind {
        self.inner.kind
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        self.inner.fault
    }

    /// What the caller reads.
    pub fn public(&self) -> &str {
        &self.inner.public
    }

    /// What only the log reads.
    pub fn private(&self) -> Option<&str> {
        self.inner.private.as_deref()
    }

    /// The field that is wrong.
    pub fn param(&self) -> Option<&str> {
        self.inner.param.as_deref()
    }

    /// Facts for a program to read.
    pub fn details(&self) -> Option<&serde_json::Value> {
        self.inner.details.as_ref()
    }

    /// The vendor's own error, as JSON text.
    pub fn raw(&self) -> Option<&str> {
        self.inner.raw.as_deref()
    }

    /// How often providers were asked in vain, where they were asked at all.
    pub fn attempts(&self) -> Option<u32> {
        self.inner.attempts
    }

    /// When another attempt makes sense.
    pub fn retry_after(&self) -> Option<Duration> {
        self.inner.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.public)?;
        match &self.inner.private {
            Some(private) => write!(f, " ({private})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
