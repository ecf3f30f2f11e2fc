//! What the server tells its operators: the log, and counts of what it does.

pub mod stats;

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, Logging};

/// Starts the log on the standard error stream, for the whole process.
///
/// # Errors
/// Says which directive of `logging.level` can't be read.
pub fn start(config: &Logging) -> Result<(), String> {
    let filter = EnvFilter::try_new(&config.level)
        .map_err(|error| format!("logging.level: {error}; write error, warn, info, debug, trace or target=level"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match config.format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
    };
    started.map_err(|error| error.to_string())
}
