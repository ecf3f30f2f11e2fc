//! `store`: where records are kept.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::units::{byte_size, duration};

/// Where everything is kept that must outlive the process.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// What keeps it.
    pub engine: StoreEngine,
    /// Its directory: the database, workspaces, archives; a leading `~` is the home directory.
    pub path: PathBuf,
    /// How much of it is held in memory.
    #[serde(with = "byte_size")]
    pub cache: usize,
    /// Whether several processes may have it open at once.
    pub shared: bool,
    /// How long a start waits for another process to let go of it.
    #[serde(with = "duration")]
    pub wait: Duration,
}

/// What keeps records.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum StoreEngine {
    /// An embedded database of one file.
    Redb,
    /// Memory: all of it is gone with the process.
    Memory,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            engine: StoreEngine::Redb,
            path: "~/.mortise/data".into(),
            cache: 8 << 20,
            shared: false,
            wait: Duration::from_secs(5),
        }
    }
}
