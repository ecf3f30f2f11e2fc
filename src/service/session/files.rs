//! A session's files: its workspace, and archives of it.

use std::io;
use std::sync::Arc;

use uuid::Uuid;

use super::sweep::ARCHIVES;
use super::{Sessions, missing};
use crate::model::session::{Archive, ArchiveState, Session, Status};
use crate::model::{Error, Fault, Kind, Result};
use crate::store::Change;
use crate::store::session::Aged;
use crate::store::workspace::Workspaces;

/// Bytes of a workspace that is archived while the caller waits.
const SMALL: u64 = 32 << 20;

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
        let mut change = Change::default();
        self.records.put_archive(&mut change, &archive)?;
        let aged = Aged { owner: archive.owner.clone(), id: format!("{}/{}", archive.session, archive.id) };
        self.records.watch(&mut change, ARCHIVES, archive.created, &aged)?;
        self.records.commit(change).await.map(drop)?;
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
        let mut change = Change::default();
        self.records.put_archive(&mut change, &done)?;
        // The session may be gone meanwhile, and its archives with it.
        if self.records.get(&done.owner, &done.session).await?.is_none() {
            self.forget_files(&done.session, &[done.id.as_str()]).await;
            return Err(missing(&done.session));
        }
        self.records.commit(change).await.map(drop)?;
        packed.map_err(refused)?;
        // One that is over is kept only so from now on.
        let ended = self.update(&done.owner, &done.session, |session| {
            if session.status.may_become(Status::Archived) {
                session.status = Status::Archived;
            }
            Ok(())
        });
        ended.await?;
        Ok(done)
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
    pub(super) async fn forget_files(&self, id: &str, archives: &[&str]) {
        let workspaces = self.workspaces.clone();
        let (session, archives) = (id.to_owned(), archives.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
        let gone = blocking(move || {
            workspaces.remove(&session)?;
            archives.iter().try_for_each(|archive| workspaces.remove_archive(archive))
        });
        if let Err(error) = gone.await.and_then(|gone| gone.map_err(refused)) {
            tracing::warn!(session = id, error = error.to_string(), "files of a session can't be taken out");
        }
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
