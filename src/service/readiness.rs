//! Whether requests are wanted: balancers ask, connections are told.

use std::sync::atomic::{AtomicU8, Ordering};

/// What the server is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It can't serve yet.
    Starting,
    /// It serves.
    Ready,
    /// It finishes what it has, and ends.
    Draining,
}

/// The phase, for everybody to see.
#[derive(Debug, Default)]
pub struct Readiness(AtomicU8);

// === impl Readiness ===

impl Readiness {
    /// What the server is about to do.
    pub fn phase(&self) -> Phase {
        match self.0.load(Ordering::Relaxed) {
            0 => Phase::Starting,
            1 => Phase::Ready,
            _ => Phase::Draining,
        }
    }

    /// It serves from now on.
    pub fn ready(&self) {
        self.0.fetch_max(1, Ordering::Relaxed);
    }

    /// It ends soon; there is no way back.
    pub fn drain(&self) {
        self.0.store(2, Ordering::Relaxed);
    }

    /// Whether it ends soon.
    pub fn is_draining(&self) -> bool {
        self.phase() == Phase::Draining
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_way_back() {
        let readiness = Readiness::default();
        assert_eq!(readiness.phase(), Phase::Starting);
        readiness.ready();
        assert_eq!(readiness.phase(), Phase::Ready);
        readiness.drain();
        readiness.ready();
        assert!(readiness.is_draining());
    }
}
