//! What operators learn: metrics, traces, the log.

mod logs;
mod metrics;
mod traces;
