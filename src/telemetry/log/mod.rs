//! The log: to the standard error stream and to files, by threads of their own, so that no request waits for a slow reader.

mod line;

use std::io::{self, BufWriter, IsTerminal};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{self, RollingFileAppender};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::writer::MakeWriterExt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use line::OneLine;

/// What a file's name begins with; the date comes next, where files rotate.
pub const PREFIX: &str = "mortise";
/// What a file's name ends with.
pub const SUFFIX: &str = "log";

/// Lines that may wait to be written; what comes when there are so many is dropped, and counted.
const WAITING: usize = 16 << 10;
/// Lines are handed to the system in pieces of this size while there are many, and at once while there are few.
const PIECE: usize = 64 << 10;
/// How often it is said that lines were dropped.
const REPORT: Duration = Duration::from_secs(10);

/// Who compiles plugins tells gigabytes of it at `trace`; directives can still ask for that by name.
const QUIET: &str = "cranelift=warn,regalloc2=warn,wasmtime=warn";

/// For whom the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// When a new file is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names explain themselves")]
pub enum Rotation {
    Hourly,
    Daily,
    Never,
}

/// Files of the log.
#[derive(Clone, Debug)]
pub struct Files {
    /// Where they are.
    pub directory: PathBuf,
    /// When a new one is begun.
    pub rotation: Rotation,
    /// How many are kept, beside the one that is written.
    pub keep: usize,
}

/// What is logged, how, and where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A level or directives.
    pub level: String,
    /// For whom.
    pub format: Format,
    /// Whether it goes to the standard error stream.
    pub console: bool,
    /// The files that it goes to.
    pub files: Option<Files>,
}

/// Writes what is still waiting when it is dropped, within about a second.
#[must_use]
pub struct Guard {
    _writers: Vec<WorkerGuard>,
}

/// Of the writers of this process's log.
static DROPPED: OnceLock<Vec<ErrorCounter>> = OnceLock::new();

/// Starts the log of the whole process.
///
/// # Errors
/// Says which directive of `logging.level` can't be read.
pub fn start(settings: &Settings) -> Result<Guard, String> {
    if let Some(word) = settings.level.split(',').map(str::trim).find(|directive| is_misspelt(directive)) {
        return Err(format!(
            "logging.level: `{word}` is no level; write error, warn, info, debug, trace or target=level"
        ));
    }
    let filter = EnvFilter::try_new(format!("{QUIET},{}", levels(&settings.level)))
        .map_err(|error| format!("logging.level: {error}; write error, warn, info, debug, trace or target=level"))?;
    let (files, trouble) = match settings.files.as_ref().map(open).transpose() {
        Ok(files) => (files, None),
        Err(trouble) => (None, Some(trouble)),
    };
    let mut started = Started::default();
    let colours = io::stderr().is_terminal() && settings.format == Format::Text;
    // Whoever can't write files must say so somewhere.
    let console = (settings.console || trouble.is_some()).then(|| started.writer("log-console", io::stderr()));
    let files = files.map(|files| started.writer("log-files", files));
    // A line that looks the same in both places is made once.
    let layers = match (console, files) {
        (Some(console), Some(files)) if !colours => vec![layer(settings.format, false, console.and(files))],
        (console, files) => {
            let console = console.map(|console| layer(settings.format, colours, console));
            let files = files.map(|files| layer(settings.format, false, files));
            console.into_iter().chain(files).collect()
        }
    };
    tracing_subscriber::registry().with(layers).with(filter).try_init().map_err(|error| error.to_string())?;
    // Nobody else has set it: the log starts once.
    let _ = DROPPED.set(started.counters);
    if let Some(trouble) = trouble {
        tracing::warn!("{trouble}; nothing is logged to files until it can be written and the server starts again");
    }
    Ok(Guard { _writers: started.guards })
}

/// Lines that were dropped because they could not be written fast enough.
pub fn dropped() -> u64 {
    DROPPED.get().into_iter().flatten().map(|counter| counter.dropped_lines() as u64).sum()
}

/// Says now and then that lines were dropped, if some were.
pub async fn report_dropped() {
    let mut told = 0;
    loop {
        tokio::time::sleep(REPORT).await;
        let now = dropped();
        if now > told {
            tracing::warn!(lines = now - told, "{} lines of the log were dropped: it is read too slowly", now - told);
            told = now;
        }
    }
}

/// What has been started so far.
#[derive(Default)]
struct Started {
    guards: Vec<WorkerGuard>,
    counters: Vec<ErrorCounter>,
}

impl Started {
    /// Writes to `into` on a thread of its own.
    fn writer(&mut self, name: &str, into: impl io::Write + Send + 'static) -> NonBlocking {
        let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(WAITING).thread_name(name);
        let (writer, guard) = builder.finish(BufWriter::with_capacity(PIECE, into));
        self.guards.push(guard);
        self.counters.push(writer.error_counter());
        writer
    }
}

