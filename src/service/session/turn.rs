//! A turn in a session: what is asked, what is answered, and what tools did for it, written down as it goes.
//!
//! What a model says is written from its first word on, every so often, marked as incomplete until all of it is there. Whoever
//! drops a turn leaves what was said so.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::time::Instant;
use uuid::Uuid;

use super::called::Called;
use super::writer::{Writer, Writing};
use super::{New, Sessions};
use crate::model::chat::{self, Event};
use crate::model::session::{Message, Origin, Session, ToolCall};
use crate::model::{Error, Result};
use crate::service::Served;
use crate::service::answer::{Answer, Assembly};

/// See the module.
pub struct Turn {
    sessions: Arc<Sessions>,
    /// As it was when the turn began.
    session: Session,
    writer: Hand,
    /// What is asked: it is written together with what comes of it, so that a question that nobody answered can be asked again.
    asked: Vec<Message>,
    saying: Option<Saying>,
}

/// Where the writer is.
enum Hand {
    Here(Box<Writer>),
    /// It writes.
    Away(oneshot::Receiver<Back>),
    Gone,
}

/// A writer that has written, and what came of it.
type Back = (Box<Writer>, Result<(Vec<Message>, Vec<ToolCall>)>);

/// What a model is saying.
struct Saying {
    id: String,
    provider: String,
    model: String,
    assembly: Assembly,
    /// Whether anything was said, as opposed to news about it.
    spoke: bool,
    began: Timestamp,
    /// When it was written last; nothing where it never was.
    written: Option<Instant>,
    /// Bytes that came since.
    unwritten: usize,
}

/// How long what was said may be unwritten.
const EVERY: Duration = Duration::from_millis(500);
/// How much of it may be.
const MOST: usize = 32 << 10;

// === impl Sessions ===

impl Sessions {
    /// Begins a turn in session `id` of `owner`, once whoever works in it is done.
    ///
    /// # Errors
    /// If there is no such session, it takes no queries, or its turn doesn't come (`sessions.wait`, `sessions.queue`).
    pub async fn begin(self: &Arc<Self>, owner: &str, id: &str) -> Result<Turn> {
        Writer::begin(self, owner, id).await.map(|writer| Turn::new(self, writer))
    }

    /// Begins a turn in a new session, which is there once something is said in it.
    pub fn begin_new(self: &Arc<Self>, owner: &str, origin: Origin, new: New) -> Turn {
        Turn::new(self, Writer::first(self, self.draft(owner, origin, new)))
    }
}

// === impl Turn ===

impl Turn {
    fn new(sessions: &Arc<Sessions>, writer: Writer) -> Self {
        let session = writer.session.clone();
        let writer = Hand::Here(Box::new(writer));
        Self { sessions: sessions.clone(), session, writer, asked: Vec::new(), saying: None }
    }

