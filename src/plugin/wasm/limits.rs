//! Memory and tables of an instance: asked at every growth.

use wasmtime::{ResourceLimiter, Result};

use crate::config;

/// Core instances of one component instance: the guest, its adapter and their shims.
pub(super) const CORE_INSTANCES: usize = 16;
/// Memories and tables of one component instance.
pub(super) const MEMORIES: usize = 4;
/// See [`MEMORIES`].
pub(super) const TABLES: usize = 16;

/// Bounds one store.
#[derive(Debug)]
pub(super) struct Limiter {
    memory: usize,
    table_elements: usize,
    used: usize,
    /// What the growth admitted last added to it.
    admitted: usize,
    /// The limit that the guest ran into, in words, for the error of the trap that follows.
    pub(super) hit: Option<String>,
}

// === impl Limiter ===

impl Limiter {
    pub(super) fn new(limits: &config::Limits) -> Self {
        Self { memory: limits.memory, table_elements: limits.table_elements, used: 0, admitted: 0, hit: None }
    }

    /// A call begins: what an earlier one ran into says nothing about it.
    pub(super) fn begin_call(&mut self) {
        self.hit = None;
    }

    /// Bytes of linear memory, all memories together.
    pub(super) fn used(&self) -> usize {
        self.used
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        let used = self.used.saturating_sub(current).saturating_add(desired);
        if used > self.memory {
            self.hit = Some(format!("its memory of {} bytes is full; raise plugins.limits.memory", self.memory));
            return Ok(false);
        }
        self.admitted = desired.saturating_sub(current);
        self.used = used;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> Result<()> {
        self.used = self.used.saturating_sub(std::mem::take(&mut self.admitted));
        Ok(())
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        if desired > self.table_elements {
            self.hit = Some(format!(
                "its table of {} elements is full; raise plugins.limits.table_elements",
                self.table_elements
            ));
            return Ok(false);
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES
    }

    fn tables(&self) -> usize {
        TABLES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_growth_that_failed_is_given_back() {
        let mut limiter = Limiter::new(&config::Limits { memory: 100, ..config::Limits::default() });
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(limiter.memory_growing(60, 90, Some(80)).unwrap());
        limiter.memory_grow_failed(wasmtime::Error::msg("beyond its maximum")).unwrap();
        assert_eq!(limiter.used(), 60);
        assert!(!limiter.memory_growing(60, 101, None).unwrap());
        assert!(limiter.hit.is_some());
        limiter.begin_call();
        assert!(limiter.hit.is_none());
    }
}
