//! Records and watchers without a model, and calls with scripted tools.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use tokio::sync::Barrier;

use super::calls::{self, Next, Planned};
use super::hands::{HandCall, Hands, Place};
use super::journal::Journal;
use super::watch::{Seen, Watcher};
use crate::model::caller::Caller;
use crate::model::chat::{Message, Part, ResultPart, Role, ToolCall};
use crate::model::run::{Approval, Asker, Body, Limits, Progress, Reach, Reply, Rules, Run, Status};
use crate::model::tool::{Annotations, Failure, FailureKind, Output, Spec};
use crate::service::Clock;
use crate::store::Store;
use crate::store::runs::{Lease, Runs};

fn run() -> Run {
    Run {
        id: "run".into(),
        session: Some("session".into()),
        owner: "alice".into(),
        asker: Asker {
            principal: "alice".into(),
            known: true,
            member: None,
            address: "::1".into(),
            surface: "agent".into(),
        },
        description: "do it".into(),
        system: None,
        provider: None,
        model: None,
        reach: Reach::Offline,
        workspace: None,
        rules: Rules::default(),
        limits: Limits { iterations: 5, seconds: 60, tokens: 1000, cost: None },
        status: Status::Running,
        progress: Progress::default(),
        result: None,
        created_at: "2026-01-01T00:00:00Z".into(),
        completed_at: None,
    }
}

async fn journal() -> (Runs, Arc<Journal>) {
    let store = Runs::new(Store::in_memory());
    store.create(&run(), &Lease { holder: "me".into(), until: 0 }, &[]).await.unwrap();
    let journal = Journal::new(store.clone(), Clock::system(), run(), 0, Vec::new());
    (store, Arc::new(journal))
}

async fn note(journal: &Journal, words: &str) {
    let words = words.to_owned();
    journal
        .write(|draft| {
            draft.events.push(Body::Input { content: words });
            Ok(())
        })
        .await
        .unwrap();
}

async fn end(journal: &Journal) {
    journal
        .write(|draft| {
            draft.run.status = Status::Completed;
            let message = String::new();
            draft.events.push(Body::Status { status: Status::Completed, message, discard_after: None });
            Ok(())
        })
        .await
        .unwrap();
}

async fn see_all(mut watcher: Watcher) -> (Vec<u64>, u64) {
    let (mut seen, mut behind) = (Vec::new(), 0);
    while let Some(one) = watcher.next().await.unwrap() {
        match one {
            Seen::Event(event) => seen.push(event.sequence),
            Seen::Behind { missed } => behind += u64::from(missed > 0),
        }
        // Slower than the run.
        tokio::task::yield_now().await;
    }
    (seen, behind)
}

#[tokio::test]
async fn every_watcher_sees_every_event_once_however_slow_it_is() {
    let (store, journal) = journal().await;
    let mut early = Watcher::new(store.clone(), "run".into(), 0, Some(journal.clone()));
    for number in 0..300 {
        note(&journal, &number.to_string()).await;
    }
    for number in 1..=300 {
        let seen = early.next().await.unwrap();
        assert!(matches!(&seen, Some(Seen::Event(event)) if event.sequence == number), "{seen:?}");
    }
    let later = Watcher::new(store.clone(), "run".into(), 250, Some(journal.clone()));
    let watching = tokio::join!(see_all(early), see_all(later), async {
        for number in 0..400 {
            note(&journal, &number.to_string()).await;
            if number % 50 == 0 {
                tokio::task::yield_now().await;
            }
        }
        end(&journal).await;
    });
    let all: Vec<u64> = (1..=701).collect();
    assert_eq!(watching.0.0, all[300..]);
    assert!(watching.0.1 > 0, "who lags behind is told so");
    assert_eq!(watching.1.0, all[250..]);
    let after = Watcher::new(store, "run".into(), 700, None);
    assert_eq!(see_all(after).await.0, [701]);
}

#[tokio::test]
async fn what_is_heard_is_shown_only_once_it_is_stored() {
    let (store, journal) = journal().await;
    journal.hear("one ", "").await;
    journal.hear("two", "hm").await;
    assert!(store.events("run", 0, 10).await.unwrap().is_empty());
    journal.flush().await.unwrap();
    journal.flush().await.unwrap();
    let bodies: Vec<Body> = store.events("run", 0, 10).await.unwrap().into_iter().map(|event| event.body).collect();
    assert_eq!(bodies, [Body::Thinking { content: "hm".into() }, Body::Token { content: "one two".into() }]);
}

