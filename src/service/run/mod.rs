//! Runs: agents that work at a task, watched, stopped, answered, and picked up again when the server comes back.
//!
//! [`Agent`] is the loop, and knows nothing of stores: chats with tools use it too ([`assisted`]). [`work`] drives one for a run
//! and writes each step into the run's [`journal`] before anybody sees it; [`Watcher`] reads what was written.
//!
//! A call that may have effects is written down before it is made and once it is over. After a crash, calls that were begun and
//! have no outcome are repeated only where the tool says that this does no harm; of the others the model is told that nobody
//! knows.

mod agent;
pub mod assisted;
mod belongings;
mod calls;
mod context;
mod files;
mod hands;
mod journal;
mod leave;
mod reports;
mod start;
mod step;
mod tell;
mod tend;
mod watch;
mod work;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore, watch as channel};

pub use agent::Agent;
pub use assisted::{Ask, Assisted};
pub use calls::{Done, Planned};
pub use hands::{HandCall, Hands, Place};
pub use start::New;
pub use step::{Bounds, Ending, Limit, Setting, Step};
pub use watch::{Seen, Watcher};

use self::journal::Journal;
use super::access::Accounts;
use super::{Chat, Clock};
use crate::config;
use crate::model::account::Credential;
use crate::model::caller::{Caller, Identity};
use crate::model::run::{Asker, AskingMember, Body, Question, Reply, Run, Status};
use crate::model::{Error, Kind, Result};
use crate::store::Store;
use crate::store::runs as records;

/// See the module.
pub struct Runs {
    store: records::Runs,
    chat: Arc<Chat>,
    hands: Arc<dyn Hands>,
    clock: Clock,
    settings: config::Runs,
    /// Who knows the accounts on whose behalf runs go on; absent where there are none.
    accounts: Option<Arc<Accounts>>,
    /// Names this process among those that share the store.
    holder: String,
    /// Where runs work: not on the thread of whoever started them, which ends when the server drains.
    runtime: Handle,
    live: Mutex<HashMap<String, Arc<Live>>>,
    room: Arc<Semaphore>,
}

/// A run that somebody works at.
struct Live {
    id: String,
    /// On whose behalf it works.
    caller: Caller,
    journal: Arc<Journal>,
    stop: channel::Sender<Option<Stop>>,
    /// Somebody answered a question.
    nudge: Notify,
    /// Gone when nobody works at it any more.
    over: channel::Sender<bool>,
}

/// Who ends a run before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Person,
    /// The server, which picks it up again.
    Shutdown,
}

/// How long whoever stops a run waits for it to have stopped.
const STOPPING: Duration = Duration::from_secs(10);
/// The longest words to a run.
const LONGEST_WORDS: usize = 100_000;

// === impl Runs ===

impl Runs {
    /// Runs kept in `store`, that ask models by `chat` and work with `hands`, on the runtime that this is called on.
    pub fn new(store: Store, chat: Arc<Chat>, hands: Arc<dyn Hands>, settings: config::Runs, clock: Clock) -> Self {
        let room = Arc::new(Semaphore::new(settings.concurrency.clamp(1, Semaphore::MAX_PERMITS)));
        Self {
            store: records::Runs::new(store),
            chat,
            hands,
            clock,
            settings,
            accounts: None,
            holder: super::clock::fresh("proc-"),
            runtime: Handle::current(),
            live: Mutex::default(),
            room,
        }
    }

    /// Runs that are picked up go on as `accounts` allow by then.
    pub fn knowing(self, accounts: Arc<Accounts>) -> Self {
        Self { accounts: Some(accounts), ..self }
    }

    /// What bounds an agent, where nobody says otherwise.
    pub fn bounds(&self) -> Bounds {
        let config::Runs { max_iterations, max_tokens, max_cost, retries, tool_output, context_window, .. } =
            self.settings;
        Bounds {
            iterations: max_iterations,
            tokens: max_tokens,
            cost: max_cost,
            retries,
            output: tool_output,
            window: context_window,
        }
    }

    /// The directory of this machine that a caller named `named`, if the operator lets runs work there.
    pub async fn directory(&self, named: &str) -> Option<String> {
        if self.settings.directories.is_empty() {
            return None;
        }
        // Only what is there has a real place, which no link or `..` hides.
        let real = tokio::fs::canonicalize(named).await.ok()?;
        for allowed in &self.settings.directories {
            if tokio::fs::canonicalize(allowed).await.is_ok_and(|allowed| real.starts_with(allowed)) {
                return real.to_str().filter(|_| real.is_dir()).map(str::to_owned);
            }
        }
        None
    }

