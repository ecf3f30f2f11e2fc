//! What is to be looked at in time, whether it has outlived its use.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Change, Key, Record, Store, Stored, spaces};
use crate::model::Result;

/// What is to be looked at, whether it has outlived its use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aged {
    /// Whose it is.
    pub owner: String,
    /// What it is.
    pub id: String,
}

impl Record for Aged {}

// === impl Aged ===

impl Aged {
    /// It is looked at at `when` or later.
    ///
    /// # Errors
    /// If it can't be written down.
    pub fn watch(&self, change: &mut Change, what: &str, when: Timestamp) -> Result<()> {
        change.put(self.place(what, when), self)
    }

    /// It isn't any more.
    pub fn unwatch(&self, change: &mut Change, what: &str, when: Timestamp) {
        change.delete(self.place(what, when));
    }

    fn place(&self, what: &str, when: Timestamp) -> Key {
        key(what, when).text(&self.owner).text(&self.id)
    }
}

/// At most `limit` of what is to be looked at before `when`, the longest due first.
///
/// # Errors
/// If the store can't be read.
pub async fn due(store: &Store, what: &str, when: Timestamp, limit: usize) -> Result<Vec<Stored<Aged>>> {
    store.list(spaces::AGES.key().text(what).within_before(&key(what, when)), limit).await
}

/// Before what is to be looked at at `when` or later.
fn key(what: &str, when: Timestamp) -> Key {
    spaces::AGES.key().text(what).number(u64::try_from(when.as_millisecond()).unwrap_or_default())
}