#[tokio::test]
async fn two_who_work_at_one_run_do_not_both_write() {
    let (store, first) = journal().await;
    let second = Journal::new(store.clone(), Clock::system(), run(), 0, Vec::new());
    note(&first, "mine").await;
    let refused = second.write(|draft| {
        draft.events.push(Body::Input { content: "theirs".into() });
        Ok(())
    });
    assert!(refused.await.is_err());
    assert_eq!(store.last_event("run").await.unwrap(), 1);
}

#[tokio::test]
async fn words_that_come_at_the_end_are_not_lost() {
    let (store, journal) = journal().await;
    journal
        .write(|draft| {
            draft.inbox = Some("one more thing".into());
            Ok(())
        })
        .await
        .unwrap();
    assert!(!journal.finish(true, |draft| draft.run.status = Status::Completed).await.unwrap());
    // After a crash they are still there.
    assert_eq!(store.inbox("run").await.unwrap(), [(1, "one more thing".to_owned())]);
    assert_eq!(journal.take_inbox().await.unwrap(), ["one more thing"]);
    assert!(store.inbox("run").await.unwrap().is_empty());
    assert_eq!(store.messages("run").await.unwrap().len(), 1);
    assert!(journal.finish(true, |draft| draft.run.status = Status::Completed).await.unwrap());
    assert!(store.open().await.unwrap().is_empty());
}

#[tokio::test]
async fn one_process_at_a_time_takes_a_run() {
    let (store, _) = journal().await;
    let (_, before) = store.open().await.unwrap().remove(0);
    let lease = |holder: &str| Lease { holder: holder.into(), until: 9 };
    assert!(store.take("run", &before, &lease("a")).await.unwrap());
    assert!(!store.take("run", &before, &lease("b")).await.unwrap());
    assert_eq!(store.open().await.unwrap()[0].1.holder, "a");
    // Who was taken for dead learns that it has lost it, and renews nothing.
    let ids = ["run".to_owned(), "over".to_owned()];
    assert_eq!(store.renew(&ids, &lease("b")).await.unwrap(), ["run"]);
    let later = Lease { until: 12, ..lease("a") };
    assert!(store.renew(&ids, &later).await.unwrap().is_empty());
    assert_eq!(store.open().await.unwrap(), [("run".to_owned(), later)]);
    store.forget(&run()).await.unwrap();
    assert!(store.open().await.unwrap().is_empty() && store.of_session("session", 9).await.unwrap().is_empty());
}

/// Tools whose answers are known beforehand.
struct Script {
    specs: Vec<Arc<Spec>>,
    answers: HashMap<&'static str, Result<&'static str, &'static str>>,
    made: Mutex<Vec<String>>,
    /// Where calls that read wait for each other.
    meeting: Option<Arc<Barrier>>,
}

fn spec(name: &str, annotations: Annotations) -> Arc<Spec> {
    Arc::new(Spec {
        name: name.into(),
        title: None,
        description: String::new(),
        category: "test".into(),
        input_schema: "{}".into(),
        output_schema: None,
        annotations,
    })
}

fn script(meeting: Option<usize>) -> Arc<Script> {
    let reads = Annotations { read_only: true, ..Annotations::default() };
    let again = Annotations { idempotent: true, ..Annotations::default() };
    Arc::new(Script {
        specs: vec![spec("read", reads), spec("write", Annotations::default()), spec("set", again)],
        answers: HashMap::from([("read", Ok("text")), ("write", Err("disk full")), ("set", Ok("done"))]),
        made: Mutex::default(),
        meeting: meeting.map(|size| Arc::new(Barrier::new(size))),
    })
}

impl Hands for Script {
    fn specs(&self) -> Vec<Arc<Spec>> {
        self.specs.clone()
    }

    fn call(self: Arc<Self>, call: HandCall) -> BoxFuture<'static, Result<Output, Failure>> {
        self.made.lock().unwrap().push(call.tool.clone());
        Box::pin(async move {
            if let Some(meeting) = self.meeting.as_ref().filter(|_| call.tool == "read") {
                meeting.wait().await;
            }
            match self.answers[call.tool.as_str()] {
                Ok(text) => Ok(Output { parts: vec![ResultPart::Text(text.into())], structured: None }),
                Err(why) => Err(Failure { kind: FailureKind::Failed, message: why.into() }),
            }
        })
    }
}

