//! What was said and done in sessions: messages and calls of tools, each under its number, and the session behind its messages.
//!
//! Numbers have no gaps and nothing is taken out, so that the place of a page follows from its number, however long a session
//! is.

use std::ops::Range;

use super::key::Space;
use super::{Change, Key, Record, Store, spaces};
use crate::model::Result;
use crate::model::session::{Message, ToolCall};

/// No message has this number: there is the session.
pub(super) const END: u64 = u64::MAX;

impl Record for Message {}
impl Record for ToolCall {}

/// What stands in a session under a number.
pub trait Numbered: Record {
    /// Where it is kept.
    const SPACE: Space;

    /// Its number.
    fn number(&self) -> u64;
}

impl Numbered for Message {
    const SPACE: Space = spaces::MESSAGES;

    fn number(&self) -> u64 {
        self.sequence
    }
}

impl Numbered for ToolCall {
    const SPACE: Space = spaces::TOOL_CALLS;

    fn number(&self) -> u64 {
        self.number
    }
}

/// At most `limit` of session `id` of `owner`, behind number `after`.
///
/// # Errors
/// If the store can't be read.
pub async fn page<N: Numbered>(store: &Store, owner: &str, id: &str, after: u64, limit: usize) -> Result<Vec<N>> {
    let all = N::SPACE.key().text(owner).text(id);
    let range = Key::between(&all.clone().number(after), &all.number(END));
    let found = store.list(range, limit).await?;
    Ok(found.into_iter().map(|found| found.record).collect())
}

/// Adds `record`, under whose number nothing stands yet.
///
/// # Errors
/// If it can't be written down.
pub fn insert<N: Numbered>(change: &mut Change, owner: &str, id: &str, record: &N) -> Result<()> {
    change.insert(key::<N>(owner, id, record.number()), record)
}

/// `record` stands under its number, whatever stood there.
///
/// # Errors
/// If it can't be written down.
pub fn put<N: Numbered>(change: &mut Change, owner: &str, id: &str, record: &N) -> Result<()> {
    change.put(key::<N>(owner, id, record.number()), record)
}

/// All messages of session `id` of `owner`, or all calls.
pub(super) fn range<N: Numbered>(owner: &str, id: &str) -> Range<Vec<u8>> {
    let all = N::SPACE.key().text(owner).text(id);
    all.within_before(&all.clone().number(END))
}

/// Where session `id` of `owner` itself is kept.
pub(super) fn session_key(owner: &str, id: &str) -> Key {
    spaces::MESSAGES.key().text(owner).text(id).number(END)
}

fn key<N: Numbered>(owner: &str, id: &str, number: u64) -> Key {
    N::SPACE.key().text(owner).text(id).number(number)
}
