//! What is done from time to time, whoever asks for it.
//!
//! What a process that is gone has left half done is ended, and what has outlived its use is taken out.
//!
//! Each session stands once among those that are looked at, at a time at which it may be too old at the earliest. Who uses a
//! session doesn't move it there: that is done when it is looked at.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use super::Sessions;
use crate::model::session::{Origin, Session};
use crate::model::{Kind, Result};
use crate::store::age::Aged;
use crate::store::{Change, Stored, response};

/// How often.
const EVERY: Duration = Duration::from_secs(10);
/// How many are looked at before others have their turn.
const SOME: usize = 256;
/// Where archives stand among what is looked at.
pub(super) const ARCHIVES: &str = "archive";

// === impl Sessions ===

impl Sessions {
    /// Does it until this is dropped.
    pub async fn sweep(self: Arc<Self>) {
        loop {
            if let Err(error) = self.pick_up(false).await {
                tracing::warn!(error = error.to_string(), "what others left half done can't be looked for");
            }
            match self.expire().await {
                Ok(0) => {}
                Ok(expired) => tracing::info!(expired, "what has outlived its use was taken out (retention)"),
                Err(error) => tracing::warn!(error = error.to_string(), "what is too old can't be taken out"),
            }
            sleep(EVERY).await;
        }
    }

    /// Takes out what nobody has used for as long as `retention` says, and tells how much that was.
    ///
    /// # Errors
    /// If the store can't be read or written.
    pub async fn expire(&self) -> Result<u64> {
        let kept = &self.retention;
        let mut expired = 0;
        for (origin, age) in [
            (Origin::Chat, kept.conversations),
            (Origin::Platform, kept.sessions),
            (Origin::Prompt, kept.sessions),
            (Origin::Agent, kept.sessions),
        ] {
            let Some(before) = age.and_then(|age| self.clock.ago(age)) else { continue };
            loop {
                let due = self.records.due(origin.as_str(), before, SOME).await?;
                for aged in &due {
                    expired += u64::from(self.look(origin, aged, before).await?);
                }
                if due.len() < SOME {
                    break;
                }
            }
        }
        if let Some(before) = kept.archives.and_then(|age| self.clock.ago(age)) {
            for aged in self.records.due(ARCHIVES, before, SOME).await? {
                self.forget_archive(&aged).await?;
                expired += 1;
            }
        }
        if let Some(before) = kept.responses.and_then(|age| self.clock.ago(age)) {
            for aged in self.records.due(response::AGING, before, SOME).await? {
                let mut change = Change::default();
                change.remove(&aged);
                response::delete(&mut change, &aged.record.owner, &aged.record.id);
                self.records.commit(change).await.map(drop)?;
                expired += 1;
            }
        }
        Ok(expired)
    }

    /// Looks at one that may be too old, and takes it out if it is.
    async fn look(&self, origin: Origin, aged: &Stored<Aged>, before: Timestamp) -> Result<bool> {
        let Aged { owner, id } = &aged.record;
        let session = self.records.get(owner, id).await?.map(|session| session.record);
        let mut change = Change::default();
        change.remove(aged);
        match session {
            Some(Session { updated, .. }) if updated >= before => {
                self.records.watch(&mut change, origin.as_str(), updated, &aged.record)?;
            }
            Some(_) => match self.delete(owner, id).await {
                Err(error) if error.kind() != Kind::NotFound => return Err(error),
                _ => return self.records.commit(change).await.map(|_| true),
            },
            // It was taken out by its owner.
            None => {}
        }
        self.records.commit(change).await.map(|_| false)
    }

    async fn forget_archive(&self, aged: &Stored<Aged>) -> Result<()> {
        let Aged { owner, id } = &aged.record;
        let Some((session, archive)) = id.split_once('/') else { return Ok(()) };
        let mut change = Change::default();
        change.remove(aged);
        self.records.delete_archive(&mut change, owner, session, archive);
        self.records.commit(change).await.map(drop)?;
        self.forget_archive_file(archive).await;
        Ok(())
    }
}
