//! All that an owner has here: given out, and taken out.

use std::sync::Arc;

use futures_util::Stream;
use serde_json::{Value, json};

use super::{PIECE, Sessions};
use crate::model::session::Session;
use crate::model::{Kind, Result};

/// How far an export has come.
struct Export {
    sessions: Arc<Sessions>,
    owner: String,
    /// The last session that was given out, and what of it is still to come.
    after: Option<String>,
    within: Option<Within>,
    over: bool,
}

struct Within {
    session: Session,
    messages: Option<u64>,
    calls: Option<u64>,
}

// === impl Sessions ===

impl Sessions {
    /// All that `owner` has here, a line of JSON for each: sessions, conversations, and what was said and done in them. What is
    /// given out is read piece by piece.
    pub fn export(self: &Arc<Self>, owner: &str) -> impl Stream<Item = Result<Vec<Value>>> + Send + use<> {
        let export = Export { sessions: self.clone(), owner: owner.to_owned(), after: None, within: None, over: false };
        futures_util::stream::unfold(export, |mut export| async move {
            match export.next().await {
                Ok(Some(lines)) => Some((Ok(lines), export)),
                Ok(None) => None,
                Err(error) => {
                    export.over = true;
                    Some((Err(error), export))
                }
            }
        })
    }

    /// Takes out all that `owner` has here, and tells how many sessions that were.
    ///
    /// # Errors
    /// If the store can't be read or written; what is still there can be taken out by asking again.
    pub async fn erase(&self, owner: &str) -> Result<u64> {
        let mut erased = 0;
        loop {
            let some = self.records.all(owner, None, PIECE).await?;
            if some.is_empty() {
                return Ok(erased);
            }
            for session in some {
                match self.delete(owner, &session.record.id).await {
                    Ok(()) => erased += 1,
                    Err(error) if error.kind() == Kind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
}

// === impl Export ===

impl Export {
    /// The next lines, or nothing when all is given out.
    async fn next(&mut self) -> Result<Option<Vec<Value>>> {
        if self.over {
            return Ok(None);
        }
        if let Some(within) = &mut self.within {
            if let Some(after) = within.messages {
                let piece = self.sessions.messages(&within.session, after, PIECE).await?;
                within.messages = piece.last().map(|last| last.sequence);
                let line = |message| json!({"kind": "message", "session": within.session.id, "message": message});
                return Ok(Some(piece.iter().map(line).collect()));
            }
            if let Some(after) = within.calls {
                let piece = self.sessions.tool_calls(&within.session, after, PIECE).await?;
                within.calls = piece.last().map(|last| last.number);
                let line = |call| json!({"kind": "tool_call", "session": within.session.id, "tool_call": call});
                return Ok(Some(piece.iter().map(line).collect()));
            }
        }
        let next = self.sessions.records.all(&self.owner, self.after.as_deref(), 1).await?;
        let Some(session) = next.into_iter().next().map(|next| next.record) else {
            self.over = true;
            return Ok(None);
        };
        let line = json!({"kind": "session", "session": session});
        self.after = Some(session.id.clone());
        self.within = Some(Within { session, messages: Some(0), calls: Some(0) });
        Ok(Some(vec![line]))
    }
}
