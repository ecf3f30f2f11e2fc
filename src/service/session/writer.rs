//! What a turn writes down: each time all at once, only while the session is there and nobody else works in it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::lease::Held;
use super::place::{Place, busy};
use super::{ATTEMPTS, Sessions, missing, overtaken};
use crate::model::session::{Message, Session, Status, ToolCall};
use crate::model::{Error, Kind, Result};
use crate::store::{Change, Committed, message};

/// Who writes for a turn. Whoever has it has the session's turn.
pub(super) struct Writer {
    pub(super) sessions: Arc<Sessions>,
    /// As it was last written.
    pub(super) session: Session,
    /// Whether it was never written.
    pub(super) fresh: bool,
    /// Whether the turn's end is written.
    pub(super) over: bool,
    /// What could not be written so far.
    owed: Vec<Message>,
    /// The number of the message that is being said, once some of it is written.
    saying: Option<u64>,
    lease: Option<Held>,
    _place: Option<Place>,
}

/// What is to be written at once.
#[derive(Clone, Default)]
pub(super) struct Writing {
    /// Messages that are whole.
    pub(super) messages: Vec<Message>,
    /// The message that is being said, as far as it has come.
    pub(super) said: Option<Message>,
    /// Whether no more of that one comes.
    pub(super) over: bool,
    /// Calls that are over.
    pub(super) calls: Vec<ToolCall>,
    /// The turn ends, well or with this error.
    pub(super) end: Option<Option<String>>,
}

/// How often another process' turn is looked at.
const LOOK: Duration = Duration::from_millis(50);

// === impl Writer ===

impl Writer {
    /// For a session that nobody else knows.
    pub(super) fn first(sessions: &Arc<Sessions>, session: Session) -> Self {
        let place = sessions.places.first(&session.owner, &session.id);
        Self::new(sessions, session, place)
    }

    fn new(sessions: &Arc<Sessions>, session: Session, place: Option<Place>) -> Self {
        Self {
            sessions: sessions.clone(),
            session,
            fresh: true,
            over: false,
            owed: Vec::new(),
            saying: None,
            lease: None,
            _place: place,
        }
    }

    /// Waits for its turn in session `id` of `owner`.
    pub(super) async fn begin(sessions: &Arc<Sessions>, owner: &str, id: &str) -> Result<Self> {
        let settings = &sessions.settings;
        let until = Instant::now() + settings.wait;
        let place = sessions.places.take(owner, id, settings.queue, settings.wait).await?;
        // One that began a moment ago may not be written yet.
        sessions.behind.settled(id).await;
        let mut attempts = 0;
        let (session, lease) = loop {
            let old = sessions.records.get(owner, id).await?.ok_or_else(|| missing(id))?;
            if !old.record.status.takes_queries() {
                return Err(unwilling(&old.record));
            }
            let now = sessions.clock.now();
            let held = sessions.records.lease(id).await?;
            if held.as_ref().is_some_and(|held| held.record.until > now) {
                if Instant::now() >= until {
                    return Err(busy());
                }
                sleep(LOOK).await;
                continue;
            }
            let mut session = old.record.clone();
            let mut change = Change::default();
            let lease = sessions.lease(owner, id);
            sessions.records.take(&mut change, held.as_ref(), &lease)?;
            if session.is_listed() {
                session.status = Status::Processing;
                session.started = session.started.or(Some(now));
                session.updated = now;
                sessions.records.replace(&mut change, &old, &session)?;
            } else {
                change.expect(&old);
            }
            if sessions.records.commit(change).await? == Committed::Done {
                break (session, lease);
            }
            attempts += 1;
            if attempts == ATTEMPTS {
                return Err(overtaken());
            }
        };
        Ok(Self { fresh: false, lease: Some(sessions.hold(lease)), ..Self::new(sessions, session, Some(place)) })
    }

    /// Writes all of `writing`, with their numbers. What could not be written comes with the next that can.
    pub(super) async fn write(&mut self, mut writing: Writing) -> Result<(Vec<Message>, Vec<ToolCall>)> {
        writing.messages.splice(0..0, std::mem::take(&mut self.owed));
        let written = self.try_to_write(&writing).await;
        if written.is_err() {
            self.owed = writing.messages;
        }
        written
    }

