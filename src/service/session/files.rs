//! A session's files: its workspace, and archives of it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::sweep::ARCHIVES;
use super::{ATTEMPTS, Sessions, missing, overtaken};
use crate::model::session::{Archive, ArchiveState, Session, Status};
use crate::model::{Error, Fault, Kind, Result};
use crate::store::age::Aged;
use crate::store::workspace::Workspaces;
use crate::store::{Change, Committed};

/// Bytes of a workspace that is archived while the caller waits.
const SMALL: u64 = 32 << 20;
/// Where archives stand, among what is looked at, that somebody makes.
const PACKING: &str = "packing";
/// After how long it is taken for granted that its maker is gone.
const LONGEST: Duration = Duration::from_secs(3600);

// === impl Sessions ===

impl Sessions {
    /// Where files are.
    pub fn workspaces(&self) -> &Workspaces {
        &self.workspaces
    }

    /// Puts the workspace of `session` into an archive; a large one goes on behind the answer.
    ///
    /// # Errors
    /// If it can't be read or written.
    pub async fn archive(self: &Arc<Self>, session: &Session) -> Result<Archive> {
        let (workspaces, id) = (self.workspaces.clone(), session.id.clone());
        let size = blocking(move || workspaces.size(&id)).await?.map_err(refused)?;
        let archive = self.begin_archive(session).await?;
        let (sessions, begun) = (self.clone(), archive.clone());
        let (tell, told) = tokio::sync::oneshot::channel();
        // It goes on where the caller hangs up.
        self.behind.run(async move {
            let done = sessions.pack(begun).await;
            if let Err(Err(error)) = tell.send(done) {
                tracing::warn!(error = error.to_string(), "an archive can't be made");
            }
        });
        if size.bytes > SMALL {
            return Ok(archive);
        }
        told.await.map_err(|_| Error::internal("an archive was given up"))?
    }

    /// Writes down that an archive of `session` is being made.
    pub(super) async fn begin_archive(&self, session: &Session) -> Result<Archive> {
        let archive = Archive {
            id: Uuid::new_v4().to_string(),
            session: session.id.clone(),
            owner: session.owner.clone(),
            state: ArchiveState::InProgress,
            bytes: None,
            files: None,
            error: None,
            created: self.clock.now(),
            completed: None,
        };
        let aged = aged(&archive);
        for _ in 0..ATTEMPTS {
            let there = self.records.get(&session.owner, &session.id).await?.ok_or_else(|| missing(&session.id))?;
            let mut change = Change::default();
            change.expect(&there);
            self.records.put_archive(&mut change, &archive)?;
            for what in [ARCHIVES, PACKING] {
                aged.watch(&mut change, what, archive.created)?;
            }
            if self.records.commit(change).await? == Committed::Done {
                return Ok(archive);
            }
        }
        Err(overtaken())
    }

    async fn pack(&self, archive: Archive) -> Result<Archive> {
        let (workspaces, session, id) = (self.workspaces.clone(), archive.session.clone(), archive.id.clone());
        let created = format!("{:.3}", archive.created);
        let packed = blocking(move || workspaces.pack(&session, &id, created)).await?;
        let now = Some(self.clock.now());
        let done = match &packed {
            Ok((manifest, bytes)) => Archive {
                state: ArchiveState::Completed,
                bytes: Some(*bytes),
                files: Some(manifest.file_count),
                completed: now,
                ..archive
            },
            Err(error) => {
                Archive { state: ArchiveState::Failed, error: Some(error.to_string()), completed: now, ..archive }
            }
        };
        self.put_packed(&done).await?;
        packed.map_err(refused)?;
        Ok(done)
    }

    /// Nobody makes `done` any more. A session that is over is kept only so from now on.
    async fn put_packed(&self, done: &Archive) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let mut change = Change::default();
            aged(done).unwatch(&mut change, PACKING, done.created);
            let Some(old) = self.records.get(&done.owner, &done.session).await? else {
                // It is gone meanwhile, and its archives with it.
                self.forget_files(&done.session, vec![done.id.clone()]).await?;
                self.records.commit(change).await.map(drop)?;
                return Err(missing(&done.session));
            };
            self.records.put_archive(&mut change, done)?;
            let mut session = old.record.clone();
            if done.state == ArchiveState::Completed && session.status.may_become(Status::Archived) {
                session.status = Status::Archived;
                session.updated = self.clock.now();
            }
            self.records.replace(&mut change, &old, &session)?;
            if self.records.commit(change).await? == Committed::Done {
                return Ok(());
            }
        }
        Err(overtaken())
    }

    /// Gives up archives whose makers are gone: `alone`, where nobody else can be at work, all that aren't whole.
    pub(super) async fn give_archives_up(&self, alone: bool) -> Result<()> {
        let now = self.clock.now();
        let before = if alone { Some(now) } else { self.clock.ago(LONGEST) };
        let Some(before) = before else { return Ok(()) };
        for begun in self.records.due(PACKING, before, usize::MAX).await? {
            let Aged { owner, id } = &begun.record;
            let Some((session, archive)) = id.split_once('/') else { continue };
            let archives = self.records.archives(owner, session).await?;
            let there = archives.into_iter().find(|known| known.id == archive);
            self.forget_archive_file(archive).await;
            let mut change = Change::default();
            change.remove(&begun);
            if let Some(there) = there {
                let error = Some("the server ended while it was made; make another".to_owned());
                let failed = Archive { state: ArchiveState::Failed, error, completed: Some(now), ..there };
                self.records.put_archive(&mut change, &failed)?;
            }
            self.records.commit(change).await.map(drop)?;
        }
        Ok(())
    }

    /// The newest archive of `session`.
    ///
    /// # Errors
    /// If there is none.
    pub async fn archived(&self, session: &Session) -> Result<Archive> {
        let mut archives = self.records.archives(&session.owner, &session.id).await?;
        archives.sort_by_key(|archive| archive.created);
        archives
            .pop()
            .ok_or_else(|| Error::caller(Kind::NotFound, "the session has no archive; POST to its /archive makes one"))
    }

    pub(super) async fn forget_archive_file(&self, archive: &str) {
        let (workspaces, id) = (self.workspaces.clone(), archive.to_owned());
        let gone = blocking(move || workspaces.remove_archive(&id)).await.and_then(|gone| gone.map_err(refused));
        if let Err(error) = gone {
            tracing::warn!(archive, error = error.to_string(), "an archive can't be taken out");
        }
    }

    /// Takes the files of session `id` out, and these archives.
    pub(super) async fn forget_files(&self, id: &str, archives: Vec<String>) -> Result<()> {
        let (workspaces, session) = (self.workspaces.clone(), id.to_owned());
        let gone = blocking(move || {
            workspaces.remove(&session)?;
            archives.iter().try_for_each(|archive| workspaces.remove_archive(archive))
        });
        gone.await?.map_err(refused)
    }
}

fn aged(archive: &Archive) -> Aged {
    Aged { owner: archive.owner.clone(), id: format!("{}/{}", archive.session, archive.id) }
}

/// `archive` is gone, and is not to be looked at any more.
pub(super) fn unwatch(change: &mut Change, archive: &Archive) {
    for what in [ARCHIVES, PACKING] {
        aged(archive).unwatch(change, what, archive.created);
    }
}

/// Does what blocks where it may.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

/// What a caller is told whose files can't be read or written.
pub(super) fn refused(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::QuotaExceeded => Error::caller(Kind::TooLarge, error.to_string()),
        _ => Error::new(Kind::Storage, Fault::Us, "the session's files can't be read or written").with_private(error),
    }
}
