//! Why a tool's request came to nothing.

/// Why a request came to nothing. What the operator can mend says how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The host, port, scheme or path isn't granted.
    #[error("{0}")]
    Host(String),
    /// The host's address may not be reached.
    #[error("{0}")]
    Address(String),
    /// It is no request that can be sent.
    #[error("{0}")]
    Malformed(String),
    /// It went beyond what a call may take.
    #[error("{0}")]
    Limit(String),
    /// The response can't be searched for credentials.
    #[error("{0}")]
    Leak(String),
    /// No response, or no more of it, came in time.
    #[error("nothing came in time")]
    Late,
    /// No connection came in time.
    #[error("no connection in time")]
    ConnectLate,
    /// There is no connection.
    #[error("{0}")]
    Unreachable(String),
    /// The response broke off.
    #[error("{0}")]
    Broken(String),
}