    /// The session, as it was when the turn began.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// What was said before this turn.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn history(&self) -> Result<Vec<chat::Message>> {
        if self.session.totals.messages == 0 {
            return Ok(Vec::new());
        }
        self.sessions.history(&self.session).await
    }

    /// What is asked in this turn.
    pub fn ask(&mut self, messages: impl IntoIterator<Item = chat::Message>) {
        let messages: Vec<_> = messages.into_iter().map(|message| self.message(message)).collect();
        self.asked.extend(messages);
    }

    /// A model said `events`.
    pub fn heard(&mut self, provider: &str, model: &str, events: impl IntoIterator<Item = Event>) {
        let began = self.sessions.clock.now();
        let saying = self.saying.get_or_insert_with(|| Saying {
            id: Uuid::now_v7().to_string(),
            provider: provider.to_owned(),
            model: model.to_owned(),
            assembly: Assembly::default(),
            spoke: false,
            began,
            written: None,
            unwritten: 0,
        });
        for event in events {
            saying.unwritten += weight(&event);
            saying.spoke |= event.is_content();
            saying.assembly.add(event);
        }
        if saying.is_due() {
            self.save();
        }
    }

    /// What the model has said so far.
    pub fn so_far(&self) -> Option<Answer> {
        self.saying.as_ref().map(|saying| saying.assembly.clone().finish())
    }

    /// The model has said all that it says for now. What was asked and what it said are written when this returns.
    ///
    /// # Errors
    /// If they can't be written.
    pub async fn said(&mut self) -> Result<Vec<Message>> {
        let writing = self.rest(true);
        Ok(self.write(writing).await?.0)
    }

    /// `messages` were said. They, and what was asked before them, are written when this returns.
    ///
    /// # Errors
    /// If they can't be written.
    pub async fn append(&mut self, messages: impl IntoIterator<Item = chat::Message>) -> Result<Vec<Message>> {
        // Those come behind what was being said.
        let mut before = if self.saying.is_some() { self.said().await? } else { Vec::new() };
        self.ask(messages);
        let writing = self.rest(true);
        before.append(&mut self.write(writing).await?.0);
        Ok(before)
    }

    /// A tool did something, which the model is told in `told`. Both are written when this returns.
    ///
    /// # Errors
    /// If they can't be written.
    pub async fn called(&mut self, call: Called, told: chat::Message) -> Result<Vec<ToolCall>> {
        self.ask([told]);
        let calls = vec![call.record(self.sessions.clock.now())];
        let writing = Writing { calls, ..self.rest(true) };
        Ok(self.write(writing).await?.1)
    }

    /// A model answered, all at once. It is written together with what comes next.
    pub fn answered(&mut self, mut answer: Answer) {
        let Served { provider, model, cost, .. } = std::mem::take(&mut answer.served);
        if let Some(usage) = &mut answer.usage {
            usage.cost = usage.cost.or(cost);
        }
        let now = self.sessions.clock.now();
        self.asked.push(said(Uuid::now_v7().to_string(), provider, model, now, answer, true));
    }

    /// The turn is over. All of it is written, and the session is free, when this returns.
    ///
    /// # Errors
    /// If it can't be written; the session is free all the same.
    pub async fn finish(mut self) -> Result<(Session, Vec<Message>)> {
        let writing = Writing { end: Some(None), ..self.rest(true) };
        let messages = self.write(writing).await?.0;
        let session = match &self.writer {
            Hand::Here(writer) => writer.session.clone(),
            _ => self.session.clone(),
        };
        Ok((session, messages))
    }

    /// The turn is over. All of it is written soon; who asks for the session until then waits for that.
    pub async fn finish_behind(mut self) {
        let room = self.sessions.behind.room().await;
        let writing = Writing { end: Some(None), ..self.rest(true) };
        self.write_behind(writing, move || drop(room));
    }

    /// The turn failed. What was said is written as it is, and the session is free, when this returns.
    pub async fn fail(mut self, error: &Error) {
        let Some(writing) = self.leavings(Some(error.public().to_owned())) else { return };
        if let Err(error) = self.write(writing).await {
            tracing::warn!(session = self.session.id, error = error.to_string(), "the end of a turn can't be written");
        }
    }

    /// What is left to be written where a turn breaks off: what was said, and the end. A question that nobody answered isn't:
    /// it can be asked again.
    fn leavings(&mut self, error: Option<String>) -> Option<Writing> {
        let rest = self.rest(false);
        let writing = if rest.said.is_some() { rest } else { Writing::default() };
        let unknown = matches!(&self.writer, Hand::Here(writer) if writer.fresh && writing.said.is_none());
        let over = match &self.writer {
            Hand::Here(writer) => writer.over,
            Hand::Away(_) => false,
            Hand::Gone => true,
        };
        (!over && !unknown).then_some(Writing { end: Some(error), ..writing })
    }

    fn message(&self, message: chat::Message) -> Message {
        Message {
            id: Uuid::now_v7().to_string(),
            sequence: 0,
            message,
            provider: None,
            model: None,
            usage: None,
            stop: None,
            complete: true,
            created: self.sessions.clock.now(),
        }
    }

    /// All that isn't written yet.
    fn rest(&mut self, complete: bool) -> Writing {
        let saying = self.saying.take().filter(|saying| complete || saying.spoke || saying.written.is_some());
        let said = saying.map(|saying| saying.message(complete));
        Writing { messages: std::mem::take(&mut self.asked), said, over: true, ..Writing::default() }
    }

    /// Writes what was said so far, if nothing is being written right now.
    fn save(&mut self) {
        if let Hand::Away(coming) = &mut self.writer {
            match coming.try_recv() {
                Ok((writer, _)) => self.writer = Hand::Here(writer),
                Err(_) => return,
            }
        }
        let Some(saying) = &mut self.saying else { return };
        (saying.written, saying.unwritten) = (Some(Instant::now()), 0);
        let said = Some(saying.copy());
        let messages = std::mem::take(&mut self.asked);
        self.start(Writing { messages, said, ..Writing::default() });
    }

    /// Writes, whoever waits for it.
    fn start(&mut self, writing: Writing) {
        let hand = std::mem::replace(&mut self.writer, Hand::Gone);
        let (back, coming) = oneshot::channel();
        self.writer = Hand::Away(coming);
        self.sessions.behind.spawn(&self.session.id, async move {
            let Some(mut writer) = hand.here().await else { return };
            let written = writer.write(writing).await;
            // Whoever has hung up meanwhile has left word of what is still to be done, or there is nothing.
            drop(back.send((writer, written)));
        });
    }

    async fn write(&mut self, writing: Writing) -> Result<(Vec<Message>, Vec<ToolCall>)> {
        self.start(writing);
        let Hand::Away(coming) = &mut self.writer else { return Err(lost()) };
        let (writer, written) = coming.await.map_err(|_| lost())?;
        self.writer = Hand::Here(writer);
        written
    }

    fn write_behind(&mut self, writing: Writing, then: impl FnOnce() + Send + 'static) {
        let hand = std::mem::replace(&mut self.writer, Hand::Gone);
        self.sessions.behind.spawn(&self.session.id, async move {
            if let Some(mut writer) = hand.here().await.filter(|writer| !writer.over) {
                let session = writer.session.id.clone();
                if let Err(error) = writer.write(writing).await {
                    let error = error.to_string();
                    tracing::error!(session, error, "a turn can't be written; what was said in it since is lost");
                }
            }
            then();
        });
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(writing) = self.leavings(None) {
            self.write_behind(writing, || {});
        }
    }
}

