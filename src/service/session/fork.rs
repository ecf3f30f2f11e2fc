//! Forks: a session that begins as a copy of another, up to one of its messages, with its files.

use uuid::Uuid;

use super::files::{blocking, refused};
use super::{New, PIECE, Sessions, missing};
use crate::model::session::{Mode, Origin, Parent, Session};
use crate::model::{Error, Kind, Result};
use crate::store::{Change, Committed, message};

/// What is taken along.
#[derive(Clone, Debug, Default)]
pub struct Fork {
    /// The new session's name; the old one's with a remark where it is left out.
    pub name: Option<String>,
    /// The number of the last message that is taken along; all are where it is left out.
    pub at: Option<u64>,
    /// Whether files are.
    pub workspace: bool,
}

// === impl Sessions ===

impl Sessions {
    /// Makes a copy of `parent` that is `owner`'s.
    ///
    /// # Errors
    /// If it has fewer messages than that, or the copy can't be written.
    pub async fn fork(&self, owner: &str, parent: &Session, fork: Fork) -> Result<Session> {
        let last = parent.totals.messages;
        let at = fork.at.unwrap_or(last);
        if at > last {
            let what = format!("Invalid value for fork_at_message: the session has {last} messages");
            return Err(Error::caller(Kind::InvalidValue, what).with_param("fork_at_message"));
        }
        let new = New {
            name: Some(fork.name.unwrap_or_else(|| format!("{} (fork)", parent.title()))),
            description: parent.description.clone(),
            mode: Mode::Forked,
            options: parent.options.clone(),
            system_prompt: parent.system_prompt.clone(),
            provider: parent.provider.clone(),
            model: parent.model.clone(),
            workspace: true,
            directory: parent.directory.clone(),
            template: parent.template.clone(),
            parent: Some(Parent { session: parent.id.clone(), at }),
            metadata: parent.metadata.clone(),
        };
        let mut session = self.draft(owner, Origin::Platform, new);
        let id = session.id.clone();
        let parts = async move {
            let (workspaces, from, to) = (self.workspaces.clone(), parent.id.clone(), session.id.clone());
            let copy = fork.workspace && parent.workspace;
            blocking(move || if copy { workspaces.copy(&from, &to).map(drop) } else { workspaces.create(&to) })
                .await?
                .map_err(refused)?;
            session.totals.messages = self.copy_messages(parent, &session, at).await?;
            session.totals.tool_calls = self.copy_calls(parent, &session, at).await?;
            Ok(session)
        };
        self.make(owner, &id, parts).await
    }

    async fn copy_messages(&self, from: &Session, to: &Session, at: u64) -> Result<u64> {
        let mut copied = 0;
        while copied < at {
            let piece = self.messages(from, copied, PIECE.min(usize::try_from(at - copied).unwrap_or(PIECE))).await?;
            // It was deleted meanwhile.
            let last = piece.last().ok_or_else(|| missing(&from.id))?;
            copied = last.sequence;
            let mut change = Change::default();
            for mut message in piece {
                message.id = Uuid::now_v7().to_string();
                message::insert(&mut change, &to.owner, &to.id, &message)?;
            }
            self.all(change).await?;
        }
        Ok(copied)
    }

    async fn copy_calls(&self, from: &Session, to: &Session, at: u64) -> Result<u64> {
        let (mut seen, mut copied) = (0, 0);
        loop {
            let piece = self.tool_calls(from, seen, PIECE).await?;
            let Some(last) = piece.last() else { return Ok(copied) };
            seen = last.number;
            let mut change = Change::default();
            // What was done for later messages stays behind.
            for mut call in piece.into_iter().filter(|call| call.message.is_none_or(|message| message <= at)) {
                copied += 1;
                (call.id, call.number) = (Uuid::now_v7().to_string(), copied);
                message::insert(&mut change, &to.owner, &to.id, &call)?;
            }
            self.all(change).await?;
        }
    }

    async fn all(&self, change: Change) -> Result<()> {
        match self.records.commit(change).await? {
            Committed::Done => Ok(()),
            Committed::Conflict => Err(Error::internal("a fresh session holds something already")),
        }
    }
}
