//! What a program takes, looked at again and again from within: processes, their memory, the workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::launch::{TIMED_OUT, TOO_FULL, TOO_LARGE, TOO_MANY};
use super::order::Limits;

/// How often it is looked.
const EVERY: Duration = Duration::from_millis(20);
/// How often the workspace is measured at most; one that takes long to measure is measured less often.
const MEASURED: Duration = Duration::from_millis(200);
/// The part of the time that measuring may take.
const SHARE: u32 = 20;
/// How often a process that won't go is told to.
const ATTEMPTS: u32 = 200;

/// The first process of a namespace.
const FIRST: u32 = 1;

/// A process, as the system's table has it.
struct Process {
    parent: u32,
    /// In pages.
    resident: u64,
}

/// Ends this process with all below it once they are more than they may be, or `workspace` holds more. Never returns.
pub(super) fn over(limits: Limits, time: Duration, workspace: &Path) -> ! {
    #[expect(clippy::disallowed_methods, reason = "a process of its own, in which nobody injects a clock")]
    let began = Instant::now();
    let page = rustix::param::page_size() as u64;
    let mut measure_at = MEASURED;
    loop {
        std::thread::park_timeout(EVERY);
        if began.elapsed() > time {
            end(TIMED_OUT);
        }
        if let Some(room) = limits.room
            && began.elapsed() >= measure_at
        {
            let before = began.elapsed();
            if held(workspace, room) > room {
                end(TOO_FULL);
            }
            measure_at = began.elapsed() + ((began.elapsed() - before) * SHARE).max(MEASURED);
        }
        let table = table();
        let below = below(&table, std::process::id());
        if below.len() as u64 > limits.processes {
            end(TOO_MANY);
        }
        let pages: u64 = below.iter().filter_map(|pid| Some(table.get(pid)?.resident)).sum();
        if pages.saturating_mul(page) > limits.memory {
            end(TOO_LARGE);
        }
    }
}

/// Bytes of the files below `directory`; once they are more than `enough`, the rest isn't looked at. Links aren't followed.
fn held(directory: &Path, enough: u64) -> u64 {
    let (mut bytes, mut directories) = (0, vec![directory.to_owned()]);
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => directories.push(entry.path()),
                Ok(kind) if kind.is_file() => bytes += entry.metadata().map_or(0, |metadata| metadata.len()),
                _ => {}
            }
        }
        if bytes > enough {
            break;
        }
    }
    bytes
}

/// Why all was ended, as an exit code; 0 if it wasn't.
static VERDICT: AtomicI32 = AtomicI32::new(0);

fn end(code: i32) -> ! {
    // Before the program is killed: whoever waits for it asks for the reason then.
    VERDICT.store(code, Ordering::SeqCst);
    kill_all();
    std::process::exit(code)
}

/// Why all was ended, if it was.
pub(super) fn verdict() -> Option<i32> {
    Some(VERDICT.load(Ordering::SeqCst)).filter(|code| *code != 0)
}

/// Kills all processes below this one; where it is the first of its namespace, its own end does so, and faster than any flood.
pub(super) fn kill_all() {
    if std::process::id() == FIRST {
        return;
    }
    for _ in 0..ATTEMPTS {
        let below = below(&table(), std::process::id());
        if below.is_empty() {
            return;
        }
        for pid in below {
            if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        std::thread::park_timeout(EVERY / 4);
    }
}

/// All processes that can be seen, without those that are over.
fn table() -> BTreeMap<u32, Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name stands in brackets and may hold anything.
            let mut fields = stat.get(stat.rfind(')')? + 2..)?.split(' ');
            let state = fields.next()?;
            let parent = fields.next()?.parse().ok()?;
            let resident = fields.nth(19)?.parse().unwrap_or_default();
            (state != "Z").then_some((pid, Process { parent, resident }))
        })
        .collect()
}

/// The descendants of `root`.
fn below(table: &BTreeMap<u32, Process>, root: u32) -> BTreeSet<u32> {
    let mut below = BTreeSet::new();
    let mut grown = true;
    while grown {
        grown = false;
        for (pid, process) in table {
            if (process.parent == root || below.contains(&process.parent)) && *pid != root {
                grown |= below.insert(*pid);
            }
        }
    }
    below
}
