//! Sessions: made, found, changed and taken out; and turns in them, one at a time ([`turn`]).
//!
//! Who asks for a session of somebody else's is told that there is none: nobody learns what others have.

mod behind;
mod belongings;
pub mod called;
mod files;
pub mod fork;
mod lease;
mod options;
mod place;
pub mod query;
mod sweep;
pub mod turn;
mod writer;

#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};
use uuid::Uuid;

use self::behind::Behind;
use self::files::{blocking, refused};
use self::place::Places;
use super::{Clock, clock};
use crate::config;
use crate::model::chat;
use crate::model::session::{Message, Mode, Origin, Parent, Session, Status, ToolCall, Totals};
use crate::model::{Error, Kind, Result};
use crate::store::message::{self, Numbered};
use crate::store::session::{Cursor, Filter, Sessions as Records};
use crate::store::workspace::Workspaces;
use crate::store::{Change, Committed, Store, Stored};

pub use self::called::Called;
pub use self::options::Options;
pub use self::turn::Turn;

/// See the module.
pub struct Sessions {
    records: Records,
    clock: Clock,
    settings: config::Sessions,
    retention: config::Retention,
    workspaces: Workspaces,
    places: Places,
    behind: Arc<Behind>,
    /// Who keeps what belongs to sessions elsewhere.
    dependents: OnceLock<Arc<dyn Dependents>>,
}

/// What belongs to sessions and is kept elsewhere.
pub trait Dependents: Send + Sync {
    /// Ends and forgets all that belongs to `session`.
    fn forget<'a>(&'a self, session: &'a str) -> BoxFuture<'a, Result<()>>;
}

/// Whose sessions may be seen.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'s> {
    /// Whose they are.
    pub owner: &'s str,
    /// Whether everybody else's may be seen too.
    pub all: bool,
}

impl Scope<'_> {
    /// The owner's own alone.
    #[must_use]
    pub fn own(self) -> Self {
        Self { all: false, ..self }
    }
}

/// What a new session is to be.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "they are the session's")]
pub struct New {
    pub name: Option<String>,
    pub description: Option<String>,
    pub mode: Mode,
    pub options: Map<String, Value>,
    pub system_prompt: Option<String>,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub workspace: bool,
    pub directory: Option<String>,
    pub template: Option<String>,
    pub parent: Option<Parent>,
    pub metadata: Map<String, Value>,
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// What is in it.
    pub items: Vec<T>,
    /// How many the whole list has.
    pub total: u64,
    /// Where the next part begins, if there is one.
    pub next: Option<Cursor>,
}

/// How often a change is tried again that another has overtaken.
const ATTEMPTS: usize = 32;
/// How much is read at once of what may be long.
const PIECE: usize = 1000;

// === impl Sessions ===

impl Sessions {
    /// Those in `store`. What is written behind answers runs on the runtime that this is called on.
    pub fn new(store: Store, clock: Clock, config: &config::Config) -> Self {
        let settings = config.sessions.clone();
        let quota = u64::try_from(settings.workspace_quota).unwrap_or(u64::MAX);
        Self {
            records: Records::new(store),
            clock,
            settings,
            retention: config.retention.clone(),
            workspaces: Workspaces::new(&config.store.path, quota),
            places: Places::default(),
            behind: Arc::default(),
            dependents: OnceLock::new(),
        }
    }

    /// What belongs to a session in `dependents` goes with it.
    pub fn depend(&self, dependents: Arc<dyn Dependents>) {
        // Whoever comes second is told by nobody, so there is one.
        let _ = self.dependents.set(dependents);
    }

