//! Tests of sessions and of turns in them.

mod halves;
mod kept;

use std::time::Duration;

use super::*;
use crate::model::chat::{Event, Role, Stop, StopReason, Usage};
use crate::model::session::Cost;

fn sessions() -> Arc<Sessions> {
    Arc::new(Sessions::new(Store::in_memory(), Clock::system(), &config()))
}

fn config() -> config::Config {
    let mut config = config::Config::default();
    config.sessions.wait = Duration::from_secs(2);
    config
}

fn user(text: &str) -> chat::Message {
    chat::Message::text(Role::User, text)
}

fn text(text: &str) -> Event {
    Event::Text { block: 0, text: text.to_owned() }
}

fn end(input: u64, output: u64) -> [Event; 2] {
    let usage = Usage { input, output, cost: Some(0.25), ..Usage::default() };
    [Event::Usage(usage), Event::Stopped(Stop { reason: StopReason::Complete, sequence: None })]
}

fn named(name: &str) -> New {
    New { name: Some(name.into()), ..New::default() }
}

async fn said(sessions: &Sessions, session: &Session) -> Vec<(u64, String, bool)> {
    let messages = sessions.messages(session, 0, 100).await.unwrap();
    messages.iter().map(|message| (message.sequence, message.text(), message.complete)).collect()
}

#[tokio::test]
async fn a_turn_is_written_down_with_what_it_took() {
    let sessions = sessions();
    let made = sessions.create("alice", Origin::Platform, named("one")).await.unwrap();
    for (question, answer) in [("a?", "A"), ("b?", "B")] {
        let mut turn = sessions.begin("alice", &made.id).await.unwrap();
        assert_eq!(sessions.exactly("alice", &made.id).await.unwrap().status, Status::Processing);
        turn.ask([user(question)]);
        turn.heard("p", "m", [text(answer)]);
        turn.heard("p", "m", end(3, 2));
        let (session, messages) = turn.finish().await.unwrap();
        assert_eq!(session.status, Status::Active);
        assert_eq!(messages.last().map(|message| message.text()).as_deref(), Some(answer));
    }
    let session = sessions.exactly("alice", &made.id).await.unwrap();
    let expected = [(1, "a?".into(), true), (2, "A".into(), true), (3, "b?".into(), true), (4, "B".into(), true)];
    assert_eq!(said(&sessions, &session).await, expected);
    let totals =
        Totals { messages: 4, tool_calls: 0, turns: 2, input_tokens: 6, output_tokens: 4, cost: Cost::of(0.5) };
    assert_eq!(session.totals, totals);
    assert_eq!((session.provider.as_deref(), session.model.as_deref()), (Some("p"), Some("m")));
}

#[tokio::test]
async fn whoever_drops_a_turn_leaves_what_was_said() {
    let sessions = sessions();
    let mut turn = sessions.begin_new("alice", Origin::Chat, New::default());
    turn.ask([user("tell me all")]);
    turn.heard("p", "m", [text("well, ")]);
    turn.heard("p", "m", [text("first")]);
    let id = turn.session().id.clone();
    drop(turn);
    // Who goes on with it waits until it is written.
    let turn = sessions.begin("alice", &id).await.unwrap();
    assert_eq!(turn.history().await.unwrap().len(), 2);
    let session = turn.session().clone();
    assert_eq!(said(&sessions, &session).await, [(1, "tell me all".into(), true), (2, "well, first".into(), false)]);
    drop(turn);
    // Nothing was said: there is nothing to keep.
    let mut silent = sessions.begin_new("alice", Origin::Chat, New::default());
    silent.ask([user("hello?")]);
    let id = silent.session().id.clone();
    drop(silent);
    assert_eq!(sessions.begin("alice", &id).await.err().map(|error| error.kind()), Some(Kind::NotFound));
}

#[tokio::test]
async fn a_question_that_nobody_answered_can_be_asked_again() {
    let sessions = sessions();
    let made = sessions.create("alice", Origin::Platform, named("one")).await.unwrap();
    let mut turn = sessions.begin("alice", &made.id).await.unwrap();
    turn.ask([user("a?")]);
    turn.fail(&Error::internal("x")).await;
    let session = sessions.exactly("alice", &made.id).await.unwrap();
    assert_eq!((session.status, session.totals.messages), (Status::Active, 0));
    assert!(session.error.is_some());
    let mut turn = sessions.begin("alice", &made.id).await.unwrap();
    turn.ask([user("a?")]);
    turn.heard("p", "m", [text("half")]);
    turn.fail(&Error::internal("x")).await;
    let session = sessions.exactly("alice", &made.id).await.unwrap();
    assert_eq!(said(&sessions, &session).await, [(1, "a?".into(), true), (2, "half".into(), false)]);
}

#[tokio::test]
async fn turns_never_interleave() {
    let sessions = sessions();
    let made = sessions.create("alice", Origin::Platform, named("one")).await.unwrap();
    let held = sessions.begin("alice", &made.id).await.unwrap();
    let refused = sessions.begin("alice", &made.id).await.err().unwrap();
    assert_eq!((refused.kind(), refused.retry_after().is_some()), (Kind::Conflict, true));
    drop(held);
    let ask = async |question: String| {
        let mut turn = sessions.begin("alice", &made.id).await.unwrap();
        turn.ask([user(&question)]);
        tokio::task::yield_now().await;
        turn.heard("p", "m", [text(&question)]);
        turn.finish().await.unwrap();
    };
    futures_util::future::join_all((0..8).map(|number| ask(number.to_string()))).await;
    let session = sessions.exactly("alice", &made.id).await.unwrap();
    let said = said(&sessions, &session).await;
    assert_eq!(said.len(), 16);
    assert!(said.chunks(2).all(|turn| turn[0].1 == turn[1].1), "{said:?}");
}

