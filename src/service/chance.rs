//! Chance, given to whoever needs it, so that tests can give their own.

use std::sync::Arc;

/// Draws numbers.
#[derive(Clone)]
pub struct Chance {
    draw: Arc<dyn Fn() -> f64 + Send + Sync>,
}

// === impl Chance ===

impl Chance {
    /// Numbers that nobody can foretell, good enough to spread load; nothing secret hangs on them.
    pub fn system() -> Self {
        Self::from_fn(fastrand::f64)
    }

    /// Whatever `draw` says.
    pub fn from_fn(draw: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self { draw: Arc::new(draw) }
    }

    /// A number from 0 up to, but not including, 1.
    pub fn draw(&self) -> f64 {
        (self.draw)()
    }
}