fn place() -> Place {
    let caller = Caller::anonymous(IpAddr::from([127, 0, 0, 1]), "agent");
    Place { caller, session: None, run: None, workspace: None, progress: None }
}

fn answer(wanted: &[(&str, &str)]) -> Message {
    let call = |(index, (name, arguments)): (usize, &(&str, &str))| {
        let id = format!("call-{index}");
        Part::Call(ToolCall { id, name: (*name).into(), arguments: (*arguments).into(), extra: Vec::new() })
    };
    Message { role: Role::Assistant, name: None, parts: wanted.iter().enumerate().map(call).collect(), extra: vec![] }
}

/// What comes of calls: each one's words, with a mark for success; questions are shown and answered with `reply`.
async fn outcome(
    script: &Arc<Script>,
    rules: &Rules,
    mut queue: std::collections::VecDeque<Planned>,
    reply: bool,
) -> Vec<String> {
    let hands: Arc<dyn Hands> = script.clone();
    let mut told = Vec::new();
    loop {
        match calls::next(&mut queue, rules, &script.specs) {
            Next::Nothing => return told,
            Next::Skip(done) => told.push(format!("- {}", done.words())),
            Next::Ask(mut planned, _) => {
                told.push(format!("? {}", planned.call.name));
                planned.answer(Reply { approved: reply, words: None });
                queue.push_front(*planned);
            }
            Next::Make(some) => {
                let mut making = calls::make(some, &hands, &place(), 1000);
                while let Some(done) = making.next().await {
                    told.push(format!("{} {}", if done.success { '+' } else { '-' }, done.words()));
                }
            }
        }
    }
}

#[tokio::test]
async fn what_a_model_gets_wrong_it_is_told() {
    let script = script(None);
    let wanted = [("read", ""), ("read", "{\"path\": "), ("read", "[1]"), ("fly", "{}"), ("write", "{}")];
    let queue = Planned::of(&answer(&wanted), &script.specs);
    let told = outcome(&script, &Rules::default(), queue, true).await;
    assert_eq!(told[0], "+ text");
    assert!(told[1].contains("no JSON") && told[1].contains("call it again"), "{told:?}");
    assert!(told[2].contains("no JSON object"), "{told:?}");
    assert!(told[3].contains("there is no tool `fly`; there are: read, write, set"), "{told:?}");
    assert_eq!(told[4], "- disk full");
    assert_eq!(*script.made.lock().unwrap(), ["read", "write"]);
}

#[tokio::test]
async fn calls_that_only_read_are_made_together() {
    // Each waits for the others: one after another they would wait for ever.
    let script = script(Some(3));
    let queue = Planned::of(&answer(&[("read", ""), ("read", ""), ("read", ""), ("set", "")]), &script.specs);
    assert_eq!(outcome(&script, &Rules::default(), queue, true).await, ["+ text", "+ text", "+ text", "+ done"]);
}

#[tokio::test]
async fn a_call_that_may_have_had_effects_is_not_repeated() {
    let script = script(None);
    let mut queue = Planned::of(&answer(&[("read", ""), ("write", ""), ("set", "")]), &script.specs);
    queue.iter_mut().for_each(Planned::was_begun);
    let told = outcome(&script, &Rules::default(), queue, true).await;
    assert!(told[1].contains("was not repeated"), "{told:?}");
    assert_eq!(*script.made.lock().unwrap(), ["read", "set"]);
}

#[tokio::test]
async fn people_are_asked_before_something_changes() {
    let script = script(None);
    let rules = Rules { approval: Approval::OnWrite, ..Rules::default() };
    let queue = || Planned::of(&answer(&[("read", ""), ("set", "")]), &script.specs);
    assert_eq!(outcome(&script, &rules, queue(), true).await, ["+ text", "? set", "+ done"]);
    let told = outcome(&script, &rules, queue(), false).await;
    assert!(told[1] == "? set" && told[2].starts_with("- a person refused"), "{told:?}");
    assert_eq!(*script.made.lock().unwrap(), ["read", "set", "read"]);
}
