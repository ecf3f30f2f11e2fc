//! What is stored by an older program becomes what this one reads, once, when it is opened.
//!
//! A migration is a function with a number: it reads, and says what is to be changed. Its change and the new number are one
//! batch, so that it is done or not, even where two processes begin it at once. Most changes of a record need none: a new field
//! has a default, and [`super::Record::upgrade`] reads what is older.

use super::engine::{Batch, Committed, Expect, Pending, Scan, Write, counter};
use super::{Mark, Space, Store, StoreError, codec, spaces};

/// What has to be changed.
type Migration = fn(&Store) -> Pending<Batch>;

/// In their order: the first makes version 2 of version 1. None is ever removed or changed.
const MIGRATIONS: &[Migration] = &[sessions_beside_their_messages];

/// Brings `store` to the version of this program.
///
/// # Errors
/// If it can't be read or written, or is of a later program.
pub(super) async fn migrate(store: &Store) -> Result<(), StoreError> {
    apply(store, MIGRATIONS).await
}

async fn apply(store: &Store, migrations: &[Migration]) -> Result<(), StoreError> {
    let newest = 1 + i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    let key = Vec::from(spaces::VERSION.key());
    loop {
        let found = store.engine.get(vec![key.clone()]).await?.into_iter().next().flatten();
        let Some(found) = found else {
            let mut batch = Batch { expects: vec![Expect::Absent(key.clone())], ..Batch::default() };
            batch.writes.push(Write::Put(key.clone(), newest.to_be_bytes().to_vec()));
            // Whoever was faster has written a version, which is looked at then.
            let _: Committed = store.engine.commit(batch).await?;
            continue;
        };
        let version = counter(Some(&found))?;
        if version == newest {
            return Ok(());
        }
        let next = usize::try_from(version - 1).ok().and_then(|index| migrations.get(index));
        let Some(migration) = next else {
            return Err(StoreError::Unavailable(format!(
                "it is of version {version}, which a later program has written; this one knows {newest}: use that one, or \
                 restore a backup that this one has made"
            )));
        };
        let mut batch = migration(store).await?;
        batch.expects.push(Expect::Is(key.clone(), found));
        batch.writes.push(Write::Put(key.clone(), (version + 1).to_be_bytes().to_vec()));
        if store.engine.commit(batch).await? == Committed::Done {
            tracing::info!(from = version, to = version + 1, "the store was brought to the next version");
        }
    }
}

/// 2: a session stands behind its messages, where it stood among sessions alone.
fn sessions_beside_their_messages(store: &Store) -> Pending<Batch> {
    let engine = store.engine.clone();
    Box::pin(async move {
        let range = spaces::SESSIONS_ALONE.key().within();
        let mut batch = Batch::default();
        for (key, value) in engine.scan(Scan { range: range.clone(), backwards: false, limit: usize::MAX }).await? {
            let name = key.get(1..).unwrap_or_default();
            let under = |space: Space| [space.key().bytes(), name].concat();
            let session = [under(spaces::MESSAGES).as_slice(), &u64::MAX.to_be_bytes()].concat();
            batch.writes.push(Write::Put(session, value));
            batch.writes.push(Write::Put(under(spaces::SESSIONS_OF_OWNER), codec::encode(&Mark {})?));
        }
        batch.writes.push(Write::DeleteRange(range));
        Ok(batch)
    })
}

#[cfg(test)]
mod tests {
    use super::super::session::Sessions;
    use super::super::{Change, message};
    use super::*;
    use crate::model::session::{Message, Session};

    const NOTE: super::super::Space = super::super::Space(200);

    fn note(store: &Store, text: &'static str) -> Pending<Batch> {
        let engine = store.engine.clone();
        Box::pin(async move {
            let key = Vec::from(NOTE.key());
            let mut found = engine.get(vec![key.clone()]).await?.into_iter().next().flatten().unwrap_or_default();
            found.extend(text.bytes());
            Ok(Batch { writes: vec![Write::Put(key, found)], ..Batch::default() })
        })
    }

    #[tokio::test]
    async fn a_session_of_version_1_is_found_where_it_is_now() {
        let store = Store::in_memory();
        migrate(&store).await.unwrap();
        let sessions = Sessions::new(store.clone());
        let session: Session = serde_json::from_value(serde_json::json!({
            "id": "one\0", "owner": "alice", "origin": "platform", "status": "created", "created": "2026-01-01T00:00:00Z",
            "updated": "2026-01-01T00:00:00Z",
        }))
        .unwrap();
        let alone = spaces::SESSIONS_ALONE.key().text("alice").text("one\0");
        let mut change = Change::default();
        change.put(alone.clone(), &session).unwrap();
        change.add(spaces::VERSION.key(), -1);
        assert_eq!(store.commit(change).await.unwrap(), Committed::Done);
        assert_eq!(sessions.get("alice", "one\0").await.unwrap().map(|found| found.record), None);
        migrate(&store).await.unwrap();
        assert_eq!(sessions.get("alice", "one\0").await.unwrap().map(|found| found.record), Some(session.clone()));
        assert_eq!(sessions.all("alice", None, 9).await.unwrap(), [session]);
        assert_eq!(message::page::<Message>(&store, "alice", "one\0", 0, 9).await.unwrap(), []);
        assert_eq!(store.keys(spaces::SESSIONS_ALONE.key().within(), false, 9).await.unwrap(), [[0; 0]; 0]);
        assert!(store.check().unwrap().damaged == 0);
    }

    const TWO: &[Migration] = &[|store| note(store, "a"), |store| note(store, "b")];

    async fn read(store: &Store) -> (i64, Option<Vec<u8>>) {
        let version = store.counters(vec![spaces::VERSION.key()]).await.unwrap()[0];
        (version, store.engine.get(vec![NOTE.key().into()]).await.unwrap().remove(0))
    }

    #[tokio::test]
    async fn what_is_new_is_of_the_newest_version() {
        let store = Store::in_memory();
        apply(&store, TWO).await.unwrap();
        assert_eq!(read(&store).await, (3, None));
    }

    #[tokio::test]
    async fn each_migration_is_done_once_in_its_order() {
        let store = Store::in_memory();
        apply(&store, &[]).await.unwrap();
        assert_eq!(read(&store).await, (1, None));
        for _ in 0..2 {
            apply(&store, TWO).await.unwrap();
            assert_eq!(read(&store).await, (3, Some(b"ab".to_vec())));
        }
    }

    #[tokio::test]
    async fn a_later_programs_store_is_left_alone() {
        let store = Store::in_memory();
        apply(&store, TWO).await.unwrap();
        let error = apply(&store, &[]).await.unwrap_err().to_string();
        assert!(error.contains("version 3") && error.contains("knows 1"), "{error}");
        assert_eq!(read(&store).await, (3, None));
    }
}
