//! Time of day and fresh identifiers: given to whoever needs them, so that tests can give their own.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::model::id::RequestId;
use crate::model::{Error, Result};

/// Tells the time.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

// === impl Clock ===

impl Clock {
    /// The system's time.
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one clock of the house")]
        let now = Timestamp::now;
        Self { now: Arc::new(now) }
    }

    /// Whatever `now` says.
    pub fn from_fn(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { now: Arc::new(now) }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// The time so long ago, if there was one.
    pub fn ago(&self, age: Duration) -> Option<Timestamp> {
        self.now().checked_sub(SignedDuration::try_from(age).ok()?).ok()
    }

    /// The same clock, for who signs what leaves.
    pub fn wall(&self) -> Arc<dyn Fn() -> SystemTime + Send + Sync> {
        let now = self.now.clone();
        Arc::new(move || now().into())
    }

    /// The time now as RFC 3339 with milliseconds and `Z`.
    pub fn rfc3339(&self) -> String {
        format!("{:.3}", self.now())
    }

    /// Seconds since 1970.
    pub fn unix(&self) -> i64 {
        self.now().as_second()
    }
}

/// `time` as RFC 3339 with milliseconds and `Z`.
pub fn written(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// A fresh request id.
pub fn request_id() -> RequestId {
    RequestId::new(Uuid::now_v7())
}

/// A fresh identifier of `prefix` and 32 hexadecimal digits.
pub fn fresh(prefix: &str) -> String {
    format!("{prefix}{}", Uuid::now_v7().simple())
}

/// A fresh UUID; later ones are greater.
pub fn uuid() -> String {
    Uuid::now_v7().to_string()
}

/// Numbers that nobody can guess, for secrets.
///
/// # Errors
/// If the system has none.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(bytes)
}
