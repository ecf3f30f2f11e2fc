//! Runs, what happened in them, and what they left.

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};

use super::engine::Committed;
use super::spaces::{
    ARTIFACT_CONTENTS, ARTIFACTS, OPEN_RUNS, RUN_BEFORE, RUN_EVENTS, RUN_INBOX, RUN_MESSAGES, RUNS, RUNS_OF_OWNER,
    RUNS_OF_SESSION,
};
use super::{Change, Key, Mark, Record, Store};
use crate::model::chat::Message;
use crate::model::run::{Artifact, Event, Run};
use crate::model::{Error, Kind, Result};

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Runs {
    store: Store,
}

/// What is stored at once: a step of a run, or less.
#[derive(Debug, Default)]
pub struct Step {
    /// The run as it is now.
    pub run: Option<Run>,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// What was said, each with its number.
    pub messages: Vec<(u32, Message)>,
    /// Words of a person that the model is told from now on.
    pub told: Vec<u64>,
    /// Words of a person for later, with their number.
    pub inbox: Option<(u64, String)>,
    /// What it leaves.
    pub artifacts: Vec<(Artifact, String)>,
}

/// A file as it was before a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// Its text.
    Text(String),
    /// What names its bytes, of a file whose text is not kept.
    Digest(String),
}

/// Who works at a run that is not over, and until when nobody else does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// A process.
    pub holder: String,
    /// Seconds since 1970.
    pub until: i64,
}

#[derive(Serialize, Deserialize)]
struct Text(String);

impl Record for Message {}
impl Record for Run {}
impl Record for Event {}
impl Record for Artifact {}
impl Record for Before {}
impl Record for Lease {}
impl Record for Text {}

/// More than a run or a session can have.
const ALL: usize = usize::MAX;

// === impl Runs ===

