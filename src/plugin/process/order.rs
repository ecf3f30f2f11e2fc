//! What the launcher is told, by its standard input, before whatever the program is to read.

use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Command;
use crate::config;

/// See the module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Order {
    /// Who gives it: without that process, nothing is started, and what was started ends.
    pub(super) server: u32,
    /// Absent where only what the system can do is asked for.
    pub(super) program: Option<PathBuf>,
    pub(super) arguments: Vec<String>,
    pub(super) workspace: Option<PathBuf>,
    pub(super) writable: bool,
    /// Where in the workspace it begins.
    pub(super) directory: Option<String>,
    /// Where programs look for others.
    pub(super) path: Vec<PathBuf>,
    /// Directories that may be read beside the system's.
    pub(super) readable: Vec<PathBuf>,
    pub(super) network: bool,
    /// Whether nothing is started that can reach the server's files.
    pub(super) required: bool,
    pub(super) time: Duration,
    pub(super) limits: Limits,
}

/// What bounds the program.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Limits {
    /// Seconds of processor time, of each process.
    pub(super) cpu: u64,
    /// Bytes, of all processes together.
    pub(super) memory: u64,
    pub(super) processes: u64,
    pub(super) file_size: u64,
    /// Bytes of all files in the workspace.
    pub(super) room: Option<u64>,
}

/// The longest order: arguments are bounded, paths are.
const LONGEST: usize = 4 << 20;

// === impl Order ===

impl Order {
    /// To find out what the system can do.
    pub(super) fn probing(config: &config::Process) -> Self {
        Self {
            server: std::process::id(),
            program: None,
            arguments: Vec::new(),
            workspace: None,
            writable: false,
            directory: None,
            path: config.path.clone(),
            readable: config.readable.clone(),
            network: config.network,
            required: false,
            time: Duration::from_secs(5),
            limits: Limits::of(config),
        }
    }

    /// To run `program`.
    pub(super) fn running(config: &config::Process, program: PathBuf, command: &Command, time: Duration) -> Self {
        Self {
            program: Some(program),
            arguments: command.arguments.clone(),
            workspace: Some(command.workspace.clone()),
            writable: command.writable,
            directory: command.directory.clone(),
            required: config.confinement == config::Confinement::Required,
            time,
            limits: Limits { room: command.room.filter(|_| command.writable), ..Limits::of(config) },
            ..Self::probing(config)
        }
    }

    /// Its length in eight digits, then itself.
    pub(super) fn written(&self) -> Vec<u8> {
        // Texts and numbers can always be written.
        let text = serde_json::to_vec(self).unwrap_or_default();
        let mut written = format!("{:08}", text.len()).into_bytes();
        written.extend(text);
        written
    }

    /// Reads one, and not a byte more: what follows is the program's.
    pub(super) fn read(mut from: impl Read) -> io::Result<Self> {
        let mut digits = [0; 8];
        from.read_exact(&mut digits)?;
        let length = std::str::from_utf8(&digits).ok().and_then(|digits| digits.parse::<usize>().ok());
        let length = length.filter(|length| *length <= LONGEST).ok_or(io::ErrorKind::InvalidData)?;
        let mut text = vec![0; length];
        from.read_exact(&mut text)?;
        Ok(serde_json::from_slice(&text)?)
    }
}

// === impl Limits ===

impl Limits {
    fn of(config: &config::Process) -> Self {
        Self {
            cpu: config.cpu.as_secs().max(1),
            memory: config.memory as u64,
            processes: config.processes.into(),
            file_size: config.file_size as u64,
            room: None,
        }
    }
}
