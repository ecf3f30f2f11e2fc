//! `plugins`: where plugins are, what they may do, what bounds them and the programs that they start.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::units::{byte_size, duration, entries, or_default};
use super::{Isolation, Limits, PartialLimits, Secret};
use crate::model::plugin::Workspace;

/// `plugins`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plugins {
    /// Components dropped here are loaded while the server runs; a leading `~` is the home directory.
    pub directory: PathBuf,
    /// Compiled code, private to the server.
    pub cache: PathBuf,
    /// How often the directory is read, beside the system's notices.
    #[serde(with = "duration")]
    pub rescan: Duration,
    /// Instances that may live at once, of all plugins.
    pub instances: u32,
    /// Unused instances kept warm, a plugin.
    pub idle_instances: usize,
    /// When a plugin that keeps trapping is kept from requests.
    pub quarantine: Quarantine,
    /// What bounds a plugin; the same for each unless `grants` says otherwise.
    pub limits: Limits,
    /// What bounds and confines the programs that tools start.
    #[serde(deserialize_with = "or_default")]
    pub process: Process,
    /// What plugins may do, by id.
    #[serde(deserialize_with = "entries")]
    pub grants: BTreeMap<String, Grant>,
    /// What compiles plugins at the first start; no key, for only the program knows where it is.
    #[serde(skip)]
    pub compiler: Option<Compiler>,
}

/// A program that compiles plugins into the cache.
#[derive(Clone, Debug)]
pub struct Compiler {
    /// Where it is.
    pub program: PathBuf,
    /// What it is told.
    pub arguments: Vec<OsString>,
}

/// `plugins.quarantine`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quarantine {
    /// Traps in a row.
    pub traps: u32,
    /// How long until one request tries again.
    #[serde(with = "duration")]
    pub pause: Duration,
}

/// One of `plugins.grants`: effective is what the manifest asks for and this allows.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grant {
    /// Origins such as `https://api.example.com`; a tool's may go on with the beginning of a path, and `https://*` is any host.
    pub hosts: Vec<String>,
    /// Networks that are not public, and that a tool's hosts may be in.
    pub networks: Vec<IpNet>,
    /// A tool's use of the session's files; what a bundled one asks for where left out, nothing for others.
    pub workspace: Option<WorkspaceGrant>,
    /// Programs that a tool may start, by name; `*` is any but shells.
    pub programs: Vec<String>,
    /// Whether a tool may remember things; as for `workspace` where left out.
    pub kv: Option<bool>,
    /// Credentials that are put on a tool's requests, by name.
    pub secrets: BTreeMap<String, BoundSecret>,
    /// Handed to a tool with each call, checked against its schema.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// Who shares a tool's instances; by the plugin's origin where left out.
    pub isolation: Option<Isolation>,
    /// Each of them in place of the one under `plugins.limits`.
    #[serde(deserialize_with = "or_default")]
    pub limits: PartialLimits,
}

/// What a tool may do with the session's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names explain themselves")]
pub enum WorkspaceGrant {
    None,
    ReadOnly,
    ReadWrite,
}

/// A credential, and the only requests that it is put on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BoundSecret {
    /// The origin, and maybe the beginning of the path.
    pub host: String,
    /// Where it is kept.
    pub value: Secret,
    /// Where it goes.
    #[serde(rename = "as", default)]
    pub place: Place,
}

/// Where a credential goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// `Authorization: Bearer`.
    #[default]
    Bearer,
    /// A header.
    Header(String),
    /// A parameter of the query.
    Query(String),
}

/// `plugins.process`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Process {
    /// Where programs are looked for.
    pub path: Vec<PathBuf>,
    /// Directories that programs may read beside those of the system.
    pub readable: Vec<PathBuf>,
    /// Whether programs may use the network.
    pub network: bool,
    /// What happens where the system can't keep programs from the server's files.
    pub confinement: Confinement,
    /// Processor time of one process.
    #[serde(with = "duration")]
    pub cpu: Duration,
    /// From a program's start to its end, whatever the tool asks for.
    #[serde(with = "duration")]
    pub time: Duration,
    /// Memory of all its processes together.
    #[serde(with = "byte_size")]
    pub memory: usize,
    /// Processes at once, itself among them.
    pub processes: u32,
    /// The largest file that it may write.
    #[serde(with = "byte_size")]
    pub file_size: usize,
    /// What is kept of what it prints, of each of its two streams.
    #[serde(with = "byte_size")]
    pub output: usize,
    /// The program that confines others; this one itself where left out.
    pub launcher: Option<PathBuf>,
}

/// What happens where the system can't keep programs from the server's files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confinement {
    /// No program is started.
    #[default]
    Required,
    /// They are started with what confinement there is.
    BestEffort,
}

// === defaults ===

impl Default for Plugins {
    fn default() -> Self {
        Self {
            directory: "~/.mortise/plugins".into(),
            cache: "~/.mortise/cache".into(),
            rescan: Duration::from_secs(2),
            instances: 1000,
            idle_instances: 64,
            quarantine: Quarantine::default(),
            limits: Limits::default(),
            process: Process::default(),
            grants: BTreeMap::new(),
            compiler: None,
        }
    }
}

impl Default for Quarantine {
    fn default() -> Self {
        Self { traps: 20, pause: Duration::from_secs(10) }
    }
}

impl Default for Process {
    fn default() -> Self {
        Self {
            path: ["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from).to_vec(),
            readable: Vec::new(),
            network: false,
            confinement: Confinement::Required,
            cpu: Duration::from_secs(60),
            time: Duration::from_secs(120),
            memory: 1 << 30,
            processes: 64,
            file_size: 64 << 20,
            output: 1 << 20,
            launcher: None,
        }
    }
}

// === impl Plugins ===

impl Plugins {
    /// What bounds plugin `id`: the common limits, with each that it was granted in its place.
    pub fn limits_of(&self, id: &str) -> Limits {
        self.grants.get(id).map_or(self.limits, |grant| self.limits.with(&grant.limits))
    }
}

// === impl WorkspaceGrant ===

impl WorkspaceGrant {
    /// The right, if it is one.
    pub fn right(self) -> Option<Workspace> {
        match self {
            Self::None => None,
            Self::ReadOnly => Some(Workspace::ReadOnly),
            Self::ReadWrite => Some(Workspace::ReadWrite),
        }
    }
}

// === impl Place ===

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bearer => f.write_str("bearer"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Query(name) => write!(f, "query:{name}"),
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.split_once(':') {
            None if text == "bearer" => Ok(Self::Bearer),
            Some(("header", name)) if !name.is_empty() => Ok(Self::Header(name.to_owned())),
            Some(("query", name)) if !name.is_empty() => Ok(Self::Query(name.to_owned())),
            _ => {
                Err(serde::de::Error::custom(format!("`{text}` is no place; write bearer, header:NAME or query:NAME")))
            }
        }
    }
}
