//! What is known of a plugin, whatever engine runs it.

use std::fmt;

/// Where a plugin came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Embedded in the binary.
    Bundled,
    /// Found in `plugins.directory`.
    Directory,
}

/// How far a plugin has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Published: requests reach it.
    Ready,
    /// No version of it is published; the last error says why.
    Failed,
    /// Its published version keeps trapping and is kept from requests, but for one after each pause.
    Quarantined,
}

/// How a tool may use the session's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Workspace {
    /// Look at them.
    ReadOnly,
    /// Change them too.
    ReadWrite,
}

/// What a plugin asks for, or what it may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Origins that it may reach.
    pub hosts: Vec<String>,
    /// The session's files.
    pub workspace: Option<Workspace>,
    /// Programs that it may start.
    pub programs: Vec<String>,
    /// Whether it may remember things.
    pub kv: bool,
    /// Credentials that are put on its requests, by name.
    pub secrets: Vec<String>,
}

/// A report on one plugin.
#[derive(Clone, Debug)]
pub struct Status {
    /// From the manifest; the file's stem where the manifest can't be read.
    pub id: String,
    /// The published version.
    pub version: Option<String>,
    /// `provider` or `tool`.
    pub kind: Option<String>,
    /// The manifest's sentence.
    pub description: Option<String>,
    /// SHA-256 of the published file, in hexadecimal.
    pub digest: Option<String>,
    /// Where it came from.
    pub origin: Origin,
    /// The file's path, where there is one.
    pub file: Option<String>,
    /// How far it has come.
    pub state: State,
    /// What the manifest asks for.
    pub asked: Rights,
    /// What of this the operator allows.
    pub granted: Rights,
    /// What it was last kept from, and what would allow it.
    pub last_denial: Option<String>,
    /// How the programs that it starts are kept apart, once it is known.
    pub confinement: Option<String>,
    /// Why the newest file isn't published, or why the version is quarantined.
    pub last_error: Option<String>,
    /// How often its guests trapped.
    pub traps: u64,
    /// Instances alive now.
    pub instances: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bundled => "bundled",
            Self::Directory => "directory",
        })
    }
}

impl fmt::Display for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReadOnly => "read-only",
            Self::ReadWrite => "read-write",
        })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Quarantined => "quarantined",
        })
    }
}