#[tokio::test]
async fn a_deleted_session_takes_nothing_more() {
    let sessions = sessions();
    let made = sessions.create("alice", Origin::Platform, named("one")).await.unwrap();
    let mut turn = sessions.begin("alice", &made.id).await.unwrap();
    turn.ask([user("a?")]);
    turn.heard("p", "m", [text("half")]);
    sessions.delete("alice", &made.id).await.unwrap();
    turn.heard("p", "m", end(1, 1));
    assert_eq!(turn.finish().await.err().map(|error| error.kind()), Some(Kind::Conflict));
    sessions.settle().await;
    assert_eq!(sessions.messages(&made, 0, 10).await.unwrap(), []);
    assert_eq!(sessions.list("alice", &Filter::default(), None, 0, 10).await.unwrap().total, 0);
    assert!(sessions.totals().await.unwrap().iter().all(|(_, count)| *count == 0));
}

#[tokio::test]
async fn nobody_learns_of_anothers_sessions() {
    let sessions = sessions();
    let made = sessions.create("alice", Origin::Platform, named("one")).await.unwrap();
    let held = sessions.begin("alice", &made.id).await.unwrap();
    let (alice, bob) = (Scope { owner: "alice", all: false }, Scope { owner: "bob", all: false });
    assert_eq!(sessions.get(alice, &made.id[..8]).await.unwrap().id, made.id);
    assert_eq!(sessions.get(alice, &made.id[..7]).await.err().map(|error| error.kind()), Some(Kind::NotFound));
    let unknown = Uuid::new_v4().to_string();
    for (theirs, none) in [
        (sessions.get(bob, &made.id).await.err(), sessions.get(bob, &unknown).await.err()),
        (sessions.begin("bob", &made.id).await.err(), sessions.begin("bob", &unknown).await.err()),
        (sessions.delete("bob", &made.id).await.err(), sessions.delete("bob", &unknown).await.err()),
    ] {
        let (theirs, none) = (theirs.unwrap(), none.unwrap());
        assert_eq!(theirs.to_string().replace(&made.id, "x"), none.to_string().replace(&unknown, "x"));
    }
    assert_eq!(sessions.get(Scope { owner: "root", all: true }, &made.id).await.unwrap().owner, "alice");
    drop(held);
}

#[tokio::test]
async fn lists_are_exact_and_pages_neither_skip_nor_repeat() {
    let sessions = sessions();
    let mut ids = Vec::new();
    for number in 0..25 {
        let mode = if number % 2 == 0 { Mode::Interactive } else { Mode::Background };
        let new = New { mode, ..named(&number.to_string()) };
        ids.push(sessions.create("alice", Origin::Platform, new).await.unwrap().id);
    }
    sessions.become_status("alice", &ids[3], Status::Active).await.unwrap();
    sessions.become_status("alice", &ids[3], Status::Paused).await.unwrap();
    let count = async |filter: Filter| sessions.list("alice", &filter, None, 0, 100).await.unwrap();
    let paused = count(Filter { status: Some(Status::Paused), ..Filter::default() }).await;
    assert_eq!((paused.total, paused.items.len(), &paused.items[0].id), (1, 1, &ids[3]));
    let background = Filter { mode: Some(Mode::Background), status: Some(Status::Created), provider: None };
    let background = count(background).await;
    assert_eq!((background.total, background.items.len()), (11, 11));
    // Others are made while somebody turns the pages.
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = sessions.list("alice", &Filter::default(), after.as_ref(), 0, 4).await.unwrap();
        seen.extend(page.items.iter().map(|session| session.id.clone()));
        sessions.create("alice", Origin::Platform, named("late")).await.unwrap();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    // One that is made in the same millisecond as the last one of a page may still come; those that were there come once.
    assert!(ids.iter().all(|id| seen.iter().filter(|seen| *seen == id).count() == 1), "{seen:?}");
    for id in &ids {
        sessions.delete("alice", id).await.unwrap();
    }
    assert_eq!(count(Filter::default()).await.total, 7, "those that came late");
}

#[tokio::test]
async fn abandoned_turns_free_their_sessions() {
    let sessions = sessions();
    let made = sessions.create("alice", Origin::Platform, named("one")).await.unwrap();
    let store = sessions.records.store().clone();
    let mut turn = sessions.begin("alice", &made.id).await.unwrap();
    turn.ask([user("a?")]);
    turn.heard("p", "m", [text("half")]);
    sessions.settle().await;
    // Another process, after this one is gone without a word.
    let late = Clock::from_fn(|| {
        let later = jiff::SignedDuration::from_secs(3600);
        Clock::system().now().saturating_add(later).unwrap()
    });
    let other = Arc::new(Sessions::new(store, late, &config()));
    assert_eq!(other.free_abandoned(false).await.unwrap(), 1);
    let session = other.exactly("alice", &made.id).await.unwrap();
    assert_eq!((session.status, session.error.is_some()), (Status::Active, true));
    assert_eq!(said(&other, &session).await, [(1, "a?".into(), true), (2, "half".into(), false)]);
    // Whoever was taken for dead writes nothing more.
    let mut next = other.begin("alice", &made.id).await.unwrap();
    next.ask([user("b?")]);
    turn.heard("p", "m", end(1, 1));
    assert_eq!(turn.finish().await.err().map(|error| error.kind()), Some(Kind::Conflict));
    next.heard("p", "m", [text("B")]);
    next.finish().await.unwrap();
    assert_eq!(other.exactly("alice", &made.id).await.unwrap().totals.messages, 4);
}
