//! Conversations of the chat surface: sessions that were made there, and are known there only.

use std::sync::Arc;

use super::answer::Answer;
use super::session::{New, Sessions, Turn};
use crate::model::chat::{Event, Message, Part, Role};
use crate::model::session::{self, Origin, Session};
use crate::model::{Error, Kind, Result};

/// See the module.
pub struct Conversations {
    sessions: Arc<Sessions>,
    /// Whether a conversation that begins is written before its first answer goes out.
    wait_for_disk: bool,
}

/// A turn in a conversation.
pub struct Talk {
    turn: Turn,
    /// Whether it is written before its answer goes out.
    waits: bool,
}

// === impl Conversations ===

impl Conversations {
    /// Those among `sessions`.
    pub fn new(sessions: Arc<Sessions>, wait_for_disk: bool) -> Self {
        Self { sessions, wait_for_disk }
    }

    /// Goes on with conversation `id` of `owner`, once nobody else speaks in it; or begins one, if there is no `id`. What was
    /// said before comes with it.
    ///
    /// # Errors
    /// If `owner` has no such conversation, or somebody speaks in it for too long.
    pub async fn open(&self, id: Option<&str>, owner: &str) -> Result<(Talk, Vec<Message>)> {
        let Some(id) = id else {
            let turn = self.sessions.begin_new(owner, Origin::Chat, New::default());
            return Ok((Talk { turn, waits: self.wait_for_disk }, Vec::new()));
        };
        check(id)?;
        let turn = self.sessions.begin(owner, id).await.map_err(|error| renamed(error, id))?;
        let before = spoken(turn.history().await?);
        Ok((Talk { turn, waits: true }, before))
    }

    /// Conversation `id` of `owner`, and all that was said in it.
    ///
    /// # Errors
    /// If `owner` has none.
    pub async fn get(&self, id: &str, owner: &str) -> Result<(Session, Vec<session::Message>)> {
        check(id)?;
        let session = self.sessions.exactly(owner, id).await.map_err(|error| renamed(error, id))?;
        let messages = self.sessions.messages(&session, 0, usize::MAX).await?;
        Ok((session, messages))
    }

    /// Takes conversation `id` of `owner` out.
    ///
    /// # Errors
    /// If `owner` has none.
    pub async fn delete(&self, id: &str, owner: &str) -> Result<()> {
        check(id)?;
        self.sessions.delete(owner, id).await.map_err(|error| renamed(error, id))
    }
}

// === impl Talk ===

impl Talk {
    /// One in a session that `turn` is a turn of.
    pub(super) fn new(turn: Turn, waits: bool) -> Self {
        Self { turn, waits }
    }

    /// Names the conversation.
    pub fn id(&self) -> &str {
        &self.turn.session().id
    }

    /// It is written before its answer goes out, whatever the operator says of others.
    #[must_use]
    pub fn kept(self) -> Self {
        Self { waits: true, ..self }
    }

    /// What is asked.
    pub fn ask(&mut self, message: Message) {
        self.turn.ask([message]);
    }

    /// The model said `events`.
    pub fn heard(&mut self, provider: &str, model: &str, events: Vec<Event>) {
        self.turn.heard(provider, model, events);
    }

    /// The model answered.
    pub fn answered(&mut self, answer: Answer) {
        self.turn.answered(answer);
    }

    /// The turn is over. Where the caller named the conversation, it is written when this returns.
    ///
    /// # Errors
    /// If it can't be written.
    pub async fn finish(self) -> Result<()> {
        if self.waits {
            return self.turn.finish().await.map(drop);
        }
        self.turn.finish_behind().await;
        Ok(())
    }

    /// The turn failed.
    pub async fn fail(self, error: &Error) {
        self.turn.fail(error).await;
    }
}

/// What models are told of what was said before. Thoughts are their model's own, and a call that nobody answers would stand in
/// the way.
pub fn spoken(mut messages: Vec<Message>) -> Vec<Message> {
    for message in &mut messages {
        message.parts.retain(|part| matches!(part, Part::Text(_) | Part::Refusal(_) | Part::Media(_)));
    }
    messages.retain(|message| message.role != Role::Assistant || !message.parts.is_empty());
    messages
}

fn check(id: &str) -> Result<()> {
    if id.starts_with("conv-") { Ok(()) } else { Err(missing(id)) }
}

fn renamed(error: Error, id: &str) -> Error {
    if error.kind() == Kind::NotFound { missing(id) } else { error }
}

fn missing(id: &str) -> Error {
    Error::caller(Kind::NotFound, format!("Conversation not found: {id}")).with_param("conversation_id")
}
