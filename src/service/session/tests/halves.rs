//! Tests of sessions whose makers, or who took them out, ended half-way.

use std::fs;
use std::sync::atomic::Ordering;

use super::kept::{Told, kept, talk};
use super::*;
use crate::model::session::ArchiveState;

/// What there is of session `id`: messages, archives, files, a lease.
async fn parts(sessions: &Sessions, id: &str) -> (usize, usize, bool, bool) {
    let store = sessions.records.store();
    let messages: Vec<Message> = message::page(store, "alice", id, 0, 100).await.unwrap();
    let archives = sessions.records.archives("alice", id).await.unwrap();
    let lease = sessions.records.lease(id).await.unwrap();
    (messages.len(), archives.len(), sessions.workspaces().path(id).exists(), lease.is_some())
}

const NOTHING: (usize, usize, bool, bool) = (0, 0, false, false);

/// A session with a message, a file and an archive.
async fn whole(sessions: &Arc<Sessions>) -> Session {
    let new = New { workspace: true, ..named("whole") };
    let made = sessions.create("alice", Origin::Platform, new).await.unwrap();
    fs::write(sessions.workspaces().path(&made.id).join("a.txt"), "a").unwrap();
    talk(sessions, sessions.begin("alice", &made.id).await.unwrap(), "hello").await;
    sessions.archive(&made).await.unwrap();
    assert_eq!(parts(sessions, &made.id).await, (2, 1, true, false));
    sessions.exactly("alice", &made.id).await.unwrap()
}

#[tokio::test]
async fn half_a_session_is_taken_out_once_its_maker_is_gone() {
    let (_home, sessions, ahead) = kept();
    let told = Arc::new(Told::default());
    sessions.depend(told.clone());
    let made = whole(&sessions).await;
    let fork = async || {
        let draft = sessions.draft("alice", Origin::Platform, named("fork"));
        let held = sessions.claim("alice", &draft.id).await.unwrap();
        sessions.workspaces().copy(&made.id, &draft.id).unwrap();
        let mut change = Change::default();
        for message in sessions.messages(&made, 0, 1).await.unwrap() {
            message::insert(&mut change, "alice", &draft.id, &message).unwrap();
        }
        assert_eq!(sessions.records.commit(change).await.unwrap(), Committed::Done);
        assert_eq!(parts(&sessions, &draft.id).await, (1, 0, true, true));
        // As if its process had ended here.
        drop(held);
        draft.id
    };
    let id = fork().await;
    sessions.pick_up(false).await.unwrap();
    assert_eq!(parts(&sessions, &id).await, (1, 0, true, true), "its maker may be another process");
    ahead.store(60, Ordering::Relaxed);
    sessions.pick_up(false).await.unwrap();
    assert_eq!(parts(&sessions, &id).await, NOTHING);
    assert_eq!(*told.0.lock().unwrap(), [id]);
    let id = fork().await;
    sessions.pick_up(true).await.unwrap();
    assert_eq!(parts(&sessions, &id).await, NOTHING, "who is alone needn't wait");
    assert_eq!(parts(&sessions, &made.id).await, (2, 1, true, false), "what is whole stays");
}

#[tokio::test]
async fn half_a_session_is_taken_out_once_who_took_out_the_rest_is_gone() {
    let (_home, sessions, _) = kept();
    let made = whole(&sessions).await;
    let archive = sessions.archived(&made).await.unwrap();
    let old = sessions.records.get("alice", &made.id).await.unwrap().unwrap();
    let mut change = Change::default();
    sessions.records.remove(&mut change, &old, &sessions.lease("alice", &made.id)).unwrap();
    assert_eq!(sessions.records.commit(change).await.unwrap(), Committed::Done);
    assert!(sessions.exactly("alice", &made.id).await.is_err(), "it is gone for callers");
    assert_eq!(parts(&sessions, &made.id).await, (2, 1, true, true));
    sessions.pick_up(true).await.unwrap();
    assert_eq!(parts(&sessions, &made.id).await, NOTHING);
    assert!(!sessions.workspaces().archive(&archive.id).exists());
}

#[tokio::test]
async fn what_can_not_be_made_leaves_nothing() {
    let (home, sessions, _) = kept();
    let made = whole(&sessions).await;
    let mut small = config();
    small.store.path = home.path().to_owned();
    small.sessions.workspace_quota = 0;
    let small = Arc::new(Sessions::new(sessions.records.store().clone(), Clock::system(), &small));
    let fork = fork::Fork { workspace: true, ..fork::Fork::default() };
    assert_eq!(small.fork("alice", &made, fork).await.unwrap_err().kind(), Kind::TooLarge);
    let workspaces = fs::read_dir(sessions.workspaces().path(&made.id).parent().unwrap()).unwrap();
    assert_eq!(workspaces.count(), 1);
    assert!(sessions.records.leases(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_archive_whose_maker_is_gone_has_failed() {
    let (_home, sessions, ahead) = kept();
    let made = whole(&sessions).await;
    let whole = sessions.archived(&made).await.unwrap();
    let begun = sessions.begin_archive(&made).await.unwrap();
    fs::write(sessions.workspaces().archive(&begun.id), "half").unwrap();
    sessions.pick_up(false).await.unwrap();
    let archived = async || sessions.records.archives("alice", &made.id).await.unwrap();
    assert!(archived().await.contains(&begun), "its maker may be another process");
    ahead.store(2 * 3600, Ordering::Relaxed);
    sessions.pick_up(false).await.unwrap();
    let archives = archived().await;
    let failed = archives.iter().find(|archive| archive.id == begun.id).unwrap();
    assert_eq!((failed.state, failed.error.is_some()), (ArchiveState::Failed, true));
    assert!(!sessions.workspaces().archive(&begun.id).exists());
    assert!(archives.contains(&whole) && sessions.workspaces().archive(&whole.id).exists());
}

#[tokio::test]
async fn who_is_alone_ends_turns_of_others_at_once() {
    let (_home, sessions, _) = kept();
    let made = sessions.create("alice", Origin::Platform, named("one")).await.unwrap();
    let turn = sessions.begin("alice", &made.id).await.unwrap();
    assert_eq!(sessions.exactly("alice", &made.id).await.unwrap().status, Status::Processing);
    sessions.pick_up(true).await.unwrap();
    let session = sessions.exactly("alice", &made.id).await.unwrap();
    assert_eq!((session.status, session.error.is_some()), (Status::Active, true));
    assert_eq!(turn.finish().await.err().map(|error| error.kind()), Some(Kind::Conflict));
}
