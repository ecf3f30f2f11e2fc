//! `store`: where records are kept.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where everything is kept that must outlive the process.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// What keeps it.
    pub engine: StoreEngine,
    /// Its directory: the database, workspaces, archives; a leading `~` is the home directory.
    pub path: PathBuf,
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
        Self { engine: StoreEngine::Redb, path: "~/.mortise/data".into() }
    }
}
