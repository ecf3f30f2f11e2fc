//! Tests of how long sessions are kept, and of what is handed out and taken out of them.

use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::StreamExt;
use jiff::SignedDuration;

use super::*;
use crate::service::access::Belongings;

const DAY: i64 = 86_400;

/// Sessions in a directory of their own, and the seconds by which their clock is ahead.
pub(super) fn kept() -> (tempfile::TempDir, Arc<Sessions>, Arc<AtomicI64>) {
    let home = tempfile::tempdir().unwrap();
    let ahead = Arc::new(AtomicI64::new(0));
    let mut config = config();
    config.store.path = home.path().to_owned();
    config.retention.sessions = Some(Duration::from_secs(10 * 86_400));
    let clock = Clock::from_fn({
        let ahead = ahead.clone();
        move || Clock::system().now().saturating_add(SignedDuration::from_secs(ahead.load(Ordering::Relaxed))).unwrap()
    });
    let sessions = Arc::new(Sessions::new(Store::in_memory(), clock, &config));
    (home, sessions, ahead)
}

pub(super) async fn talk(sessions: &Arc<Sessions>, mut turn: Turn, words: &str) -> String {
    turn.ask([user(words)]);
    turn.heard("p", "m", [text(words)]);
    let id = turn.session().id.clone();
    turn.finish().await.unwrap();
    sessions.settle().await;
    id
}

#[tokio::test]
async fn what_nobody_uses_is_taken_out_in_time() {
    let (_home, sessions, ahead) = kept();
    let new = New { workspace: true, ..named("idle") };
    let idle = sessions.create("alice", Origin::Platform, new.clone()).await.unwrap();
    let used = sessions.create("alice", Origin::Platform, new).await.unwrap();
    let archive = sessions.archive(&used).await.unwrap();
    let chat = talk(&sessions, sessions.begin_new("alice", Origin::Chat, New::default()), "hello").await;
    assert_eq!(sessions.expire().await.unwrap(), 0);
    ahead.store(9 * DAY, Ordering::Relaxed);
    talk(&sessions, sessions.begin("alice", &used.id).await.unwrap(), "still here").await;
    ahead.store(11 * DAY, Ordering::Relaxed);
    assert_eq!(sessions.expire().await.unwrap(), 1);
    assert!(sessions.exactly("alice", &idle.id).await.is_err() && !sessions.workspaces().path(&idle.id).exists());
    sessions.exactly("alice", &used.id).await.unwrap();
    assert!(sessions.workspaces().path(&used.id).exists());
    // Conversations and archives have times of their own.
    ahead.store(18 * DAY, Ordering::Relaxed);
    talk(&sessions, sessions.begin("alice", &used.id).await.unwrap(), "yes").await;
    ahead.store(27 * DAY, Ordering::Relaxed);
    talk(&sessions, sessions.begin("alice", &used.id).await.unwrap(), "yes").await;
    ahead.store(31 * DAY, Ordering::Relaxed);
    assert_eq!(sessions.expire().await.unwrap(), 1);
    assert!(sessions.exactly("alice", &chat).await.is_err());
    assert!(sessions.workspaces().archive(&archive.id).exists());
    ahead.store(91 * DAY, Ordering::Relaxed);
    assert_eq!(sessions.expire().await.unwrap(), 1, "with its archive");
    assert!(!sessions.workspaces().archive(&archive.id).exists());
    assert_eq!(sessions.records.all("alice", None, 10).await.unwrap().len(), 0);
    assert_eq!(sessions.expire().await.unwrap(), 0, "nothing is left to be looked at");
}

/// Takes note of the sessions that it is told of.
#[derive(Default)]
pub(super) struct Told(pub(super) std::sync::Mutex<Vec<String>>);

impl Dependents for Told {
    fn forget<'a>(&'a self, session: &'a str) -> futures_util::future::BoxFuture<'a, crate::model::Result<()>> {
        self.0.lock().unwrap().push(session.to_owned());
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn what_belongs_to_a_session_goes_with_it_whoever_takes_it_out() {
    let (_home, sessions, ahead) = kept();
    let told = Arc::new(Told::default());
    sessions.depend(told.clone());
    let old = sessions.create("alice", Origin::Agent, named("old")).await.unwrap();
    let other = sessions.create("alice", Origin::Agent, named("other")).await.unwrap();
    sessions.delete("alice", &other.id).await.unwrap();
    assert!(sessions.delete("bob", &old.id).await.is_err());
    ahead.store(11 * DAY, Ordering::Relaxed);
    assert_eq!(sessions.expire().await.unwrap(), 1);
    assert_eq!(*told.0.lock().unwrap(), [other.id, old.id]);
}

#[tokio::test]
async fn owners_are_handed_all_that_is_theirs_and_nothing_else() {
    let (_home, sessions, _) = kept();
    let new = New { workspace: true, ..named("one") };
    let session = sessions.create("alice", Origin::Platform, new).await.unwrap();
    talk(&sessions, sessions.begin("alice", &session.id).await.unwrap(), "platform").await;
    talk(&sessions, sessions.begin_new("alice", Origin::Chat, New::default()), "chat").await;
    let others = talk(&sessions, sessions.begin_new("bob", Origin::Chat, New::default()), "bob's").await;
    let lines: Vec<Value> = sessions.export("alice").map(|line| line.unwrap()).collect().await;
    let kinds = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).count();
    assert_eq!((kinds("session"), kinds("conversation"), kinds("message"), lines.len()), (1, 1, 4, 6));
    let told = serde_json::to_string(&lines).unwrap();
    assert!(told.contains("platform") && told.contains("chat") && !told.contains("bob"), "{told}");
    assert_eq!(sessions.erase("alice").await.unwrap(), 2);
    assert_eq!(sessions.erase("alice").await.unwrap(), 0);
    assert!(!sessions.workspaces().path(&session.id).exists());
    assert_eq!(sessions.export("alice").count().await, 0);
    sessions.exactly("bob", &others).await.unwrap();
}
