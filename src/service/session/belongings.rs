//! All that an owner has here: given out, and taken out.

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};
use serde_json::{Value, json};

use super::{PIECE, Sessions};
use crate::model::session::{Message, Session, ToolCall};
use crate::model::{Kind, Result};
use crate::service::access::Belongings;
use crate::store::message;
use crate::store::session::Sessions as Records;

/// How far an export has come.
struct Export {
    records: Records,
    owner: String,
    /// The last session that was given out.
    after: Option<String>,
    /// What of it is still to come: behind which message, behind which call of a tool.
    within: Option<(Session, Option<u64>, Option<u64>)>,
    over: bool,
}

impl Belongings for Sessions {
    fn name(&self) -> &'static str {
        "sessions"
    }

    fn erase<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            let mut erased = 0;
            loop {
                let some = self.records.all(owner, None, PIECE).await?;
                if some.is_empty() {
                    return Ok(erased);
                }
                for session in some {
                    match self.delete(owner, &session.id).await {
                        Ok(()) => erased += 1,
                        Err(error) if error.kind() == Kind::NotFound => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        })
    }

    /// Sessions, conversations, and what was said and done in them, read piece by piece.
    fn export(&self, owner: &str) -> BoxStream<'static, Result<Value>> {
        let records = self.records.clone();
        let export = Export { records, owner: owner.to_owned(), after: None, within: None, over: false };
        let pieces = stream::unfold(export, |mut export| async move {
            match export.next().await {
                Ok(Some(lines)) => Some((lines.into_iter().map(Ok).collect(), export)),
                Ok(None) => None,
                Err(error) => {
                    export.over = true;
                    Some((vec![Err(error)], export))
                }
            }
        });
        pieces.flat_map(|lines: Vec<Result<Value>>| stream::iter(lines)).boxed()
    }
}

// === impl Export ===

impl Export {
    /// The next lines, or nothing when all is given out.
    async fn next(&mut self) -> Result<Option<Vec<Value>>> {
        if self.over {
            return Ok(None);
        }
        let store = self.records.store();
        if let Some((session, messages, calls)) = &mut self.within {
            if let Some(after) = *messages {
                let piece: Vec<Message> = message::page(store, &self.owner, &session.id, after, PIECE).await?;
                *messages = piece.last().map(|last| last.sequence);
                let line = |message| json!({"kind": "message", "session_id": session.id, "message": message});
                return Ok(Some(piece.iter().map(line).collect()));
            }
            if let Some(after) = *calls {
                let piece: Vec<ToolCall> = message::page(store, &self.owner, &session.id, after, PIECE).await?;
                *calls = piece.last().map(|last| last.number);
                let line = |call| json!({"kind": "tool_call", "session_id": session.id, "tool_call": call});
                return Ok(Some(piece.iter().map(line).collect()));
            }
        }
        let next = self.records.all(&self.owner, self.after.as_deref(), 1).await?;
        let Some(session) = next.into_iter().next() else {
            self.over = true;
            return Ok(None);
        };
        let kind = if session.is_listed() { "session" } else { "conversation" };
        let line = json!({"kind": kind, "session": session});
        self.after = Some(session.id.clone());
        self.within = Some((session, Some(0), Some(0)));
        Ok(Some(vec![line]))
    }
}