    /// The run `id` of `owner`.
    ///
    /// # Errors
    /// If there is none, or it is somebody else's.
    pub async fn get(&self, owner: &str, id: &str) -> Result<Run> {
        let run = self.store.get(id).await?.filter(|run| run.owner == owner);
        run.ok_or_else(|| Error::caller(Kind::NotFound, format!("Task not found: {id}")))
    }

    /// The runs of a session, the newest first, at most `limit` of them.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn of_session(&self, session: &str, limit: usize) -> Result<Vec<Run>> {
        self.store.of_session(session, limit).await
    }

    /// How many runs a session has.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn count_of_session(&self, session: &str) -> Result<usize> {
        self.store.count_of_session(session).await
    }

    /// Stops a run; one that is over stays as it is.
    ///
    /// # Errors
    /// If `owner` has no such run.
    pub async fn stop(&self, owner: &str, id: &str) -> Result<Run> {
        self.get(owner, id).await?;
        self.end(id).await;
        let run = self.get(owner, id).await?;
        if !run.status.is_over() && self.of(id).is_none() {
            // Nobody works at it, so nobody else ends it.
            let lease = self.store.lease(id).await?;
            if let Some(lease) = lease
                && !self.take(id, &lease, false).await?
            {
                let what = "another process of this server works at the task just now; try again in a moment";
                return Err(Error::caller(Kind::Conflict, what).with_retry_after(Some(Duration::from_secs(1))));
            }
            let run = Run { status: Status::Stopped, completed_at: Some(self.clock.rfc3339()), ..run };
            let body = Body::Status { status: Status::Stopped, message: "Task stopped".into(), discard_after: None };
            let journal = self.journal(run.clone()).await?;
            journal
                .write(|draft| {
                    draft.run = run.clone();
                    draft.events.push(body);
                    Ok(())
                })
                .await?;
            return Ok(run);
        }
        Ok(run)
    }

    /// Stops a run, if somebody works at it, and waits until nobody does.
    async fn end(&self, id: &str) {
        let Some(live) = self.of(id) else { return };
        let mut over = live.over.subscribe();
        live.stop.send_replace(Some(Stop::Person));
        // It may be over meanwhile; and who hangs on the store can't be waited for.
        let _ = tokio::time::timeout(STOPPING, over.wait_for(|over| *over)).await;
    }

    /// Says something to a run that goes on: an answer to what it asks, or what the model is told before its next answer.
    ///
    /// # Errors
    /// If `owner` has no such run, it is over, or the words are too long.
    pub async fn say(&self, owner: &str, id: &str, words: String) -> Result<Run> {
        if words.trim().is_empty() || words.len() > LONGEST_WORDS {
            let what = format!("it must hold something, and at most {LONGEST_WORDS} bytes");
            return Err(Error::invalid("content", what));
        }
        let live = self.working(owner, id).await?;
        let work = live.clone();
        let said = async move {
            work.journal
                .write(|draft| {
                    going_on(&draft.run)?;
                    draft.events.push(Body::Input { content: words.clone() });
                    let asked = draft.run.progress.question.as_mut();
                    match asked.filter(|asked| asked.tool == calls::ASK && asked.answer.is_none()) {
                        Some(asked) => asked.answer = Some(Reply { approved: true, words: Some(words) }),
                        None => draft.inbox = Some(words),
                    }
                    Ok(())
                })
                .await?;
            work.nudge.notify_waiters();
            Ok(())
        };
        self.to_the_end(said).await?;
        Ok(live.journal.run().await)
    }

    /// What a run asks that `owner` may answer.
    ///
    /// # Errors
    /// If `owner` has no such run.
    pub async fn question(&self, owner: &str, id: &str) -> Result<Option<Question>> {
        Ok(self.get(owner, id).await?.progress.question.filter(|asked| asked.answer.is_none()))
    }

    /// Answers what a run asks.
    ///
    /// # Errors
    /// If `owner` has no such run, or it doesn't ask that, or no longer.
    pub async fn approve(&self, owner: &str, id: &str, question: &str, reply: Reply) -> Result<Run> {
        let live = self.working(owner, id).await?;
        let (work, question) = (live.clone(), question.to_owned());
        let answered = async move {
            work.journal
                .write(|draft| {
                    going_on(&draft.run)?;
                    let asked = draft.run.progress.question.as_mut().filter(|asked| asked.id == question);
                    let asked = asked
                        .ok_or_else(|| Error::caller(Kind::NotFound, format!("Approval not found: {question}")))?;
                    if asked.answer.is_some() {
                        return Err(Error::caller(Kind::Conflict, "it was answered already"));
                    }
                    asked.answer = Some(reply.clone());
                    draft.events.push(Body::ApprovalResolved {
                        approval_id: question.clone(),
                        approved: reply.approved,
                        reason: reply.words,
                    });
                    Ok(())
                })
                .await?;
            work.nudge.notify_waiters();
            Ok(())
        };
        self.to_the_end(answered).await?;
        Ok(live.journal.run().await)
    }

    /// Does `work` also if whoever waits for it hangs up: what is half written would stand in the run's own way.
    async fn to_the_end(&self, work: impl Future<Output = Result<()>> + Send + 'static) -> Result<()> {
        self.runtime.spawn(work).await.map_err(Error::internal)?
    }

    /// Watches a run from behind event `after` on.
    ///
    /// # Errors
    /// If `owner` has no such run.
    pub async fn watch(&self, owner: &str, id: &str, after: u64) -> Result<Watcher> {
        self.get(owner, id).await?;
        let journal = self.of(id).map(|live| live.journal.clone());
        Ok(Watcher::new(self.store.clone(), id.to_owned(), after, journal))
    }

    /// Ends all runs of a session and forgets them.
    ///
    /// # Errors
    /// If the store can't be used.
    async fn forget_session(&self, session: &str) -> Result<()> {
        self.forget(self.store.of_session(session, usize::MAX).await?).await.map(drop)
    }

    /// Ends all runs of an owner and forgets them; tells how many.
    ///
    /// # Errors
    /// If the store can't be used.
    pub async fn forget_owner(&self, owner: &str) -> Result<usize> {
        self.forget(self.store.of_owner(owner, usize::MAX).await?).await
    }

    async fn forget(&self, runs: Vec<Run>) -> Result<usize> {
        for run in &runs {
            self.end(&run.id).await;
            self.store.forget(run).await?;
        }
        Ok(runs.len())
    }

    /// Lets every run stop where it stands; the server that comes next picks them up. Waits until all have.
    pub async fn shut_down(&self) {
        let all: Vec<Arc<Live>> = self.lock().values().cloned().collect();
        for live in &all {
            live.stop.send_replace(Some(Stop::Shutdown));
        }
        let gone = async {
            for live in all {
                // An error means that it is gone.
                let _ = live.over.subscribe().wait_for(|over| *over).await;
            }
        };
        if tokio::time::timeout(STOPPING, gone).await.is_err() {
            tracing::warn!("some runs did not stop in time; they are picked up where they were stored");
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Live>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, id: &str) -> Option<Arc<Live>> {
        self.lock().get(id).cloned()
    }

    /// The run `id` of `owner`, at which somebody works.
    async fn working(&self, owner: &str, id: &str) -> Result<Arc<Live>> {
        let run = self.get(owner, id).await?;
        going_on(&run)?;
        let gone = "nobody works at the task just now; try again in a moment";
        self.of(id).ok_or_else(|| Error::caller(Kind::Conflict, gone))
    }
}

// === impl Live ===

impl Live {
    /// Waits until somebody stops it.
    async fn stopped(&self) -> Stop {
        let mut stop = self.stop.subscribe();
        let told = stop.wait_for(Option::is_some).await.ok().and_then(|stop| *stop);
        told.unwrap_or(Stop::Shutdown)
    }
}

fn going_on(run: &Run) -> Result<()> {
    if run.status.is_over() {
        return Err(Error::caller(Kind::Conflict, format!("the task is over: {}", run.status.as_str())));
    }
    Ok(())
}

/// What a run remembers of a caller.
fn asker(caller: &Caller) -> Asker {
    let member = caller.member().map(|member| AskingMember {
        id: member.id.clone(),
        key: match &member.credential {
            Credential::Key { id, .. } => Some(id.clone()),
            Credential::Login { .. } => None,
        },
    });
    Asker {
        principal: caller.principal.to_string(),
        known: !matches!(caller.identity, Identity::Anonymous),
        member,
        address: caller.address.to_string(),
        surface: caller.surface.to_owned(),
    }
}
