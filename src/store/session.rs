//! Sessions: the records, the lists that they stand in, and how many there are.
//!
//! A session that is listed stands in one list for each combination of status, mode and provider, so that a page of any of
//! them is a range, and its length a counter. All of it changes in one batch.

use std::ops::Range;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::age::{self, Aged};
use super::engine::Committed;
use super::message::{self, session_key};
use super::{Change, Key, Mark, Record, Store, Stored, spaces};
use crate::model::Result;
use crate::model::session::{Archive, Lease, Message, Mode, Session, Status, ToolCall};

/// The records of sessions.
#[derive(Clone)]
pub struct Sessions {
    store: Store,
}

/// Which sessions of an owner are wanted: those that have all that is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names explain themselves")]
pub struct Filter {
    pub status: Option<Status>,
    pub mode: Option<Mode>,
    pub provider: Option<String>,
}

/// A place in a list: behind this session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When the session was made, in milliseconds since 1970.
    pub created: i64,
    /// The session.
    pub id: String,
}

/// What stands in a list.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    id: String,
}

/// Whose a session is.
#[derive(Debug, Serialize, Deserialize)]
struct Owner {
    owner: String,
}

impl Record for Session {}
impl Record for Archive {}
impl Record for Lease {}
impl Record for Entry {}
impl Record for Owner {}

/// A list's place among all: a status, a mode, a provider; an empty one is any.
type List = [String; 3];

// === impl Sessions ===

