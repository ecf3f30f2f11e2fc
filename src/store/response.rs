//! Answers of the Responses API that can be gone on from.

use super::age::Aged;
use super::{Change, Key, Record, Store, Stored, spaces};
use crate::model::Result;
use crate::model::session::Response;

impl Record for Response {}

/// Where they stand among what is looked at, whether it has outlived its use.
pub const AGING: &str = "response";

/// Answer `id` of `owner`.
///
/// # Errors
/// If the store can't be read.
pub async fn get(store: &Store, owner: &str, id: &str) -> Result<Option<Stored<Response>>> {
    store.read(key(owner, id)).await
}

/// At most `limit` answers of `owner` behind `after`, in the order of their ids.
///
/// # Errors
/// If the store can't be read.
pub async fn all(store: &Store, owner: &str, after: Option<&str>, limit: usize) -> Result<Vec<Response>> {
    let all = spaces::RESPONSES.key().text(owner);
    let range = match after {
        Some(id) => all.within_after(&key(owner, id)),
        None => all.within(),
    };
    let found = store.list(range, limit).await?;
    Ok(found.into_iter().map(|found| found.record).collect())
}

/// Keeps `response`.
///
/// # Errors
/// If it can't be written down.
pub fn put(change: &mut Change, response: &Response) -> Result<()> {
    let aged = Aged { owner: response.owner.clone(), id: response.id.clone() };
    aged.watch(change, AGING, response.created)?;
    change.put(key(&response.owner, &response.id), response)
}

/// Takes answer `id` of `owner` out.
pub fn delete(change: &mut Change, owner: &str, id: &str) {
    change.delete(key(owner, id));
}

/// Takes all answers of `owner` out.
pub fn delete_all(change: &mut Change, owner: &str) {
    change.delete_range(spaces::RESPONSES.key().text(owner).within());
}

fn key(owner: &str, id: &str) -> Key {
    spaces::RESPONSES.key().text(owner).text(id)
}
