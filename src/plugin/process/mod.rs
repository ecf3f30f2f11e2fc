//! Programs that tools start, confined.
//!
//! They run without the server's files, without the network, without what else runs here, bounded in time, memory and number,
//! and are gone with all that they started.
//!
//! The server starts itself again as `mortise confine` ([`launch`]), because a process can only confine itself, and only before
//! it does anything else. What that reads first is its [`Order`]. It moves into namespaces of its own (user, mounts, processes,
//! network, names), sees of the file system the system's directories, read-only, and the workspace at `/workspace`
//! ([`root`]), gives up all capabilities, lets Landlock hold the same line where the kernel has it, and only then starts the
//! program. The first process of a process namespace takes all others with it, so nothing is left in the background.
//!
//! Memory and number of all processes together are watched from within ([`watch`]), because the limits that the system has for
//! them are per process, or per user.
//!
//! Where the system has no such namespaces, [`Runner::confinement`] says so, and nothing is started unless the operator wants
//! that (`plugins.process.confinement`).

pub mod launch;
mod order;
mod output;
mod root;
mod watch;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command as Process};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use self::order::Order;
use self::output::{Kept, keep};
use crate::config;

/// Starts programs.
pub struct Runner {
    config: config::Process,
    /// What this system can do, once somebody asked.
    found: OnceCell<Found>,
}

/// A program that is to be run.
#[derive(Clone, Debug)]
pub struct Command {
    /// Its name, which is looked for in `plugins.process.path`.
    pub program: String,
    /// What it is told.
    pub arguments: Vec<String>,
    /// Where in the workspace it begins, relative to it.
    pub directory: Option<String>,
    /// What it reads.
    pub stdin: Vec<u8>,
    /// Less time than the operator allows.
    pub time: Option<Duration>,
    /// Where it works.
    pub workspace: PathBuf,
    /// Whether it may change what is there.
    pub writable: bool,
    /// Bytes that the workspace may hold in all.
    pub room: Option<u64>,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// Its exit code; 128 and a signal's number if that ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it complained of.
    pub stderr: Vec<u8>,
    /// Whether it printed more than was kept.
    pub truncated: bool,
    /// The limit that stopped it, in words.
    pub hit: Option<String>,
}

/// Why nothing came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// There is no such program.
    NotFound,
    /// It took longer than this.
    TimedOut(Duration),
    /// It can't be confined, and so wasn't started; says why, and what to do.
    Unconfined(String),
}

/// How well this system confines.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Found {
    /// Whether there are namespaces, with a file system of their own.
    pub(crate) namespaces: bool,
    /// Whether the program sees processes, and so can be watched.
    pub(crate) proc: bool,
    /// How far Landlock goes: `full`, `partial`, `none`.
    pub(crate) landlock: String,
    /// What is missing, in the system's words.
    pub(crate) missing: Option<String>,
}

/// Kills a launcher and all that it started, unless it has ended.
struct Leash(Option<Pid>);

/// Printing goes on being read for so many times what is kept; then the program is stopped.
const PATIENCE_WITH_OUTPUT: usize = 16;
/// What the launcher may take beyond the program's own time.
const LAUNCH: Duration = Duration::from_secs(5);

// === impl Runner ===

impl Runner {
    /// Starts what `config` allows.
    pub fn new(config: config::Process) -> Self {
        Self { config, found: OnceCell::new() }
    }

    /// How programs are kept apart, once that is known.
    pub fn confinement(&self) -> Option<String> {
        self.found.get().map(Found::words)
    }

    /// Finds out how well programs can be confined here, and says in the log what is missing.
    pub async fn probe(&self) {
        self.found().await;
    }

    async fn found(&self) -> &Found {
        self.found
            .get_or_init(|| async {
                let order = Order::probing(&self.config);
                let found = match self.launch(&order, &[], LAUNCH).await {
                    Ok(done) => serde_json::from_slice(&done.stdout)
                        .unwrap_or_else(|_| Found::nothing(String::from_utf8_lossy(&done.stderr).trim().to_owned())),
                    Err(failed) => Found::nothing(failed.to_string()),
                };
                match &found.missing {
                    None => tracing::info!("programs that tools start are confined: {}", found.words()),
                    Some(_) => tracing::warn!("programs that tools start can't be fully confined: {}", found.words()),
                }
                found
            })
            .await
    }

    /// Runs a program to its end. Whoever drops the future stops it, and all that it started.
    ///
    /// # Errors
    /// If it wasn't started, or had to be stopped.
    pub async fn run(&self, command: Command) -> Result<Done, Failed> {
        let program = self.find(&command.program).ok_or(Failed::NotFound)?;
        let found = self.found().await;
        if self.config.confinement == config::Confinement::Required && !found.keeps_files() {
            return Err(Failed::Unconfined(format!(
                "{}; allow user namespaces or Landlock, or set plugins.process.confinement: best-effort",
                found.words()
            )));
        }
        let time = command.time.unwrap_or(Duration::MAX).min(self.config.time);
        let order = Order::running(&self.config, program, &command, time);
        self.launch(&order, &command.stdin, time).await
    }

    /// Where `program` is, if it is one.
    fn find(&self, program: &str) -> Option<PathBuf> {
        self.config.path.iter().map(|directory| directory.join(program)).find(|path| is_executable(path))
    }

