//! Identifiers: what each kind looks like. They are made in `service` and `edge`, nowhere lower.

use std::fmt;

use uuid::Uuid;

/// Names one request, in the log, the response header and the error body: `req-` and 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The id that holds `uuid`.
    pub fn new(uuid: Uuid) -> Self {
        Self(format!("req-{}", uuid.simple()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
