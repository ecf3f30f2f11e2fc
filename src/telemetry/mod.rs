//! What the server tells its operators: the log, metrics, traces, and counts of what it does.

pub mod log;
pub mod metrics;
pub mod otel;
pub mod stats;

use std::sync::Arc;

use metrics::Metrics;
use otel::Otel;
use stats::Stats;

/// What one server counts and traces; shared by whoever has something to tell.
#[derive(Debug)]
pub struct Telemetry {
    /// For `/metrics`.
    pub metrics: Arc<Metrics>,
    /// What `/api/v1/status` says beside that.
    pub stats: Stats,
    /// Absent where nothing is exported.
    pub otel: Option<Otel>,
}
