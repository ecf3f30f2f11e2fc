//! The record of one run that is at work: what happens is stored first, and shown only then.
//!
//! One hand writes at a time, so that numbers have no gap; whoever drives the run and whoever says something to it take turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Mutex, MutexGuard, broadcast};

use crate::model::Result;
use crate::model::chat::{Message, Role};
use crate::model::run::{Artifact, Body, Event, Run};
use crate::service::Clock;
use crate::store::runs::{Runs, Step};

/// Batches of events that a watcher may lag behind before it has to catch up from the store.
const BATCHES: usize = 64;

/// Events that were stored together.
pub(super) type Batch = Arc<[Event]>;

/// See the module.
pub(super) struct Journal {
    id: String,
    store: Runs,
    clock: Clock,
    written: Mutex<Written>,
    feed: broadcast::Sender<Batch>,
    newest: Arc<AtomicU64>,
}

/// What is stored.
struct Written {
    run: Run,
    /// The newest event's number.
    sequence: u64,
    /// What the model said that is not stored yet, and what it thought.
    said: String,
    thought: String,
    /// Words of people that the model has not been told, with their numbers.
    inbox: Vec<(u64, String)>,
    /// The newest number that words of people had.
    newest_words: u64,
}

/// What is to be stored next.
pub(super) struct Draft {
    /// The run, to be changed.
    pub(super) run: Run,
    pub(super) events: Vec<Body>,
    pub(super) messages: Vec<Message>,
    /// Words of people that the model is told from now on.
    told: Vec<u64>,
    /// Words of a person for later.
    pub(super) inbox: Option<String>,
    pub(super) artifacts: Vec<(Artifact, String)>,
    /// What people said that the model has not been told.
    unread: Vec<(u64, String)>,
    /// The newest event's number before it.
    pub(super) sequence: u64,
}

// === impl Journal ===

impl Journal {
    /// The journal of a run of which events up to `sequence` are stored, and words of people wait in `inbox`.
    pub(super) fn new(store: Runs, clock: Clock, run: Run, sequence: u64, inbox: Vec<(u64, String)>) -> Self {
        let id = run.id.clone();
        let newest_words = inbox.last().map_or(0, |(number, _)| *number);
        let written = Written { run, sequence, said: String::new(), thought: String::new(), inbox, newest_words };
        let feed = broadcast::Sender::new(BATCHES);
        Self { id, store, clock, written: Mutex::new(written), feed, newest: Arc::new(AtomicU64::new(sequence)) }
    }

    /// What will be stored from now on, and the number of the newest event.
    pub(super) fn subscribe(&self) -> (broadcast::Receiver<Batch>, Arc<AtomicU64>) {
        (self.feed.subscribe(), self.newest.clone())
    }

    /// The newest event's number.
    pub(super) fn newest(&self) -> u64 {
        self.newest.load(Ordering::Acquire)
    }

    /// The run, as it is stored.
    pub(super) async fn run(&self) -> Run {
        self.written.lock().await.run.clone()
    }

    /// The model said or thought something. It is stored with whatever comes next, or by [`Journal::flush`].
    pub(super) async fn hear(&self, said: &str, thought: &str) {
        let mut written = self.written.lock().await;
        written.said.push_str(said);
        written.thought.push_str(thought);
    }

    /// Whether the model said something that is not stored yet.
    pub(super) async fn is_heard(&self) -> bool {
        let written = self.written.lock().await;
        !written.said.is_empty() || !written.thought.is_empty()
    }

    /// What people said that the model has not been told; it is part of the conversation from now on.
    ///
    /// # Errors
    /// If the store can't be written.
    pub(super) async fn take_inbox(&self) -> Result<Vec<String>> {
        let written = self.written.lock().await;
        if written.inbox.is_empty() {
            return Ok(Vec::new());
        }
        self.commit(written, |draft| {
            let unread = std::mem::take(&mut draft.unread);
            draft.told.extend(unread.iter().map(|(number, _)| *number));
            let words: Vec<String> = unread.into_iter().map(|(_, words)| words).collect();
            draft.messages.extend(words.iter().map(|words| Message::text(Role::User, words.clone())));
            Ok(words)
        })
        .await
    }

    /// Stores the end that `change` makes; not so if it is `polite` and somebody has said something meanwhile.
    ///
    /// # Errors
    /// If the store can't be written.
    pub(super) async fn finish(&self, polite: bool, change: impl FnOnce(&mut Draft)) -> Result<bool> {
        self.write(|draft| {
            if polite && !draft.unread.is_empty() {
                return Ok(false);
            }
            change(draft);
            Ok(true)
        })
        .await
    }

    /// Stores what the model said so far.
    ///
    /// # Errors
    /// If the store can't be written.
    pub(super) async fn flush(&self) -> Result<()> {
        let written = self.written.lock().await;
        if written.said.is_empty() && written.thought.is_empty() {
            return Ok(());
        }
        self.commit(written, |_| Ok(())).await
    }

    /// Stores what `change` makes of the run, and shows it.
    ///
    /// # Errors
    /// Those of `change`, and if the store can't be written; nothing is changed then.
    pub(super) async fn write<T>(&self, change: impl FnOnce(&mut Draft) -> Result<T>) -> Result<T> {
        let written = self.written.lock().await;
        self.commit(written, change).await
    }

    async fn commit<T>(
        &self,
        mut written: MutexGuard<'_, Written>,
        change: impl FnOnce(&mut Draft) -> Result<T>,
    ) -> Result<T> {
        let mut draft = Draft {
            run: written.run.clone(),
            events: Vec::new(),
            messages: Vec::new(),
            told: Vec::new(),
            inbox: None,
            artifacts: Vec::new(),
            unread: written.inbox.clone(),
            sequence: written.sequence,
        };
        if !written.thought.is_empty() {
            draft.events.push(Body::Thinking { content: written.thought.clone() });
        }
        if !written.said.is_empty() {
            draft.events.push(Body::Token { content: written.said.clone() });
        }
        let outcome = change(&mut draft)?;
        let timestamp = self.clock.rfc3339();
        let number = |(sequence, body)| Event { sequence, timestamp: timestamp.clone(), body };
        let events: Vec<Event> = (written.sequence + 1..).zip(draft.events).map(number).collect();
        let first = draft.run.progress.messages;
        let messages: Vec<(u32, Message)> = (first..).zip(draft.messages).collect();
        draft.run.progress.messages = messages.last().map_or(first, |(number, _)| number + 1);
        let inbox = draft.inbox.map(|words| (written.newest_words + 1, words));
        let changed = draft.run != written.run;
        let step = Step {
            run: changed.then(|| draft.run.clone()),
            events,
            messages,
            told: draft.told,
            inbox,
            artifacts: draft.artifacts,
        };
        self.store.commit(&self.id, &step).await?;
        written.run = draft.run;
        written.said.clear();
        written.thought.clear();
        written.inbox.retain(|(number, _)| !step.told.contains(number));
        if let Some((number, words)) = step.inbox {
            written.newest_words = number;
            written.inbox.push((number, words));
        }
        if let Some(last) = step.events.last() {
            written.sequence = last.sequence;
            self.newest.store(last.sequence, Ordering::Release);
            // Nobody may be watching.
            let _ = self.feed.send(step.events.into());
        }
        Ok(outcome)
    }
}
