//! The audit log: what concerned accounts and keys, who did it, from where, and how it ended. Events are added, and nothing else.
//!
//! What changes something is written down in the same commit, so that neither is there without the other.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::Result;
use crate::model::caller::{Caller, Identity};
use crate::model::id::RequestId;
use crate::service::{Clock, clock};
use crate::store::{Change, Committed, Key, Record, Store, spaces};

/// Writes events down, and reads them again.
pub(super) struct Audit {
    store: Store,
    clock: Clock,
    /// The last event's time, in microseconds: later ones are later.
    last: AtomicU64,
}

/// A security event.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "AuditEvent")]
pub struct Event {
    /// Names the event.
    pub id: String,
    /// When it happened.
    #[schemars(with = "String")]
    pub timestamp: Timestamp,
    /// What happened, such as `login` or `key.created`.
    pub action: String,
    /// `ok`, or why not.
    pub outcome: String,
    /// Who did it: a user's id, the fingerprint of a key, `operator` at the command line, or `anonymous`.
    pub actor: String,
    /// Whom or what it concerned; null where that isn't known.
    pub subject: Option<String>,
    /// From where.
    pub address: Option<String>,
    /// The request in which it happened.
    pub request_id: Option<String>,
    /// Facts that go with the action.
    pub details: Map<String, Value>,
}

impl Record for Event {}

/// Who does something, and from where.
#[derive(Clone, Debug)]
pub struct Origin {
    actor: String,
    address: Option<std::net::IpAddr>,
    request: Option<String>,
}

/// What is wanted of the log.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// The first time that is wanted.
    pub since: Option<Timestamp>,
    /// The first that isn't any more.
    pub until: Option<Timestamp>,
    /// One action, or all whose names begin with what stands before a `*`.
    pub action: Option<String>,
    /// One actor.
    pub actor: Option<String>,
    /// Whom or what it concerned.
    pub subject: Option<String>,
}

/// How many events are read at once.
const PAGE: usize = 500;
/// How many are taken out at once.
const AT_ONCE: usize = 10_000;

// === impl Origin ===

impl Origin {
    /// Who asks, in the request of that id.
    pub fn of(caller: &Caller, request: &RequestId) -> Self {
        let actor = match &caller.identity {
            Identity::Anonymous => "anonymous",
            Identity::Key | Identity::User(_) => caller.owner(),
        };
        Self { actor: actor.to_owned(), address: Some(caller.address), request: Some(request.to_string()) }
    }

    /// Whoever has the server's own files.
    pub fn operator() -> Self {
        Self { actor: "operator".into(), address: None, request: None }
    }

    /// From where; nowhere is this machine.
    pub(super) fn address(&self) -> std::net::IpAddr {
        self.address.unwrap_or(std::net::IpAddr::from([127, 0, 0, 1]))
    }
}

// === impl Audit ===

impl Audit {
    pub(super) fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, last: AtomicU64::new(0) }
    }

    /// `change` is what `origin` does to `subject`.
    pub(super) fn put(
        &self,
        change: &mut Change,
        origin: &Origin,
        action: &str,
        subject: Option<&str>,
        details: Value,
    ) -> Result<()> {
        self.add(change, origin, action, "ok", subject, details)
    }

    /// `origin` wanted that, and was refused.
    pub(super) async fn refused(
        &self,
        origin: &Origin,
        action: &str,
        why: &str,
        subject: Option<&str>,
        details: Value,
    ) {
        let mut change = Change::default();
        let written = match self.add(&mut change, origin, action, why, subject, details) {
            Ok(()) => self.store.commit(change).await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            tracing::error!(action, why, error = error.to_string(), "a security event can't be written down");
        }
    }

    fn add(
        &self,
        change: &mut Change,
        origin: &Origin,
        action: &str,
        outcome: &str,
        subject: Option<&str>,
        details: Value,
    ) -> Result<()> {
        let now = self.clock.now();
        let micros = u64::try_from(now.as_microsecond()).unwrap_or_default();
        let before = self.last.fetch_max(micros, Ordering::SeqCst);
        let at = if before < micros { micros } else { self.last.fetch_add(1, Ordering::SeqCst) + 1 };
        let id = clock::uuid();
        let key = spaces::AUDIT.key().number(at).text(&id);
        let details = match details {
            Value::Object(details) => details,
            _ => Map::new(),
        };
        tracing::info!(
            target: "mortise::audit",
            action,
            outcome,
            actor = origin.actor,
            subject,
            address = origin.address.map(tracing::field::display),
            request_id = origin.request,
            "security event"
        );
        let event = Event {
            id,
            timestamp: now,
            action: action.to_owned(),
            outcome: outcome.to_owned(),
            actor: origin.actor.clone(),
            subject: subject.map(str::to_owned),
            address: origin.address.map(|address| address.to_string()),
            request_id: origin.request.clone(),
            details,
        };
        change.insert(key, &event)
    }

    /// A page of what `search` wants, in the order in which it happened, and where the next one begins.
    pub(super) async fn page(&self, search: &Search, from: Option<Vec<u8>>) -> Result<(Vec<Event>, Option<Vec<u8>>)> {
        let mut range = spaces::AUDIT.key().within();
        if let Some(since) = search.since {
            range.start = Key::bytes(&at(since)).to_vec();
        }
        if let Some(until) = search.until {
            range.end = Key::bytes(&at(until)).to_vec();
        }
        if let Some(from) = from {
            range.start = from;
        }
        let read = self.store.list::<Event>(range, PAGE).await?;
        let next = read.last().filter(|_| read.len() == PAGE).map(|last| [last.key(), &[0]].concat());
        Ok((read.into_iter().map(|stored| stored.record).filter(|event| search.wants(event)).collect(), next))
    }

    /// Takes out what happened before `time`; says how many events that were.
    pub(super) async fn forget(&self, time: Timestamp) -> Result<u64> {
        let old = spaces::AUDIT.key().within_before(&at(time));
        let mut forgotten = 0;
        loop {
            let some = self.store.keys(old.clone(), false, AT_ONCE).await?;
            let Some(last) = some.last() else { return Ok(forgotten) };
            let mut change = Change::removal();
            change.delete_range(old.start.clone()..[last.as_slice(), &[0]].concat());
            // It expects nothing.
            let _: Committed = self.store.commit(change).await?;
            forgotten += some.len() as u64;
        }
    }
}

/// Before what happened at `time` or later.
fn at(time: Timestamp) -> Key {
    spaces::AUDIT.key().number(u64::try_from(time.as_microsecond()).unwrap_or_default())
}

// === impl Search ===

impl Search {
    fn wants(&self, event: &Event) -> bool {
        let action = self.action.as_deref().is_none_or(|wanted| match wanted.strip_suffix('*') {
            Some(start) => event.action.starts_with(start),
            None => event.action == wanted,
        });
        let same = |wanted: &Option<String>, is: Option<&str>| wanted.is_none() || wanted.as_deref() == is;
        action && same(&self.actor, Some(&event.actor)) && same(&self.subject, event.subject.as_deref())
    }
}
