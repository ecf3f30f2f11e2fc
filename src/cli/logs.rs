//! `mortise logs`: the newest lines of the log's files, and those to come.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::block_on;
use crate::config::{self, Config};
use crate::telemetry::log::{PREFIX, SUFFIX};

/// How often a followed file is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// What is read at once.
const PIECE: usize = 64 << 10;
/// What is copied before somebody else may have a turn: a log may grow as fast as it is read.
const TURN: u64 = 1 << 20;

#[derive(Clone, Debug, Args)]
pub(super) struct LogsFlags {
    /// How many of the newest lines to print.
    #[arg(long, short = 'n', default_value_t = 100, value_name = "N")]
    tail: usize,
    /// Go on with what is logged from now on, until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
}

pub(super) fn run(flags: &LogsFlags, config: &Config) -> Result<ExitCode, String> {
    let directory = &config.logging.directory;
    let mut out = io::stdout().lock();
    let printed = print(flags.tail, &config.logging, &mut out).and_then(|(newest, known)| match flags.follow {
        false => Ok(()),
        true => block_on(async {
            // Heard from the beginning, whatever there is to copy first.
            let mut interrupt = signal(SignalKind::interrupt())?;
            tokio::select! {
                biased;
                _ = interrupt.recv() => Ok(()),
                ended = follow(directory, newest, known, &mut out) => ended,
            }
        })
        .map_err(io::Error::other)?,
    });
    match printed {
        Ok(()) => Ok(ExitCode::SUCCESS),
        // Whoever read it has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error.to_string()),
    }
}

/// Prints the newest `lines` lines, and returns the newest file, read to its end, and all that there were.
fn print(lines: usize, config: &config::Logging, out: &mut impl Write) -> io::Result<(File, HashSet<PathBuf>)> {
    let files = files(&config.directory)?;
    let known = files.iter().cloned().collect();
    let mut opened = Vec::new();
    let mut left = lines;
    for path in files.into_iter().rev() {
        // One that was tidied up a moment ago is no loss.
        let Ok(mut file) = File::open(&path) else { continue };
        let found = seek(&mut file, left)?;
        left = left.saturating_sub(found);
        opened.push(file);
        if left == 0 {
            break;
        }
    }
    opened.reverse();
    for file in &mut opened {
        io::copy(file, out)?;
    }
    out.flush()?;
    let newest = opened.pop().ok_or_else(|| {
        let cure = if config.file { "it is written once the server runs" } else { "set logging.file to true" };
        io::Error::new(ErrorKind::NotFound, format!("there is no log in {}; {cure}", config.directory.display()))
    })?;
    Ok((newest, known))
}

/// Prints what is added to `current`, and to files that weren't there before.
async fn follow(
    directory: &Path,
    mut current: File,
    mut known: HashSet<PathBuf>,
    out: &mut impl Write,
) -> io::Result<()> {
    loop {
        // Looked for before reading, so that what is added to a file until the next one is there isn't missed.
        let next = files(directory)?.into_iter().find(|path| !known.contains(path));
        let position = current.stream_position()?;
        if current.metadata()?.len() < position {
            current.rewind()?;
        }
        let copied = io::copy(&mut (&mut current).take(TURN), out)?;
        out.flush()?;
        match next.filter(|_| copied == 0) {
            Some(path) => {
                // One that is gone again is no loss.
                if let Ok(file) = File::open(&path) {
                    current = file;
                }
                known.insert(path);
            }
            None if copied == 0 => tokio::time::sleep(LOOK).await,
            None => tokio::task::yield_now().await,
        }
    }
}

/// The log's files, the oldest first.
fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io::Error::new(error.kind(), format!("can't read {}: {error}", directory.display()))),
    };
    let mut files: Vec<(SystemTime, PathBuf)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            is_log(entry.file_name().to_str()?).then_some(())?;
            Some((metadata.modified().ok()?, entry.path()))
        })
        .collect();
    // Names hold dates, but an operator may have changed how often there is a new one.
    files.sort();
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

/// `mortise.log`, `mortise.2026-01-31.log`.
fn is_log(name: &str) -> bool {
    let middle = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX)).unwrap_or_default();
    middle == "." || (middle.len() > 2 && middle.starts_with('.') && middle.ends_with('.'))
}

/// Moves to the beginning of the last `lines` lines, however long they are, and says how many there are from there on.
fn seek(file: &mut File, lines: usize) -> io::Result<usize> {
    let length = file.seek(SeekFrom::End(0))?;
    if lines == 0 {
        return Ok(0);
    }
    let (mut begin, mut found) = (length, 0);
    let mut piece = Vec::with_capacity(PIECE);
    while begin > 0 {
        let size = begin.min(PIECE as u64);
        begin -= size;
        file.seek(SeekFrom::Start(begin))?;
        piece.clear();
        file.take(size).read_to_end(&mut piece)?;
        for index in memchr::memrchr_iter(b'\n', &piece) {
            let at = begin + index as u64 + 1;
            // The last line's own end is none before it.
            if at == length {
                continue;
            }
            found += 1;
            if found == lines {
                file.seek(SeekFrom::Start(at))?;
                return Ok(found);
            }
        }
    }
    file.rewind()?;
    Ok(if length > 0 { found + 1 } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(text: &str, lines: usize) -> (usize, String) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let found = seek(&mut file, lines).unwrap();
        let mut rest = String::new();
        file.read_to_string(&mut rest).unwrap();
        (found, rest)
    }

    #[test]
    fn the_last_lines_are_found() {
        assert_eq!(tail("", 5), (0, String::new()));
        assert_eq!(tail("a\nb\nc\n", 2), (2, "b\nc\n".into()));
        assert_eq!(tail("a\nb\nc", 2), (2, "b\nc".into()));
        assert_eq!(tail("a\nb\nc\n", 3), (3, "a\nb\nc\n".into()));
        assert_eq!(tail("a\nb\nc\n", 9), (3, "a\nb\nc\n".into()));
        assert_eq!(tail("a\n", 0), (0, String::new()));
        assert_eq!(tail("\n\n\n", 2), (2, "\n\n".into()));
    }

    #[test]
    fn lines_may_be_longer_than_a_piece() {
        let long = "x".repeat(3 * PIECE);
        assert_eq!(tail(&format!("{long}\n{long}\nend\n"), 2), (2, format!("{long}\nend\n")));
        let edge = format!("{}\nlast\n", "y".repeat(PIECE - 6));
        assert_eq!(tail(&edge, 1), (1, "last\n".into()));
        assert_eq!(tail(&edge, 2).0, 2);
    }

    #[test]
    fn only_the_logs_files_are_read() {
        for name in ["mortise.log", "mortise.2026-01-31.log", "mortise.2026-01-31-13.log"] {
            assert!(is_log(name), "{name}");
        }
        for name in ["mortise", "mortise..log", "mortise.log.gz", "other.log", "mortise-x.log", ".log", "mortiselog"] {
            assert!(!is_log(name), "{name}");
        }
    }
}
