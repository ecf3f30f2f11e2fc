//! What the server tells its operators: the log, and counts of what it does.

pub mod stats;

use tracing_subscriber::EnvFilter;

/// For whom the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Starts the log on the standard error stream, for the whole process.
///
/// # Errors
/// Says which directive of `logging.level` can't be read.
pub fn start(level: &str, format: Format) -> Result<(), String> {
    let filter = EnvFilter::try_new(level)
        .map_err(|error| format!("logging.level: {error}; write error, warn, info, debug, trace or target=level"))?;
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    let started = match format {
        Format::Text => builder.with_target(false).try_init(),
        Format::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
    };
    started.map_err(|error| error.to_string())
}
