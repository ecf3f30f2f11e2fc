//! `mortise confine`: what the server starts in order to start a program. Nobody else has a use for it.
//!
//! Three stages, each a process: the outer one moves into namespaces, whose first process must be a new one; the inner one is
//! that, makes the file system, gives up its rights, watches, and reaps; the last one takes the limits on, and becomes the program.
//! Nothing of it is unsafe: each stage changes itself alone, and begins as a new program with one thread.

use std::fs;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use landlock::{
    ABI, Access, AccessFs, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope, path_beneath_rules,
};
use nix::sched::{CloneFlags, unshare};
use rustix::process::{Pid, Resource, Rlimit, Signal, WaitOptions, getppid, kill_process_group, setrlimit, setsid};
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::order::{Limits, Order};
use super::root::{self, LAUNCHER, WORKSPACE};
use super::{Found, watch};

/// Exit codes that say something of the launcher, not of the program.
pub(super) const UNCONFINED: i32 = 250;
pub(super) const TOO_MANY: i32 = 251;
pub(super) const TOO_LARGE: i32 = 252;
pub(super) const TOO_FULL: i32 = 249;
pub(super) const TIMED_OUT: i32 = 253;

/// How often a launcher looks whether the program has ended, and whether the server is still there.
const LOOK: Duration = Duration::from_millis(4);

/// A stage, as the command line names it.
#[derive(Clone, Debug)]
pub enum Stage {
    /// The server's child.
    Outer,
    /// The first process of a namespace; or, without namespaces, what gathers up orphans.
    Inner {
        /// Whether there are namespaces.
        apart: bool,
        /// Why there are none.
        why: String,
    },
    /// What becomes the program.
    Last {
        /// The limits, as JSON.
        limits: String,
        /// The program and what it is told.
        command: Vec<String>,
    },
}

/// Does what `stage` does, and returns the process's exit code.
pub fn run(stage: Stage) -> i32 {
    let outcome = match stage {
        Stage::Outer => outer(),
        Stage::Inner { apart, why } => inner(apart, why),
        Stage::Last { limits, command } => last(&limits, &command),
    };
    outcome.unwrap_or_else(|error| {
        // The server reads it.
        let _ = writeln!(io::stderr(), "the program can't be confined: {error}");
        UNCONFINED
    })
}

fn outer() -> io::Result<i32> {
    // Unbuffered: what follows the order isn't this stage's.
    let order = Order::read(fs::File::from(io::stdin().as_fd().try_clone_to_owned()?))?;
    // A server that was killed can't tell its children to end.
    let server = Pid::from_raw(i32::try_from(order.server).unwrap_or_default());
    if getppid() != server {
        return Err(io::Error::other("the server that ordered it is gone"));
    }
    setsid()?;
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let mut spaces = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWUSER;
    if !order.network {
        spaces |= CloneFlags::CLONE_NEWNET;
    }
    let moved = unshare(spaces).map_err(io::Error::from).and_then(|()| {
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
        fs::write("/proc/self/gid_map", format!("0 {gid} 1"))
    });
    let (apart, why) = match moved {
        Ok(()) => ("yes", String::new()),
        Err(error) => ("no", format!("the system refuses namespaces: {error}")),
    };
    let mut inner = Command::new("/proc/self/exe");
    inner.args(["confine", "--inner", apart, "--why", &why]).env_clear();
    let mut child = inner.spawn()?;
    // No thread can be started once children go into another namespace, so this one looks again and again.
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(code(status));
        }
        if getppid() != server
            && let Some(group) = Pid::from_raw(std::process::id().try_into().unwrap_or_default())
        {
            let _ = kill_process_group(group, Signal::KILL);
        }
        std::thread::park_timeout(LOOK);
    }
}