impl Sessions {
    /// Those in `store`.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Where they are.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Session `id` of `owner`.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn get(&self, owner: &str, id: &str) -> Result<Option<Stored<Session>>> {
        self.store.read(session_key(owner, id)).await
    }

    /// Those of `owner` whose ids begin with `id`, at most two of them.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn find(&self, owner: &str, id: &str) -> Result<Vec<Session>> {
        self.named(owner, spaces::SESSIONS_OF_OWNER.key().text(owner).within_text(id), 2).await
    }

    /// Whose the listed sessions are whose ids begin with `id`, at most two of them.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn owners(&self, id: &str) -> Result<Vec<String>> {
        let found = self.store.list::<Owner>(spaces::SESSION_OWNERS.key().within_text(id), 2).await?;
        Ok(found.into_iter().map(|found| found.record.owner).collect())
    }

    /// At most `limit` sessions of `owner` behind `after`, in the order of their ids, those too that aren't listed.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn all(&self, owner: &str, after: Option<&str>, limit: usize) -> Result<Vec<Session>> {
        let all = spaces::SESSIONS_OF_OWNER.key().text(owner);
        let range = match after {
            Some(id) => all.within_after(&mark_key(owner, id)),
            None => all.within(),
        };
        self.named(owner, range, limit).await
    }

    /// The sessions of `owner` whose marks stand in `range`.
    async fn named(&self, owner: &str, range: Range<Vec<u8>>, limit: usize) -> Result<Vec<Session>> {
        let marks = self.store.keys(range, false, limit).await?;
        let ids = marks.iter().filter_map(|mark| Key::last_text(mark));
        // One that is deleted right now may be gone already.
        let found = self.store.get_all(ids.map(|id| session_key(owner, &id)).collect()).await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// At most `limit` listed sessions, the newest first, from `after` on and past `skip` more.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn page(
        &self,
        owner: &str,
        filter: &Filter,
        after: Option<&Cursor>,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<Session>> {
        let list = list_key(owner, &filter.list());
        let range = match after {
            Some(after) => list.within_after(&list.clone().number(age(after.created)).text(&after.id)),
            None => list.within(),
        };
        let entries = self.store.list::<Entry>(range, skip.saturating_add(limit)).await?;
        let keys = entries.iter().skip(skip).map(|entry| session_key(owner, &entry.record.id)).collect();
        // One that is deleted right now may be gone already.
        Ok(self.store.get_all(keys).await?.into_iter().flatten().collect())
    }

    /// How many listed sessions there are.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn count(&self, owner: &str, filter: &Filter) -> Result<u64> {
        Ok(positive(self.store.counters(vec![count_key(owner, &filter.list())]).await?.first()))
    }

    /// How many sessions of all owners there are, by status; conversations of the chat surface aren't counted.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn totals(&self) -> Result<Vec<(Status, u64)>> {
        let keys = Status::ALL.iter().map(|status| total_key(*status)).collect();
        let counts = self.store.counters(keys).await?;
        Ok(Status::ALL.into_iter().zip(counts.iter().map(|count| positive(Some(count)))).collect())
    }

    /// Adds `session`, whose id nobody has yet.
    ///
    /// # Errors
    /// If it can't be written down.
    pub fn insert(&self, change: &mut Change, session: &Session) -> Result<()> {
        change.insert(session_key(&session.owner, &session.id), session)?;
        change.put(mark_key(&session.owner, &session.id), &Mark {})?;
        if session.is_listed() {
            let owner = Owner { owner: session.owner.clone() };
            change.insert(spaces::SESSION_OWNERS.key().text(&session.id), &owner)?;
            for list in lists(session) {
                enter(change, session, &list)?;
            }
            change.add(total_key(session.status), 1);
        }
        let aged = Aged { owner: session.owner.clone(), id: session.id.clone() };
        self.watch(change, session.origin.as_str(), session.created, &aged)
    }

    /// `session` stands where `old` must still stand.
    ///
    /// # Errors
    /// If it can't be written down.
    pub fn replace(&self, change: &mut Change, old: &Stored<Session>, session: &Session) -> Result<()> {
        change.replace(old, session)?;
        if !session.is_listed() {
            return Ok(());
        }
        let (before, after) = (lists(&old.record), lists(session));
        for list in before.iter().filter(|list| !after.contains(list)) {
            leave(change, &old.record, list);
        }
        for list in after.iter().filter(|list| !before.contains(list)) {
            enter(change, session, list)?;
        }
        if old.record.status != session.status {
            change.add(total_key(old.record.status), -1);
            change.add(total_key(session.status), 1);
        }
        Ok(())
    }

    /// Takes `old` out. What was said and done in it is nobody's then, and belongs to the holder of `lease`, who clears it.
    ///
    /// # Errors
    /// If it can't be written down.
    pub fn remove(&self, change: &mut Change, old: &Stored<Session>, lease: &Lease) -> Result<()> {
        change.remove(old);
        change.delete(mark_key(&old.record.owner, &old.record.id));
        // Where it stands unless it was looked at since.
        let aged = Aged { owner: old.record.owner.clone(), id: old.record.id.clone() };
        aged.unwatch(change, old.record.origin.as_str(), old.record.created);
        if old.record.is_listed() {
            change.delete(spaces::SESSION_OWNERS.key().text(&old.record.id));
            for list in lists(&old.record) {
                leave(change, &old.record, &list);
            }
            change.add(total_key(old.record.status), -1);
        }
        change.put(lease_key(&lease.session), lease)
    }

    /// Takes out all that was said and done in session `id` of `owner`.
    pub fn clear(&self, change: &mut Change, owner: &str, id: &str) {
        change.delete_range(message::range::<Message>(owner, id));
        change.delete_range(message::range::<ToolCall>(owner, id));
        change.delete_range(spaces::ARCHIVES.key().text(owner).text(id).within());
    }

    /// The archives of session `id` of `owner`.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn archives(&self, owner: &str, id: &str) -> Result<Vec<Archive>> {
        let found = self.store.list(spaces::ARCHIVES.key().text(owner).text(id).within(), usize::MAX).await?;
        Ok(found.into_iter().map(|found| found.record).collect())
    }

    /// `archive` stands under its id, whatever stood there.
    ///
    /// # Errors
    /// If it can't be written down.
    pub fn put_archive(&self, change: &mut Change, archive: &Archive) -> Result<()> {
        change.put(archive_key(&archive.owner, &archive.session, &archive.id), archive)
    }

    /// Takes archive `archive` of session `id` of `owner` out.
    pub fn delete_archive(&self, change: &mut Change, owner: &str, id: &str, archive: &str) {
        change.delete(archive_key(owner, id, archive));
    }

    /// Who works in session `id`.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn lease(&self, id: &str) -> Result<Option<Stored<Lease>>> {
        self.store.read(lease_key(id)).await
    }

    /// At most `limit` of those who work anywhere.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn leases(&self, limit: usize) -> Result<Vec<Stored<Lease>>> {
        self.store.list(spaces::LEASES.key().within(), limit).await
    }

    /// `lease` holds from now on, where `old` did, or nobody.
    ///
    /// # Errors
    /// If it can't be written down.
    pub fn take(&self, change: &mut Change, old: Option<&Stored<Lease>>, lease: &Lease) -> Result<()> {
        match old {
            Some(old) => change.replace(old, lease),
            None => change.insert(lease_key(&lease.session), lease),
        }
    }

    /// `aged` is looked at at `when` or later.
    ///
    /// # Errors
    /// If it can't be written down.
    pub fn watch(&self, change: &mut Change, what: &str, when: Timestamp, aged: &Aged) -> Result<()> {
        aged.watch(change, what, when)
    }

    /// At most `limit` of what is to be looked at before `when`, the longest due first.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn due(&self, what: &str, when: Timestamp, limit: usize) -> Result<Vec<Stored<Aged>>> {
        age::due(&self.store, what, when, limit).await
    }

    /// Makes `change`.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn commit(&self, change: Change) -> Result<Committed> {
        self.store.commit(change).await
    }
}