    async fn launch(&self, order: &Order, stdin: &[u8], time: Duration) -> Result<Done, Failed> {
        let unconfined = |error: std::io::Error| Failed::Unconfined(format!("the launcher can't be started: {error}"));
        let launcher = match &self.config.launcher {
            Some(launcher) => launcher.clone(),
            None => std::env::current_exe().map_err(unconfined)?,
        };
        let mut process = Process::new(launcher);
        process.arg("confine").env_clear().current_dir("/").kill_on_drop(true);
        process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = process.spawn().map_err(unconfined)?;
        let mut leash = Leash(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
        // Each of its two stages reads one.
        let written = order.written();
        let input = [written.as_slice(), written.as_slice(), stdin].concat();
        let outcome = timeout(time.saturating_add(LAUNCH), attend(&mut child, input, self.config.output)).await;
        let Ok((status, stdout, stderr)) = outcome else {
            leash.pull();
            let _ = child.wait().await;
            return Err(Failed::TimedOut(time));
        };
        if status.is_ok() {
            leash.0 = None;
        }
        let mut done = Done {
            code: status.ok().and_then(|status| status.code()),
            truncated: stdout.truncated || stderr.truncated,
            hit: None,
            stdout: stdout.bytes,
            stderr: stderr.bytes,
        };
        let limits = &self.config;
        match done.code {
            Some(launch::UNCONFINED) => {
                return Err(Failed::Unconfined(String::from_utf8_lossy(&done.stderr).trim().to_owned()));
            }
            Some(launch::TIMED_OUT) => return Err(Failed::TimedOut(time)),
            Some(launch::TOO_MANY) => {
                let most = limits.processes;
                done.hit = Some(format!("it had more than {most} processes (plugins.process.processes)"));
            }
            Some(launch::TOO_LARGE) => {
                let most = limits.memory;
                done.hit = Some(format!("its processes used more than {most} bytes (plugins.process.memory)"));
            }
            Some(launch::TOO_FULL) => {
                done.hit =
                    Some("the workspace held more than it may (sessions.workspace_quota); remove files".to_owned());
            }
            Some(code) if code == 128 + Signal::XCPU.as_raw() => {
                let most = limits.cpu.as_millis();
                done.hit = Some(format!("it used {most} ms of processor time (plugins.process.cpu)"));
            }
            Some(code) if code == 128 + Signal::XFSZ.as_raw() => {
                let most = limits.file_size;
                done.hit = Some(format!("it wrote a file of more than {most} bytes (plugins.process.file_size)"));
            }
            _ => {}
        }
        if stdout.endless || stderr.endless {
            done.hit =
                Some(format!("it printed without end; {} bytes are kept (plugins.process.output)", limits.output));
            done.code = None;
        }
        if done.hit.is_some() {
            done.code = None;
        }
        Ok(done)
    }
}

/// Feeds a launcher, reads what it prints, and waits for its end.
async fn attend(
    child: &mut Child,
    input: Vec<u8>,
    most: usize,
) -> (std::io::Result<std::process::ExitStatus>, Kept, Kept) {
    let feed = child.stdin.take().map(|mut stdin| async move {
        // A program that doesn't read is free not to.
        let _ = stdin.write_all(&input).await;
        let _ = stdin.shutdown().await;
    });
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let leash = Leash(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
    let reading = async {
        let endless = most.saturating_mul(PATIENCE_WITH_OUTPUT);
        // Whoever prints without end is stopped, so that the other stream ends too.
        tokio::join!(keep(stdout, most, endless, || leash.kill()), keep(stderr, most, endless, || leash.kill()))
    };
    let feeding = async {
        if let Some(feed) = feed {
            feed.await;
        }
    };
    let (status, (stdout, stderr), ()) = tokio::join!(child.wait(), reading, feeding);
    std::mem::forget(leash);
    (status, stdout, stderr)
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

// === impl Leash ===

impl Leash {
    fn kill(&self) {
        if let Some(pid) = self.0 {
            // It leads a group of its own, unless it was too young for that.
            let _ = kill_process_group(pid, Signal::KILL);
            let _ = kill_process(pid, Signal::KILL);
        }
    }

    fn pull(&mut self) {
        self.kill();
        self.0 = None;
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.kill();
    }
}

// === impl Found ===

impl Found {
    fn nothing(missing: String) -> Self {
        Self { namespaces: false, proc: false, landlock: "none".to_owned(), missing: Some(missing) }
    }

    /// Whether a program can't reach the server's files.
    pub(crate) fn keeps_files(&self) -> bool {
        self.namespaces || self.landlock == "full"
    }

    /// For the operator.
    fn words(&self) -> String {
        let namespaces = if self.namespaces { "namespaces of their own" } else { "no namespaces" };
        let landlock = match &*self.landlock {
            "full" => "Landlock",
            "partial" => "Landlock in part",
            _ => "no Landlock",
        };
        let missing = self.missing.as_ref().map(|missing| format!(" ({missing})")).unwrap_or_default();
        format!("{namespaces}, {landlock}, limits of time, memory, number and size{missing}")
    }
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotFound => f.write_str("there is no such program"),
            Self::TimedOut(time) => write!(f, "it took longer than {} ms", time.as_millis()),
            Self::Unconfined(why) => f.write_str(why),
        }
    }
}
