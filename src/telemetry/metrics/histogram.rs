//! A histogram that many threads can observe at once without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds, in seconds: from what the server itself takes to what a model takes. 0.1 and 1.0 are among them, because
/// that is where objectives are usually set.
pub const SECONDS: [f64; 18] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];

/// How long something took, over [`SECONDS`].
#[derive(Debug, Default)]
pub struct Histogram {
    /// What fell into each bucket; the last one is whatever is above all bounds.
    buckets: [AtomicU64; SECONDS.len() + 1],
    /// A sum of integers needs no loop, and loses nothing. Nanoseconds overflow after 584 years.
    nanos: AtomicU64,
}

/// What a histogram held at one moment.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// Bound and count, not cumulated.
    pub(super) buckets: Vec<(f64, u64)>,
    pub(super) sum: f64,
    pub(super) count: u64,
}

// === impl Histogram ===

impl Histogram {
    /// Counts something that took `time`.
    pub fn observe(&self, time: Duration) {
        let seconds = time.as_secs_f64();
        let index = SECONDS.partition_point(|bound| *bound < seconds);
        if let Some(bucket) = self.buckets.get(index) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.nanos.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// What it holds now; nothing if nothing was ever observed.
    pub(super) fn read(&self) -> Option<Reading> {
        let bounds = SECONDS.iter().copied().chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> =
            bounds.zip(self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed))).collect();
        // The count is that of the buckets, so that the two never contradict each other.
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = Duration::from_nanos(self.nanos.load(Ordering::Relaxed)).as_secs_f64();
        (count > 0).then_some(Reading { buckets, sum, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_own_bucket() {
        let histogram = Histogram::default();
        assert!(histogram.read().is_none());
        for millis in [100, 101, 1000, 400_000] {
            histogram.observe(Duration::from_millis(millis));
        }
        let reading = histogram.read().unwrap();
        let within = |bound: f64| -> u64 {
            reading.buckets.iter().filter(|bucket| bucket.0 <= bound).map(|bucket| bucket.1).sum()
        };
        assert_eq!((within(0.05), within(0.1), within(0.25), within(1.0), within(300.0)), (0, 1, 2, 3, 3));
        assert_eq!((reading.count, within(f64::INFINITY)), (4, 4));
        assert!((reading.sum - 401.201).abs() < 1e-6);
    }

    #[test]
    fn bounds_rise() {
        assert!(SECONDS.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
