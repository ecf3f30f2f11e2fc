//! How much the workspaces of sessions may hold, whoever writes into them (`sessions.workspace_quota`).
//!
//! What calls write is counted as it is written, so that no file is looked at for that; where nobody counted, as with programs,
//! and where the count says that little is left, a workspace is measured. What is written over counts twice: the count is never too
//! small.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::{Error, Result};
use crate::store::workspace::Workspaces;

/// See the module.
pub struct Space {
    workspaces: Workspaces,
    /// Bytes that each may hold at most, by its place.
    held: Mutex<HashMap<PathBuf, u64>>,
}

/// Counts that are remembered; what is forgotten is measured again.
const REMEMBERED: usize = 4096;

// === impl Space ===

impl Space {
    /// That of `workspaces`.
    pub fn new(workspaces: Workspaces) -> Self {
        Self { workspaces, held: Mutex::default() }
    }

    /// What the workspace at `path` may hold, if it is a session's: directories of the operator's own have no bound here.
    pub fn quota(&self, path: &Path) -> Option<u64> {
        self.workspaces.id(path).map(|_| self.workspaces.quota())
    }

    /// Bytes that may still be written at `path`, where somebody may want to write `wanted`. Calls that are made at the same time
    /// are given the same room.
    ///
    /// # Errors
    /// If the workspace can't be read.
    pub async fn room(&self, path: &Path, wanted: u64) -> Result<Option<u64>> {
        let Some(id) = self.workspaces.id(path).map(str::to_owned) else { return Ok(None) };
        let quota = self.workspaces.quota();
        let known = self.held().get(path).map(|held| quota.saturating_sub(*held));
        if let Some(room) = known.filter(|room| *room >= wanted) {
            return Ok(Some(room));
        }
        let workspaces = self.workspaces.clone();
        let size = tokio::task::spawn_blocking(move || workspaces.size(&id)).await.map_err(Error::internal)?;
        let held = size.map_err(Error::internal)?.bytes;
        let mut all = self.held();
        if all.len() >= REMEMBERED {
            all.clear();
        }
        all.insert(path.to_owned(), held);
        Ok(Some(quota.saturating_sub(held)))
    }

    /// What is at `path` has grown by so many bytes, or shrunk.
    pub fn wrote(&self, path: &Path, bytes: i64) {
        if let Some(held) = self.held().get_mut(path) {
            *held = held.saturating_add_signed(bytes);
        }
    }

    /// Somebody wrote at `path` who doesn't count.
    pub fn lost_count(&self, path: &Path) {
        self.held().remove(path);
    }

    fn held(&self) -> MutexGuard<'_, HashMap<PathBuf, u64>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_written_is_counted_and_measured_when_little_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let workspaces = Workspaces::new(directory.path(), 1000);
        workspaces.create("s").unwrap();
        let (path, space) = (workspaces.path("s"), Space::new(workspaces.clone()));
        std::fs::write(path.join("a"), [0; 300]).unwrap();
        assert_eq!(space.room(&path, 100).await.unwrap(), Some(700));
        space.wrote(&path, 500);
        assert_eq!(space.room(&path, 100).await.unwrap(), Some(200));
        assert_eq!(space.room(&path, 500).await.unwrap(), Some(700), "it is measured again");
        space.wrote(&path, -10);
        assert_eq!(space.room(&path, 100).await.unwrap(), Some(710));
        space.wrote(&path, 10);
        std::fs::write(path.join("b"), [0; 900]).unwrap();
        assert_eq!(space.room(&path, 100).await.unwrap(), Some(700), "nobody has counted that");
        space.lost_count(&path);
        assert_eq!(space.room(&path, 100).await.unwrap(), Some(0));
    }

    #[tokio::test]
    async fn other_directories_have_no_bound() {
        let directory = tempfile::tempdir().unwrap();
        let space = Space::new(Workspaces::new(directory.path(), 1000));
        let own = Workspaces::new(directory.path(), 0).path("s");
        for path in [directory.path().to_owned(), own.join("below"), "/somewhere/else".into()] {
            assert_eq!(space.room(&path, 1).await.unwrap(), None);
        }
        assert_eq!(space.quota(&own), Some(1000));
    }
}