    async fn try_to_write(&mut self, writing: &Writing) -> Result<(Vec<Message>, Vec<ToolCall>)> {
        for _ in 0..ATTEMPTS {
            let records = &self.sessions.records;
            let mut change = Change::default();
            self.hold(&mut change, writing.end.is_some()).await?;
            let old = match self.fresh {
                true => None,
                false => Some(records.get(&self.session.owner, &self.session.id).await?.ok_or_else(|| self.gone())?),
            };
            let mut session = old.as_ref().map_or(&self.session, |old| &old.record).clone();
            let mut written = Numbering { session: &mut session, saying: self.saying, now: self.sessions.clock.now() };
            let (messages, calls) = written.number(writing, &mut change)?;
            let saying = written.saying;
            match &old {
                Some(old) => records.replace(&mut change, old, &session)?,
                None => records.insert(&mut change, &session)?,
            }
            if records.commit(change).await? == Committed::Done {
                (self.session, self.fresh) = (session, false);
                self.saying = saying.filter(|_| !writing.over);
                if writing.end.is_some() {
                    (self.lease, self.over) = (None, true);
                }
                return Ok((messages, calls));
            }
        }
        Err(overtaken())
    }

    /// The lease is still this turn's, or ends with this change.
    async fn hold(&self, change: &mut Change, ends: bool) -> Result<()> {
        let Some(ours) = &self.lease else { return Ok(()) };
        let held = ours.still().await?.ok_or_else(|| self.gone())?;
        if ends {
            change.remove(&held);
        } else {
            change.expect(&held);
        }
        Ok(())
    }

    /// What whoever works in a session is told once it is gone, or somebody else works in it.
    fn gone(&self) -> Error {
        Error::caller(Kind::Conflict, format!("the session {} was deleted or taken over meanwhile", self.session.id))
    }
}

/// Gives what is written its number, and the session its totals.
struct Numbering<'s> {
    session: &'s mut Session,
    saying: Option<u64>,
    now: Timestamp,
}

impl Numbering<'_> {
    fn number(&mut self, writing: &Writing, change: &mut Change) -> Result<(Vec<Message>, Vec<ToolCall>)> {
        let (owner, id) = (self.session.owner.clone(), self.session.id.clone());
        let totals = &mut self.session.totals;
        let mut messages = writing.messages.clone();
        // Who spoke last.
        let mut answers = None;
        for message in &mut messages {
            totals.messages += 1;
            message.sequence = totals.messages;
            if let Some(usage) = &message.usage {
                totals.took(usage);
            }
            answers = message.provider.clone().zip(message.model.clone()).or(answers);
            message::insert(change, &owner, &id, message)?;
        }
        if let Some(said) = &writing.said {
            let mut said = said.clone();
            let begun = self.saying.is_some();
            said.sequence = self.saying.unwrap_or(totals.messages + 1);
            if begun {
                message::put(change, &owner, &id, &said)?;
            } else {
                totals.messages += 1;
                message::insert(change, &owner, &id, &said)?;
            }
            self.saying = Some(said.sequence);
            if let (true, Some(usage)) = (writing.over, &said.usage) {
                totals.took(usage);
            }
            answers = said.provider.clone().zip(said.model.clone()).or(answers);
            messages.push(said);
        }
        let mut calls = writing.calls.clone();
        for call in &mut calls {
            totals.tool_calls += 1;
            call.number = totals.tool_calls;
            message::insert(change, &owner, &id, call)?;
        }
        if let Some((provider, model)) = answers {
            (self.session.provider, self.session.model) = (Some(provider), Some(model));
        }
        self.session.updated = self.now;
        if let Some(error) = &writing.end {
            totals.turns += u64::from(!messages.is_empty());
            self.session.error.clone_from(error);
            if self.session.status == Status::Processing || self.session.status == Status::Created {
                self.session.status = Status::Active;
            }
            self.session.started = self.session.started.or(Some(self.now));
        }
        Ok((messages, calls))
    }
}

/// What a caller is told who asks a session that takes no queries.
fn unwilling(session: &Session) -> Error {
    let cure = if session.status == Status::Paused { "; resume it first" } else { "; make another, or fork it" };
    let what = format!("the session is {}{cure}", session.status.as_str());
    Error::caller(Kind::Conflict, what).with_details(super::current(session))
}
