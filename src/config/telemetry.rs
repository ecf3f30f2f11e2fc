//! `logging` and `telemetry`: what the server tells its operators, and where.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Secret;
use super::units::{duration, or_default};

/// `logging`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Logging {
    /// `error`, `warn`, `info`, `debug`, `trace`, the documents' `WARNING` and `CRITICAL`, or directives such as `info,mortise::egress=debug`.
    pub level: String,
    /// For people or for programs.
    pub format: LogFormat,
    /// Whether the log goes to the standard error stream.
    pub console: bool,
    /// Whether it goes to files too.
    pub file: bool,
    /// Where they are.
    pub directory: PathBuf,
    /// When a new one is begun.
    pub rotation: Rotation,
    /// How many are kept, beside the one that is written.
    pub keep: usize,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names explain themselves")]
pub enum LogFormat {
    Text,
    Json,
}

/// When a new file is begun.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names explain themselves")]
pub enum Rotation {
    Hourly,
    Daily,
    Never,
}

/// `telemetry`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// Whether `/metrics` answers.
    pub metrics: bool,
    /// OpenTelemetry.
    #[serde(deserialize_with = "or_default")]
    pub otlp: Otlp,
}

/// `telemetry.otlp`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Otlp {
    /// Whether traces and metrics are exported.
    pub enabled: bool,
    /// The collector's address for OTLP over HTTP, without `/v1/traces`.
    pub endpoint: String,
    /// Headers for the collector; values only by reference.
    pub headers: BTreeMap<String, Secret>,
    /// The name under which the server reports.
    pub service_name: String,
    /// The part of requests that are traced, if the caller doesn't decide: 0 to 1.
    pub sample_ratio: f64,
    /// How often metrics are sent.
    #[serde(with = "duration")]
    pub interval: Duration,
    /// Whether vendors are told the trace (`traceparent`).
    pub propagate: bool,
}

// === defaults ===

impl Default for Logging {
    fn default() -> Self {
        Self {
            level: "info".into(),
            format: LogFormat::Text,
            console: true,
            file: true,
            directory: "~/.mortise/logs".into(),
            rotation: Rotation::Daily,
            keep: 7,
        }
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { metrics: true, otlp: Otlp::default() }
    }
}

impl Default for Otlp {
    fn default() -> Self {
        Self {
            enabled: false,
            endpoint: "http://127.0.0.1:4318".into(),
            headers: BTreeMap::new(),
            service_name: "mortise".into(),
            sample_ratio: 1.0,
            interval: Duration::from_secs(60),
            propagate: false,
        }
    }
}
