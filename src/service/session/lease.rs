//! Who works in a session, makes one, or takes one out: nobody else may meanwhile, and it is known when they are gone.
//!
//! A session that is more than a record (files, messages of another, runs) isn't made or taken out in one write. Its lease
//! stands before and behind the record: a lease without a session says that what there is of it belongs to nobody. It is taken
//! out by whoever holds the lease, or, where they are gone, by the next who looks ([`Sessions::pick_up`], [`Sessions::sweep`]).

use std::future::Future;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;
use uuid::Uuid;

use super::behind::Kept;
use super::files::unwatch;
use super::{ATTEMPTS, Sessions, overtaken};
use crate::model::session::{Lease, Session, Status};
use crate::model::{Error, Kind, Result};
use crate::service::Clock;
use crate::store::session::Sessions as Records;
use crate::store::{Change, Committed, Stored};

/// A lease that is kept alive until this is dropped.
pub(super) struct Held {
    records: Records,
    lease: Lease,
    _renewal: Kept,
}

/// After how long without a sign of life its holder is taken for dead.
const TERM: Duration = Duration::from_secs(20);
/// How often it gives one.
const SIGN: Duration = Duration::from_secs(5);

// === impl Held ===

impl Held {
    /// The lease as it stands, if it is still this one's.
    pub(super) async fn still(&self) -> Result<Option<Stored<Lease>>> {
        let held = self.records.lease(&self.lease.session).await?;
        Ok(held.filter(|held| held.record.holder == self.lease.holder))
    }
}

// === impl Sessions ===

impl Sessions {
    /// A lease on session `id` of `owner`, for who writes it down.
    pub(super) fn lease(&self, owner: &str, id: &str) -> Lease {
        Lease {
            holder: Uuid::new_v4().to_string(),
            until: end(self.clock.now()),
            owner: owner.to_owned(),
            session: id.to_owned(),
        }
    }

    /// Keeps `lease` alive, which has just been written down.
    pub(super) fn hold(&self, lease: Lease) -> Held {
        let renewal = renew(self.records.clone(), self.clock.clone(), lease.clone());
        Held { records: self.records.clone(), lease, _renewal: self.behind.keep(renewal) }
    }

    /// Makes session `id` of `owner` of several parts, as `parts` does; nothing is left of them where that fails.
    pub(super) async fn make(
        &self,
        owner: &str,
        id: &str,
        parts: impl Future<Output = Result<Session>>,
    ) -> Result<Session> {
        let held = self.claim(owner, id).await?;
        let made = async {
            let session = parts.await?;
            self.release(&held, |change| self.records.insert(change, &session)).await.map(|()| session)
        };
        let made = made.await;
        if made.is_err() {
            self.clear(held).await;
        }
        made
    }

    /// Takes a lease on session `id` of `owner`, which isn't there yet.
    pub(super) async fn claim(&self, owner: &str, id: &str) -> Result<Held> {
        let lease = self.lease(owner, id);
        let mut change = Change::default();
        self.records.take(&mut change, None, &lease)?;
        match self.records.commit(change).await? {
            Committed::Done => Ok(self.hold(lease)),
            Committed::Conflict => Err(Error::internal("a fresh session's id is taken")),
        }
    }

    /// Lets go of a session with the last change to it, which `complete` adds to.
    async fn release(&self, held: &Held, mut complete: impl FnMut(&mut Change) -> Result<()>) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let Some(lease) = held.still().await? else {
                let what = "the session took too long to be made or taken out; try again";
                return Err(Error::caller(Kind::Conflict, what));
            };
            let mut change = Change::default();
            change.remove(&lease);
            complete(&mut change)?;
            if self.records.commit(change).await? == Committed::Done {
                return Ok(());
            }
        }
        Err(overtaken())
    }

    /// Takes out what there is of a session that isn't there. What can't be now is when the lease is over.
    pub(super) async fn clear(&self, held: Held) {
        if let Err(error) = self.try_to_clear(&held).await {
            let (session, error) = (&held.lease.session, error.to_string());
            tracing::warn!(session, error, "what belongs to a session can't be taken out; it is tried again");
        }
    }

    async fn try_to_clear(&self, held: &Held) -> Result<()> {
        let Lease { owner, session: id, .. } = &held.lease;
        // First those who work in it.
        if let Some(dependents) = self.dependents.get() {
            dependents.forget(id).await?;
        }
        let archives = self.records.archives(owner, id).await?;
        self.forget_files(id, archives.iter().map(|archive| archive.id.clone()).collect()).await?;
        let all = |change: &mut Change| {
            self.records.clear(change, owner, id);
            archives.iter().for_each(|archive| unwatch(change, archive));
            Ok(())
        };
        self.release(held, all).await
    }

    /// Goes on where processes ended: `alone`, where nobody else can be at work, whatever is begun was theirs.
    ///
    /// # Errors
    /// If the store can't be read or written.
    pub async fn pick_up(&self, alone: bool) -> Result<()> {
        let freed = self.free_abandoned(alone).await?;
        if freed > 0 {
            tracing::warn!(
                sessions = freed,
                "turns ended with their process; what was said in them is kept, marked incomplete"
            );
        }
        self.give_archives_up(alone).await
    }

    /// Frees sessions whose holders have given no sign of life: their processes have ended.
    ///
    /// # Errors
    /// If the store can't be read or written.
    pub(super) async fn free_abandoned(&self, alone: bool) -> Result<u64> {
        let now = self.clock.now();
        let mut freed = 0;
        for lease in self.records.leases(usize::MAX).await? {
            if alone || lease.record.until < now {
                self.free(&lease).await?;
                freed += 1;
            }
        }
        Ok(freed)
    }

    /// Whoever is faster has freed it.
    async fn free(&self, old: &Stored<Lease>) -> Result<()> {
        let Lease { owner, session: id, .. } = &old.record;
        let mut change = Change::default();
        let Some(there) = self.records.get(owner, id).await? else {
            let lease = self.lease(owner, id);
            self.records.take(&mut change, Some(old), &lease)?;
            if self.records.commit(change).await? == Committed::Done {
                self.clear(self.hold(lease)).await;
            }
            return Ok(());
        };
        change.remove(old);
        if there.record.status == Status::Processing {
            let mut session = there.record.clone();
            session.status = Status::Active;
            session.error = Some("the server ended while it was answering".into());
            self.records.replace(&mut change, &there, &session)?;
        }
        self.records.commit(change).await.map(drop)
    }
}

fn end(now: Timestamp) -> Timestamp {
    now.saturating_add(SignedDuration::try_from(TERM).unwrap_or_default()).unwrap_or(now)
}

/// Gives signs of life for as long as the lease is held.
async fn renew(records: Records, clock: Clock, ours: Lease) {
    let session = &ours.session;
    loop {
        sleep(SIGN).await;
        match records.lease(session).await {
            Ok(Some(held)) if held.record.holder == ours.holder => {
                let lease = Lease { until: end(clock.now()), ..held.record.clone() };
                let mut change = Change::default();
                // The next sign may get through; if none does, its holder is told when it writes.
                let taken = records.take(&mut change, Some(&held), &lease);
                if taken.is_ok() && records.commit(change).await.is_err() {
                    tracing::warn!(session, "a sign of life can't be written");
                }
            }
            Ok(_) => return,
            Err(error) => tracing::warn!(session, error = error.to_string(), "a lease can't be read"),
        }
    }
}