fn layer<W>(format: Format, colours: bool, writer: W) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    match format {
        Format::Text => {
            fmt::layer().with_target(false).with_ansi(colours).with_writer(OneLine { writer, colours }).boxed()
        }
        Format::Json => fmt::layer().json().flatten_event(true).with_current_span(false).with_writer(writer).boxed(),
    }
}

fn open(files: &Files) -> Result<RollingFileAppender, String> {
    let Files { directory, rotation, keep } = files;
    let trouble = |error: &dyn std::fmt::Display| format!("logging.directory {}: {error}", directory.display());
    // Who may read the log is the operator's to say: nobody else, unless the directory is there already.
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|error| trouble(&error))?;
    let builder = RollingFileAppender::builder().filename_prefix(PREFIX).filename_suffix(SUFFIX);
    let builder = match rotation {
        Rotation::Hourly => builder.rotation(rolling::Rotation::HOURLY),
        Rotation::Daily => builder.rotation(rolling::Rotation::DAILY),
        // One file is all that there is: nothing to be tidied up.
        Rotation::Never => return builder.build(directory).map_err(|error| trouble(&error)),
    };
    builder.max_log_files(keep.saturating_add(1)).build(directory).map_err(|error| trouble(&error))
}

/// `directives` in the words of the filter: the documents also know WARNING and CRITICAL.
fn levels(directives: &str) -> String {
    let word = |word: &str| match word.trim().to_ascii_lowercase().as_str() {
        "warning" => "warn".to_owned(),
        "critical" => "error".to_owned(),
        "debug" | "info" | "error" | "warn" | "trace" | "off" => word.trim().to_ascii_lowercase(),
        _ => word.to_owned(),
    };
    let directive = |directive: &str| match directive.trim().rsplit_once('=') {
        Some((target, level)) => format!("{target}={}", word(level)),
        None => word(directive.trim()),
    };
    directives.split(',').map(directive).collect::<Vec<_>>().join(",")
}

/// A lone word that is no level would be taken for a target, and everything else would be silent.
fn is_misspelt(directive: &str) -> bool {
    const KNOWN: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
    let lone = !directive.contains(['=', ':', '[']) && !directive.starts_with("mortise");
    lone && !KNOWN.contains(&levels(directive).as_str()) && directive.parse::<u8>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_level_is_not_taken_for_a_target() {
        for wrong in ["inof", "verbose", "", "mortis"] {
            assert!(is_misspelt(wrong), "{wrong}");
        }
        for right in ["info", "WARNING", "Critical", "off", "3", "mortise", "mortise::egress", "hyper=info", "[span]"] {
            assert!(!is_misspelt(right), "{right}");
        }
    }

    #[test]
    fn levels_of_the_documents_are_known() {
        for (written, meant) in [
            ("WARNING", "warn"),
            ("CRITICAL", "error"),
            ("INFO", "info"),
            ("Info, mortise::egress=DEBUG,h2=critical", "info,mortise::egress=debug,h2=error"),
            ("my::Target", "my::Target"),
        ] {
            assert_eq!(levels(written), meant);
        }
        assert!(EnvFilter::try_new(levels("loud=5x")).is_err());
    }

    #[test]
    fn a_reader_who_is_slow_holds_nobody_up() {
        struct Blocked(std::sync::mpsc::Receiver<()>);
        impl io::Write for Blocked {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                // Until the other end is gone.
                let _ = self.0.recv();
                Ok(bytes.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (reader, pipe) = std::sync::mpsc::channel();
        let mut started = Started::default();
        let mut writer = started.writer("test", Blocked(pipe));
        let line = [b'x'; 4096];
        for _ in 0..2 * WAITING {
            io::Write::write_all(&mut writer, &line).unwrap();
        }
        let dropped = started.counters[0].dropped_lines();
        assert!(dropped >= WAITING - 2 * PIECE / line.len(), "only {dropped} were dropped");
        drop(reader);
    }

    #[test]
    fn what_a_restart_finds_stays() {
        let home = tempfile::tempdir().unwrap();
        let files = |keep| Files { directory: home.path().join("logs"), rotation: Rotation::Daily, keep };
        for _ in 0..3 {
            let mut appender = open(&files(1)).unwrap();
            io::Write::write_all(&mut appender, b"line\n").unwrap();
        }
        let names: Vec<_> = std::fs::read_dir(home.path().join("logs")).unwrap().map(|entry| entry.unwrap()).collect();
        assert_eq!(names.len(), 1);
        assert_eq!(std::fs::read_to_string(names[0].path()).unwrap(), "line\nline\nline\n");
    }
}