fn inner(apart: bool, why: String) -> io::Result<i32> {
    // Whatever ends the outer stage ends this one, and with it all that it started.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let order = Order::read(fs::File::from(io::stdin().as_fd().try_clone_to_owned()?))?;
    let mut found = Found { namespaces: apart, proc: !apart, landlock: "none".to_owned(), missing: None };
    if apart {
        match root::enter(&order) {
            Ok(proc) => found.proc = proc,
            // Half of it may be there already: nothing is started in that.
            Err(error) if order.program.is_some() => return Err(error),
            Err(error) => {
                found.namespaces = false;
                found.missing = Some(format!("the file system can't be made: {error}"));
            }
        }
        if found.proc {
            // Where the kernel counts them by namespace, it stops a flood before the watch does.
            let most = order.limits.processes.saturating_mul(2).max(320);
            let _ = fs::write("/proc/sys/kernel/pid_max", most.to_string());
        }
    } else {
        found.missing = Some(why);
        rustix::process::set_child_subreaper(Pid::from_raw(1))?;
    }
    renounce()?;
    match landlock(&order, found.namespaces) {
        Ok(status) => found.landlock = status.to_owned(),
        Err(error) => tracing::debug!(%error, "no Landlock"),
    }
    let Some(program) = &order.program else {
        let _ = serde_json::to_writer(io::stdout(), &found);
        return Ok(0);
    };
    if order.required && !found.keeps_files() {
        let missing = found.missing.unwrap_or_default();
        return Err(io::Error::other(format!("it could reach the server's files: {missing}")));
    }
    let limits = serde_json::to_string(&order.limits)?;
    let (launcher, place) = if found.namespaces {
        (PathBuf::from(LAUNCHER), PathBuf::from(WORKSPACE))
    } else {
        (std::env::current_exe()?, order.workspace.clone().unwrap_or_else(|| "/".into()))
    };
    let begin = match &order.directory {
        Some(directory) => place.join(directory).canonicalize()?,
        None => place.clone(),
    };
    if !begin.starts_with(place.canonicalize()?) {
        return Err(io::Error::other("the directory that it is to begin in is outside the workspace"));
    }
    let home = if found.namespaces { Path::new("/tmp") } else { place.as_path() };
    let path: Vec<_> = order.path.iter().map(|path| path.to_string_lossy()).collect();
    let mut last = Command::new(launcher);
    last.args(["confine", "--limits", &limits, "--"]).arg(program).args(&order.arguments);
    last.env_clear().current_dir(&begin);
    last.env("PATH", path.join(":")).env("HOME", home).env("TMPDIR", home).env("PWD", &begin).env("LANG", "C.UTF-8");
    let child = last.spawn()?;
    let (limits, time) = (order.limits, order.time);
    std::thread::spawn(move || watch::over(limits, time, &place));
    let outcome = reap(child.id())?;
    watch::kill_all();
    Ok(watch::verdict().unwrap_or(outcome))
}

/// Waits for `program`, and for whatever else was left to this process.
fn reap(program: u32) -> io::Result<i32> {
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if u32::try_from(pid.as_raw_nonzero().get()) == Ok(program) => {
                let signal = || status.terminating_signal().map(|signal| 128 + signal);
                return Ok(status.exit_status().or_else(signal).unwrap_or(UNCONFINED));
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Gives up whatever rights this process has, for good.
fn renounce() -> io::Result<()> {
    rustix::thread::set_no_new_privs(true)?;
    for number in 0..64 {
        // Beyond those that the kernel knows, it says that it doesn't.
        let _ = rustix::thread::remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number));
    }
    let none = CapabilitySet::empty();
    rustix::thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    Ok(())
}

/// Keeps to the same files by another lock, where the kernel has it.
fn landlock(order: &Order, namespaces: bool) -> Result<&'static str, landlock::RulesetError> {
    let abi = ABI::V6;
    let (read, all) = (AccessFs::from_read(abi), AccessFs::from_all(abi));
    let own = std::env::current_exe().ok();
    let mut readable: Vec<PathBuf> = root::SYSTEM.iter().chain(&root::ETC).map(PathBuf::from).collect();
    readable.extend(order.readable.iter().cloned());
    let mut writable: Vec<PathBuf> = ["/dev/null", "/dev/zero", "/dev/full"].map(PathBuf::from).to_vec();
    readable.extend(["/dev/random", "/dev/urandom"].map(PathBuf::from));
    let workspace = if namespaces {
        readable.extend([LAUNCHER, "/proc", "/dev"].map(PathBuf::from));
        writable.extend(["/tmp", "/dev/shm"].map(PathBuf::from));
        Some(PathBuf::from(WORKSPACE))
    } else {
        readable.extend(own);
        order.workspace.clone()
    };
    if order.writable {
        writable.extend(workspace)
    } else {
        readable.extend(workspace)
    }
    let status = Ruleset::default()
        .handle_access(all)?
        .scope(Scope::from_all(abi))?
        .create()?
        .add_rules(path_beneath_rules(&readable, read))?
        .add_rules(path_beneath_rules(&writable, all))?
        .restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => "full",
        RulesetStatus::PartiallyEnforced => "partial",
        RulesetStatus::NotEnforced => "none",
    })
}

fn last(limits: &str, command: &[String]) -> io::Result<i32> {
    let limits: Limits = serde_json::from_str(limits)?;
    let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut program = Command::new(program);
    program.args(arguments);
    let set = |resource, soft: u64, hard: u64| {
        setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) }).map_err(io::Error::from)
    };
    set(Resource::Core, 0, 0)?;
    set(Resource::Cpu, limits.cpu, limits.cpu + 1)?;
    set(Resource::Fsize, limits.file_size, limits.file_size)?;
    set(Resource::Nofile, 1024, 1024)?;
    // The launcher's own stages are among them.
    let _ = set(Resource::Nproc, limits.processes + 4, limits.processes + 4);
    // Address space is not memory: runtimes reserve far more than they use.
    let space = limits.memory.saturating_mul(4);
    set(Resource::As, space, space)?;
    Err(program.exec())
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(UNCONFINED)
}