// === impl Filter ===

impl Filter {
    fn list(&self) -> List {
        [
            self.status.map_or("", Status::as_str).to_owned(),
            self.mode.map_or("", Mode::as_str).to_owned(),
            self.provider.clone().unwrap_or_default(),
        ]
    }
}

/// The lists that `session` stands in.
fn lists(session: &Session) -> Vec<List> {
    let values = [session.status.as_str(), session.mode.as_str(), session.provider.as_deref().unwrap_or_default()];
    // What it has no value of, it stands in no list of.
    let known =
        |named: usize| values.iter().enumerate().all(|(place, value)| named & 1 << place == 0 || !value.is_empty());
    let list = |named: usize| {
        let mut place = 0;
        values.map(|value| {
            let value = if named & 1 << place == 0 { String::new() } else { value.to_owned() };
            place += 1;
            value
        })
    };
    (0..1 << values.len()).filter(|named| known(*named)).map(list).collect()
}

fn enter(change: &mut Change, session: &Session, list: &List) -> Result<()> {
    change.add(count_key(&session.owner, list), 1);
    change.put(entry_key(session, list), &Entry { id: session.id.clone() })
}

fn leave(change: &mut Change, session: &Session, list: &List) {
    change.add(count_key(&session.owner, list), -1);
    change.delete(entry_key(session, list));
}

fn mark_key(owner: &str, id: &str) -> Key {
    spaces::SESSIONS_OF_OWNER.key().text(owner).text(id)
}

fn archive_key(owner: &str, id: &str, archive: &str) -> Key {
    spaces::ARCHIVES.key().text(owner).text(id).text(archive)
}

fn lease_key(id: &str) -> Key {
    spaces::LEASES.key().text(id)
}

fn list_key(owner: &str, list: &List) -> Key {
    list.iter().fold(spaces::SESSION_LISTS.key().text(owner), |key, value| key.text(value))
}

fn entry_key(session: &Session, list: &List) -> Key {
    list_key(&session.owner, list).number(age(session.created.as_millisecond())).text(&session.id)
}

fn count_key(owner: &str, list: &List) -> Key {
    list.iter().fold(spaces::SESSION_COUNTS.key().text(owner), |key, value| key.text(value))
}

fn total_key(status: Status) -> Key {
    spaces::SESSION_TOTALS.key().text(status.as_str())
}

/// The newer, the smaller.
pub(super) fn age(milliseconds: i64) -> u64 {
    u64::MAX - u64::try_from(milliseconds).unwrap_or_default()
}

pub(super) fn positive(count: Option<&i64>) -> u64 {
    count.map_or(0, |count| u64::try_from(*count).unwrap_or_default())
}