    /// Makes a session.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn create(&self, owner: &str, origin: Origin, new: New) -> Result<Session> {
        let session = self.draft(owner, origin, new);
        if session.workspace {
            let (workspaces, id) = (self.workspaces.clone(), session.id.clone());
            let parts = async move {
                let name = session.id.clone();
                blocking(move || workspaces.create(&name)).await?.map_err(refused)?;
                Ok(session)
            };
            return self.make(owner, &id, parts).await;
        }
        let mut change = Change::default();
        self.records.insert(&mut change, &session)?;
        match self.records.commit(change).await? {
            Committed::Done => Ok(session),
            Committed::Conflict => Err(Error::internal("a fresh session's id is taken")),
        }
    }

    /// A session that isn't written down yet.
    pub(super) fn draft(&self, owner: &str, origin: Origin, new: New) -> Session {
        let now = self.clock.now();
        Session {
            id: if origin == Origin::Chat { clock::fresh("conv-") } else { Uuid::new_v4().to_string() },
            owner: owner.to_owned(),
            origin,
            name: new.name,
            description: new.description,
            mode: new.mode,
            status: Status::Created,
            options: new.options,
            system_prompt: new.system_prompt,
            provider: new.provider,
            model: new.model,
            workspace: new.workspace,
            directory: new.directory,
            template: new.template,
            parent: new.parent,
            metadata: new.metadata,
            error: None,
            totals: Totals::default(),
            created: now,
            updated: now,
            started: None,
            completed: None,
        }
    }

    /// The listed session whose id begins with `id`, which has to tell it apart.
    ///
    /// # Errors
    /// If there is none that may be seen, or more than one.
    pub async fn get(&self, scope: Scope<'_>, id: &str) -> Result<Session> {
        let id = id.to_ascii_lowercase();
        let ours = self.find(scope.owner, &id).await?;
        if ours.is_none()
            && scope.all
            && id.len() >= SHORTEST
            && let [owner] = self.records.owners(&id).await?.as_slice()
        {
            return self.find(owner, &id).await?.ok_or_else(|| missing(&id));
        }
        ours.ok_or_else(|| missing(&id))
    }

    async fn find(&self, owner: &str, id: &str) -> Result<Option<Session>> {
        // Conversations are known by their whole names, and on the chat surface only.
        if id.len() < SHORTEST || id.starts_with("conv-") {
            return Ok(None);
        }
        let mut found = self.records.find(owner, id).await?;
        if found.len() > 1 {
            let what = format!("the id {id} is that of several sessions; write more of it");
            return Err(Error::caller(Kind::Conflict, what).with_param("session_id"));
        }
        Ok(found.pop().filter(Session::is_listed))
    }

    /// Session `id` of `owner`, as it stands with nothing on its way.
    ///
    /// # Errors
    /// If there is none.
    pub async fn exactly(&self, owner: &str, id: &str) -> Result<Session> {
        self.behind.settled(id).await;
        let found = self.records.get(owner, id).await?;
        found.map(|found| found.record).ok_or_else(|| missing(id))
    }

    /// A page of the owner's listed sessions, the newest first.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn list(
        &self,
        owner: &str,
        filter: &Filter,
        after: Option<&Cursor>,
        skip: usize,
        limit: usize,
    ) -> Result<Page<Session>> {
        let mut items = self.records.page(owner, filter, after, skip, limit.saturating_add(1)).await?;
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| more);
        let next = last.map(|last| Cursor { created: last.created.as_millisecond(), id: last.id.clone() });
        Ok(Page { items, total: self.records.count(owner, filter).await?, next })
    }

    /// How many listed sessions of all owners there are, by status.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn totals(&self) -> Result<Vec<(Status, u64)>> {
        self.records.totals().await
    }

    /// At most `limit` messages of `session` behind number `after`.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn messages(&self, session: &Session, after: u64, limit: usize) -> Result<Vec<Message>> {
        self.numbered(session, after, limit).await
    }

    /// At most `limit` calls of tools in `session` behind number `after`.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn tool_calls(&self, session: &Session, after: u64, limit: usize) -> Result<Vec<ToolCall>> {
        self.numbered(session, after, limit).await
    }

    async fn numbered<N: Numbered>(&self, session: &Session, after: u64, limit: usize) -> Result<Vec<N>> {
        message::page(self.records.store(), &session.owner, &session.id, after, limit).await
    }

    /// All that was said in `session`.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn history(&self, session: &Session) -> Result<Vec<chat::Message>> {
        let mut history = Vec::new();
        let mut after = 0;
        loop {
            let piece = self.messages(session, after, PIECE).await?;
            after = piece.last().map_or(after, |last| last.sequence);
            let more = piece.len() == PIECE;
            history.extend(piece.into_iter().map(|message| message.message));
            if !more {
                return Ok(history);
            }
        }
    }

    /// Changes session `id` of `owner`; `edit` may be asked again where somebody else was faster.
    ///
    /// # Errors
    /// If there is none, or `edit` refuses.
    pub async fn update(
        &self,
        owner: &str,
        id: &str,
        mut edit: impl FnMut(&mut Session) -> Result<()>,
    ) -> Result<Session> {
        for _ in 0..ATTEMPTS {
            let old = self.records.get(owner, id).await?.ok_or_else(|| missing(id))?;
            let mut session = old.record.clone();
            edit(&mut session)?;
            session.updated = self.clock.now();
            let mut change = Change::default();
            self.records.replace(&mut change, &old, &session)?;
            if self.records.commit(change).await? == Committed::Done {
                return Ok(session);
            }
        }
        Err(overtaken())
    }

    /// Session `id` of `owner` becomes `status`, if it may.
    ///
    /// # Errors
    /// If there is none, or it may not.
    pub async fn become_status(&self, owner: &str, id: &str, status: Status) -> Result<Session> {
        let now = self.clock.now();
        self.update(owner, id, |session| {
            if !session.status.leads_to(status) {
                let what = format!("a session that is {} can't become {}", session.status.as_str(), status.as_str());
                return Err(Error::caller(Kind::Conflict, what).with_details(current(session)));
            }
            if status.is_over() {
                session.completed = session.completed.or(Some(now));
            }
            session.status = status;
            Ok(())
        })
        .await
    }

    /// Takes session `id` of `owner` out, with all that was said and done in it. Who works in it can write nothing more.
    ///
    /// # Errors
    /// If there is none.
    pub async fn delete(&self, owner: &str, id: &str) -> Result<()> {
        self.behind.settled(id).await;
        for _ in 0..ATTEMPTS {
            let old: Stored<Session> = self.records.get(owner, id).await?.ok_or_else(|| missing(id))?;
            let lease = self.lease(owner, id);
            let mut change = Change::removal();
            self.records.remove(&mut change, &old, &lease)?;
            if self.records.commit(change).await? == Committed::Done {
                self.clear(self.hold(lease)).await;
                return Ok(());
            }
        }
        Err(overtaken())
    }

    /// Waits until all that was to be written behind answers is written.
    pub async fn settle(&self) {
        self.behind.idle().await;
    }
}

/// Letters of the shortest part of an id that is taken for it.
const SHORTEST: usize = 8;

/// What a caller is told who asks for what isn't there, or isn't theirs.
fn missing(id: &str) -> Error {
    Error::caller(Kind::NotFound, format!("Session not found: {id}")).with_param("session_id")
}

fn overtaken() -> Error {
    let what = "others keep changing the same session; try again in a moment";
    Error::caller(Kind::Conflict, what).with_retry_after(Some(std::time::Duration::from_secs(1)))
}

fn current(session: &Session) -> Value {
    serde_json::json!({"status": session.status.as_str()})
}
