//! `prompt`: what bounds the prompt surface.

use serde::{Deserialize, Serialize};

/// `prompt`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prompt {
    /// Tasks of one request that run at once, where it doesn't say how many.
    pub max_parallel: usize,
    /// Tasks, steps or backends of one request.
    pub max_tasks: usize,
    /// Directories below which a prompt's may lie; where empty, anywhere but below those of the next.
    pub allowed_workdir_prefixes: Vec<String>,
    /// Directories below which it may not.
    pub blocked_workdir_prefixes: Vec<String>,
}

/// Where a system's own files lie.
const SYSTEM: [&str; 17] = [
    "/etc",
    "/var/run",
    "/var/lock",
    "/root",
    "/sys",
    "/proc",
    "/dev",
    "/usr/bin",
    "/usr/sbin",
    "/bin",
    "/sbin",
    "/boot",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/run",
];

impl Default for Prompt {
    fn default() -> Self {
        Self {
            max_parallel: 3,
            max_tasks: 50,
            allowed_workdir_prefixes: Vec::new(),
            blocked_workdir_prefixes: SYSTEM.map(str::to_owned).to_vec(),
        }
    }
}

// === impl Prompt ===

impl Prompt {
    /// # Errors
    /// Names the key that can't be followed.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.max_parallel == 0 || self.max_tasks == 0 {
            return Err("`prompt.max_parallel` and `prompt.max_tasks`: write 1 or more".into());
        }
        let prefixes = self.allowed_workdir_prefixes.iter().chain(&self.blocked_workdir_prefixes);
        match prefixes.into_iter().find(|prefix| !prefix.starts_with('/')) {
            Some(prefix) => Err(format!("`prompt`: `{prefix}` is no absolute path; write /srv/work")),
            None => Ok(()),
        }
    }
}