impl Runs {
    /// Those of `store`.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Stores a run that is new and works under `lease`, with what happened so far.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn create(&self, run: &Run, lease: &Lease, events: &[Event]) -> Result<()> {
        let mut change = Change::default();
        change.insert(RUNS.key().text(&run.id), run)?;
        change.put(OPEN_RUNS.key().text(&run.id), lease)?;
        change.put(RUNS_OF_OWNER.key().text(&run.owner).text(&run.id), &Mark {})?;
        if let Some(session) = &run.session {
            change.put(RUNS_OF_SESSION.key().text(session).text(&run.id), &Mark {})?;
        }
        for event in events {
            change.insert(event_key(&run.id, event.sequence), event)?;
        }
        self.done(change).await
    }

    /// Stores a step of the run `id`. Numbers that stand already are a conflict: somebody else works at the run.
    ///
    /// # Errors
    /// If the store can't be written, or the run is somebody else's work by now.
    pub async fn commit(&self, id: &str, step: &Step) -> Result<()> {
        let mut change = Change::default();
        if let Some(run) = &step.run {
            change.put(RUNS.key().text(id), run)?;
            if run.status.is_over() {
                change.delete(OPEN_RUNS.key().text(id));
                change.delete_range(RUN_INBOX.key().text(id).within());
                change.delete_range(RUN_BEFORE.key().text(id).within());
            }
        }
        for event in &step.events {
            change.insert(event_key(id, event.sequence), event)?;
        }
        for (number, message) in &step.messages {
            change.insert(RUN_MESSAGES.key().text(id).number((*number).into()), message)?;
        }
        for number in &step.told {
            change.delete(RUN_INBOX.key().text(id).number(*number));
        }
        if let Some((number, words)) = &step.inbox {
            change.insert(RUN_INBOX.key().text(id).number(*number), &Text(words.clone()))?;
        }
        for (artifact, content) in &step.artifacts {
            change.put(ARTIFACTS.key().text(id).text(&artifact.id), artifact)?;
            change.put(ARTIFACT_CONTENTS.key().text(id).text(&artifact.id), &Text(content.clone()))?;
        }
        self.done(change).await
    }

    async fn done(&self, change: Change) -> Result<()> {
        match self.store.commit(change).await? {
            Committed::Done => Ok(()),
            Committed::Conflict => {
                Err(Error::caller(Kind::Conflict, "the run is being worked at elsewhere; try again in a moment"))
            }
        }
    }

    /// The run `id`.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn get(&self, id: &str) -> Result<Option<Run>> {
        self.store.get(RUNS.key().text(id)).await
    }

    /// The runs of a session, the newest first, at most `limit` of them.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn of_session(&self, session: &str, limit: usize) -> Result<Vec<Run>> {
        self.marked(&RUNS_OF_SESSION.key().text(session), limit).await
    }

    /// How many runs a session has.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn count_of_session(&self, session: &str) -> Result<usize> {
        Ok(self.store.keys(RUNS_OF_SESSION.key().text(session).within(), false, ALL).await?.len())
    }

    /// The runs of `owner`, the newest first, at most `limit` of them.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn of_owner(&self, owner: &str, limit: usize) -> Result<Vec<Run>> {
        self.marked(&RUNS_OF_OWNER.key().text(owner), limit).await
    }

    /// The runs that are not over, the oldest first, and who works at them.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn open(&self) -> Result<Vec<(String, Lease)>> {
        let stored = self.store.list::<Lease>(OPEN_RUNS.key().within(), ALL).await?;
        Ok(stored.into_iter().filter_map(|stored| Some((Key::last_text(stored.key())?, stored.record))).collect())
    }

    /// Takes a run whose lease is `before` until `lease` is over. Tells whether it was still to be had.
    ///
    /// # Errors
    /// If the store can't be used.
    pub async fn take(&self, id: &str, before: &Lease, lease: &Lease) -> Result<bool> {
        let Some(stored) = self.store.read::<Lease>(OPEN_RUNS.key().text(id)).await? else { return Ok(false) };
        if stored.record != *before {
            return Ok(false);
        }
        let mut change = Change::default();
        change.replace(&stored, lease)?;
        Ok(self.store.commit(change).await? == Committed::Done)
    }

    /// The lease of a run, unless the run is over.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn lease(&self, id: &str) -> Result<Option<Lease>> {
        self.store.get(OPEN_RUNS.key().text(id)).await
    }

    /// The leases of `ids` are `lease` from now on, as far as its holder has them; gives those that somebody else has by now.
    ///
    /// # Errors
    /// If the store can't be used.
    pub async fn renew(&self, ids: &[String], lease: &Lease) -> Result<Vec<String>> {
        // Each by itself, for a run that ends at this very moment must not cost the others their leases; and together, for they
        // share the way to the disk.
        let lost = try_join_all(ids.iter().map(|id| self.renew_one(id, lease))).await?;
        Ok(ids.iter().zip(lost).filter(|(_, lost)| *lost).map(|(id, _)| id.clone()).collect())
    }

    /// Renews one, and tells whether somebody else has it.
    async fn renew_one(&self, id: &str, lease: &Lease) -> Result<bool> {
        let Some(stored) = self.store.read::<Lease>(OPEN_RUNS.key().text(id)).await? else {
            // It is over meanwhile.
            return Ok(false);
        };
        if stored.record.holder != lease.holder {
            return Ok(true);
        }
        let mut change = Change::default();
        change.replace(&stored, lease)?;
        // Whoever was faster has ended it or taken it, which the next renewal tells.
        let _: Committed = self.store.commit(change).await?;
        Ok(false)
    }

    /// Nobody has to work at a run that is over.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn close(&self, id: &str) -> Result<()> {
        let mut change = Change::default();
        change.delete(OPEN_RUNS.key().text(id));
        self.done(change).await
    }

    async fn marked(&self, prefix: &Key, limit: usize) -> Result<Vec<Run>> {
        let marks = self.store.keys(prefix.within(), true, limit).await?;
        let ids = marks.iter().filter_map(|key| Key::last_text(key));
        let runs = self.store.get_all(ids.map(|id| RUNS.key().text(&id)).collect()).await?;
        Ok(runs.into_iter().flatten().collect())
    }

    /// At most `limit` events of a run behind number `after`.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn events(&self, id: &str, after: u64, limit: usize) -> Result<Vec<Event>> {
        let all = RUN_EVENTS.key().text(id);
        let range = all.within_after(&all.clone().number(after));
        Ok(self.store.list(range, limit).await?.into_iter().map(|stored| stored.record).collect())
    }

    /// The number of a run's newest event; 0 where there is none.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn last_event(&self, id: &str) -> Result<u64> {
        let newest = self.store.keys(RUN_EVENTS.key().text(id).within(), true, 1).await?;
        Ok(newest.first().and_then(|key| Key::last_number(key)).unwrap_or_default())
    }

    /// What was said in a run.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn messages(&self, id: &str) -> Result<Vec<Message>> {
        let stored = self.store.list(RUN_MESSAGES.key().text(id).within(), ALL).await?;
        Ok(stored.into_iter().map(|stored| stored.record).collect())
    }

    /// What people said to a run that the model has not been told yet, with its numbers.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn inbox(&self, id: &str) -> Result<Vec<(u64, String)>> {
        let stored = self.store.list::<Text>(RUN_INBOX.key().text(id).within(), ALL).await?;
        Ok(stored.into_iter().filter_map(|text| Some((Key::last_number(text.key())?, text.record.0))).collect())
    }

    /// What a run has left, in the order in which it was made.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn artifacts(&self, id: &str) -> Result<Vec<Artifact>> {
        let stored = self.store.list(ARTIFACTS.key().text(id).within(), ALL).await?;
        Ok(stored.into_iter().map(|stored| stored.record).collect())
    }

    /// One artifact with its content.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn artifact(&self, id: &str, artifact: &str) -> Result<Option<(Artifact, String)>> {
        let about: Option<Artifact> = self.store.get(ARTIFACTS.key().text(id).text(artifact)).await?;
        let content: Option<Text> = self.store.get(ARTIFACT_CONTENTS.key().text(id).text(artifact)).await?;
        Ok(about.zip(content.map(|text| text.0)))
    }

    /// Keeps what files were before a run.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn keep_before(&self, id: &str, files: &[(String, Before)]) -> Result<()> {
        let mut change = Change::default();
        for (path, before) in files {
            change.put(RUN_BEFORE.key().text(id).text(path), before)?;
        }
        self.done(change).await
    }

    /// What files were before a run, in the order of their paths.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn before(&self, id: &str) -> Result<Vec<(String, Before)>> {
        let stored = self.store.list::<Before>(RUN_BEFORE.key().text(id).within(), ALL).await?;
        Ok(stored.into_iter().filter_map(|stored| Some((Key::last_text(stored.key())?, stored.record))).collect())
    }

    /// Forgets a run and all that belongs to it.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn forget(&self, run: &Run) -> Result<()> {
        let (id, mut change) = (&run.id, Change::default());
        change.delete(RUNS.key().text(id));
        change.delete(OPEN_RUNS.key().text(id));
        change.delete(RUNS_OF_OWNER.key().text(&run.owner).text(id));
        if let Some(session) = &run.session {
            change.delete(RUNS_OF_SESSION.key().text(session).text(id));
        }
        for space in [RUN_EVENTS, RUN_MESSAGES, RUN_INBOX, ARTIFACTS, ARTIFACT_CONTENTS, RUN_BEFORE] {
            change.delete_range(space.key().text(id).within());
        }
        self.done(change).await
    }
}

fn event_key(run: &str, sequence: u64) -> Key {
    RUN_EVENTS.key().text(run).number(sequence)
}
