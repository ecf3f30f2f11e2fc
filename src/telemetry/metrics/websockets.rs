//! Counts of WebSockets.

use std::fmt::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::exposition::Exposition;
use super::{Labelled, Metrics, families};

/// See the module.
#[derive(Debug, Default)]
pub struct WebSockets {
    open: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
    closed: Labelled,
}

/// One that is open, until this is dropped.
#[derive(Debug)]
pub struct OpenSocket {
    metrics: Arc<Metrics>,
    received: u64,
    sent: u64,
}

/// Codes that are told apart: a caller can say what it likes.
const CODES: [(u16, &str); 13] = [
    (1000, "1000"),
    (1001, "1001"),
    (1002, "1002"),
    (1003, "1003"),
    (1005, "1005"),
    (1006, "1006"),
    (1007, "1007"),
    (1008, "1008"),
    (1009, "1009"),
    (1010, "1010"),
    (1011, "1011"),
    (1012, "1012"),
    (1013, "1013"),
];

// === impl WebSockets ===

impl WebSockets {
    pub(super) fn write(&self, out: &mut Exposition<'_>) -> Result<(), Error> {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let closed = self.closed.read(|[code, by]| [code, by]);
        let open = get(&self.open);
        let used = open > 0 || !closed.is_empty();
        let messages = [("in", get(&self.received)), ("out", get(&self.sent))];
        let messages = messages.map(|(direction, count)| ([direction.to_owned()], count));
        out.gauge(&families::WEBSOCKETS_OPEN, used.then_some(([], open)))?;
        out.counter(&families::WEBSOCKETS_CLOSED, closed)?;
        out.counter(&families::WEBSOCKET_MESSAGES, messages.into_iter().filter(|_| used))
    }
}

// === impl OpenSocket ===

impl OpenSocket {
    /// One more.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        metrics.websockets.open.fetch_add(1, Ordering::Relaxed);
        Self { metrics, received: 0, sent: 0 }
    }

    /// The caller said something.
    pub fn received(&mut self) {
        self.received += 1;
        self.metrics.websockets.received.fetch_add(1, Ordering::Relaxed);
    }

    /// The caller was told something.
    pub fn sent(&mut self) {
        self.sent += 1;
        self.metrics.websockets.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// It was closed with `code` by `by`: `caller` or `server`. What was received and sent.
    pub fn over(self, code: u16, by: &'static str) -> (u64, u64) {
        let code = CODES.iter().find(|(known, _)| *known == code).map_or("other", |(_, name)| name);
        self.metrics.websockets.closed.add([code, by]);
        (self.received, self.sent)
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.metrics.websockets.open.fetch_sub(1, Ordering::Relaxed);
    }
}