fn lost() -> Error {
    Error::internal("a turn's writer is gone")
}

// === impl Hand ===

impl Hand {
    async fn here(self) -> Option<Box<Writer>> {
        match self {
            Self::Here(writer) => Some(writer),
            Self::Away(coming) => coming.await.ok().map(|(writer, _)| writer),
            Self::Gone => None,
        }
    }
}

// === impl Saying ===

impl Saying {
    fn is_due(&self) -> bool {
        match self.written {
            None => self.unwritten > 0,
            Some(written) => self.unwritten >= MOST || self.unwritten > 0 && written.elapsed() >= EVERY,
        }
    }

    fn copy(&self) -> Message {
        let answer = self.assembly.clone().finish();
        said(self.id.clone(), self.provider.clone(), self.model.clone(), self.began, answer, false)
    }

    fn message(self, complete: bool) -> Message {
        said(self.id, self.provider, self.model, self.began, self.assembly.finish(), complete)
    }
}

fn said(id: String, provider: String, model: String, created: Timestamp, answer: Answer, complete: bool) -> Message {
    Message {
        id,
        sequence: 0,
        provider: Some(provider),
        model: Some(answer.model.clone().unwrap_or(model)),
        usage: answer.usage,
        stop: answer.stop.clone(),
        complete,
        created,
        message: answer.into_message(),
    }
}

/// Bytes that would be missed, were they lost.
fn weight(event: &Event) -> usize {
    match event {
        Event::Text { text, .. }
        | Event::Thinking { text, .. }
        | Event::Redacted { text, .. }
        | Event::CallArguments { text, .. }
        | Event::Refusal { text, .. }
        | Event::Other { text, .. } => text.len(),
        Event::CallStarted { name, .. } => name.len(),
        _ => 0,
    }
}
