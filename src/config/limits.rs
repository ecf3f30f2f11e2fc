//! `plugins.limits`: what bounds a plugin, and what one plugin has in place of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::units::{byte_size, duration};

/// What bounds a plugin.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Linear memory of an instance.
    #[serde(with = "byte_size")]
    pub memory: usize,
    /// Elements of an instance's tables.
    pub table_elements: usize,
    /// Handles to the host's resources that an instance may hold.
    pub handles: u32,
    /// Processor time of one call into the guest.
    #[serde(with = "duration")]
    pub cpu: Duration,
    /// What one call may hand to the host.
    #[serde(with = "byte_size")]
    pub call_bytes: usize,
    /// What one exchange may answer.
    #[serde(with = "byte_size")]
    pub output: usize,
    /// What one exchange may log; further words are dropped, and the log says so.
    #[serde(with = "byte_size")]
    pub log: usize,
    /// HTTP requests of one exchange.
    pub requests: u32,
    /// Exchanges at once.
    pub concurrency: usize,
    /// Processor time of one tool call.
    #[serde(with = "duration")]
    pub tool_cpu: Duration,
    /// From a tool call's beginning to its end, waiting included.
    #[serde(with = "duration")]
    pub time: Duration,
    /// Bodies of the HTTP responses of one tool call, together.
    #[serde(with = "byte_size")]
    pub download: usize,
    /// What one tool call may write to the session's files.
    #[serde(with = "byte_size")]
    pub files: usize,
    /// What a tool may remember, keys and values together.
    #[serde(with = "byte_size")]
    pub kv: usize,
}

/// Limits of one plugin.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see Limits")]
pub struct PartialLimits {
    #[serde(with = "byte_size::option")]
    pub memory: Option<usize>,
    pub table_elements: Option<usize>,
    pub handles: Option<u32>,
    #[serde(with = "duration::option")]
    pub cpu: Option<Duration>,
    #[serde(with = "byte_size::option")]
    pub call_bytes: Option<usize>,
    #[serde(with = "byte_size::option")]
    pub output: Option<usize>,
    #[serde(with = "byte_size::option")]
    pub log: Option<usize>,
    pub requests: Option<u32>,
    pub concurrency: Option<usize>,
    #[serde(with = "duration::option")]
    pub tool_cpu: Option<Duration>,
    #[serde(with = "duration::option")]
    pub time: Option<Duration>,
    #[serde(with = "byte_size::option")]
    pub download: Option<usize>,
    #[serde(with = "byte_size::option")]
    pub files: Option<usize>,
    #[serde(with = "byte_size::option")]
    pub kv: Option<usize>,
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            table_elements: 20_000,
            handles: 1000,
            cpu: Duration::from_millis(200),
            call_bytes: 32 << 20,
            output: 64 << 20,
            log: 64 << 10,
            requests: 8,
            concurrency: 1000,
            tool_cpu: Duration::from_secs(5),
            time: Duration::from_secs(120),
            download: 32 << 20,
            files: 256 << 20,
            kv: 1 << 20,
        }
    }
}

impl Limits {
    /// These, with each of `own` in its place.
    pub fn with(self, own: &PartialLimits) -> Self {
        Self {
            memory: own.memory.unwrap_or(self.memory),
            table_elements: own.table_elements.unwrap_or(self.table_elements),
            handles: own.handles.unwrap_or(self.handles),
            cpu: own.cpu.unwrap_or(self.cpu),
            call_bytes: own.call_bytes.unwrap_or(self.call_bytes),
            output: own.output.unwrap_or(self.output),
            log: own.log.unwrap_or(self.log),
            requests: own.requests.unwrap_or(self.requests),
            concurrency: own.concurrency.unwrap_or(self.concurrency),
            tool_cpu: own.tool_cpu.unwrap_or(self.tool_cpu),
            time: own.time.unwrap_or(self.time),
            download: own.download.unwrap_or(self.download),
            files: own.files.unwrap_or(self.files),
            kv: own.kv.unwrap_or(self.kv),
        }
    }
}
