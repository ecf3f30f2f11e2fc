//! A model's turn in progress, read event by event or as a whole.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::answer::{Answer, Assembly};
use super::bill::Bill;
use super::call::Call;
use super::recording::{Kept, Recording};
use super::route::Chosen;
use super::served::Served;
use crate::model::chat::Event;
use crate::model::provider::Output;
use crate::model::{Error, Fault, Kind, Result};
use crate::plugin::drive::Drive;

/// A model's turn in progress. Dropping it ends the work upstream.
pub struct Turn {
    /// Who answers.
    pub chosen: Chosen,
    attempts: u32,
    /// Whether it was looked for in the cache, and found there.
    cached: Option<bool>,
    source: Source,
}

/// Where the answer comes from.
enum Source {
    Live(Box<Live>),
    /// Gone once it is told.
    Kept(Option<Arc<Kept>>),
}

/// An answer that is being given.
pub(super) struct Live {
    pub(super) talk: Talk,
    pub(super) bill: Bill,
    /// What came before the caller was told that there is an answer.
    pub(super) early: Option<Vec<Event>>,
    /// What was said so far, if it is to be kept.
    pub(super) recording: Option<Box<Recording>>,
}

/// What goes on with one provider.
pub(super) struct Talk {
    drive: Drive,
    call: Call,
    /// Whether the model has said why it stopped.
    stopped: bool,
    /// Of the calls of tools so far.
    ids: BTreeSet<String>,
}

// === impl Talk ===

impl Talk {
    pub(super) fn new(drive: Drive, call: Call) -> Self {
        Self { drive, call, stopped: false, ids: BTreeSet::new() }
    }

    /// What comes up to the model's first word.
    pub(super) async fn first_word(&mut self, provider: &str, bill: &mut Bill) -> Result<Vec<Event>> {
        let mut early = Vec::new();
        while !self.stopped && !early.iter().any(Event::is_content) {
            match self.next(provider, bill).await? {
                Some(mut events) => early.append(&mut events),
                None => break,
            }
        }
        Ok(early)
    }

    async fn next(&mut self, provider: &str, bill: &mut Bill) -> Result<Option<Vec<Event>>> {
        let outcome = match self.drive.outputs().await {
            Ok(None) if !self.stopped => Err(Error::new(
                Kind::Upstream,
                Fault::Upstream,
                format!("provider `{provider}` ended the answer without saying why"),
            )),
            outcome => outcome,
        };
        match outcome {
            Ok(Some(outputs)) => {
                self.call.heard(&outputs);
                let mut events: Vec<Event> = outputs
                    .into_iter()
                    .filter_map(|output| match output {
                        Output::Chat(event) => Some(event),
                        // The same in other words.
                        Output::Usage(usage) => Some(Event::Usage(usage)),
                        _ => None,
                    })
                    .collect();
                events.iter_mut().for_each(|event| self.tell_apart(event));
                bill.add(&mut events);
                self.stopped |= events.iter().any(|event| matches!(event, Event::Stopped(_)));
                Ok(Some(events))
            }
            Ok(None) => {
                bill.done();
                self.call.cost(bill.usage().0.cost);
                self.call.end(None);
                Ok(None)
            }
            Err(error) => {
                bill.failed(&error);
                self.call.cost(bill.usage().0.cost);
                self.call.end(Some(&error));
                Err(error)
            }
        }
    }

    /// A call whose id another call of the answer has gets one of its own: by their ids results find their calls, and some vendors
    /// count them anew in every piece.
    fn tell_apart(&mut self, event: &mut Event) {
        let Event::CallStarted { id, .. } = event else { return };
        let mut own = id.clone();
        for number in 2.. {
            if self.ids.insert(own.clone()) {
                break;
            }
            own = format!("{id}_{number}");
        }
        *id = own;
    }
}

// === impl Live ===

impl Live {
    async fn events(&mut self, chosen: &Chosen) -> Result<Option<Vec<Event>>> {
        let events = match self.early.take() {
            Some(events) => Some(events),
            None => self.talk.next(&chosen.provider.name, &mut self.bill).await?,
        };
        match (&events, &mut self.recording) {
            (Some(events), Some(recording)) => recording.add(events),
            (None, recording) => {
                if let Some(recording) = recording.take() {
                    recording.keep(chosen);
                }
            }
            _ => {}
        }
        Ok(events)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // Who has heard why the model stopped has missed nothing.
        if self.talk.stopped {
            self.bill.done();
        }
        self.talk.call.cost(self.bill.usage().0.cost);
    }
}

// === impl Turn ===

impl Turn {
    pub(super) fn live(chosen: Chosen, attempts: u32, live: Live) -> Self {
        let cached = live.recording.is_some().then_some(false);
        Self { chosen, attempts, cached, source: Source::Live(Box::new(live)) }
    }

    pub(super) fn kept(chosen: Chosen, kept: Arc<Kept>) -> Self {
        Self { chosen, attempts: 0, cached: Some(true), source: Source::Kept(Some(kept)) }
    }

    /// The next events, as many as have come; `None` once the answer is whole.
    ///
    /// # Errors
    /// Whatever kept the answer from being whole; there is nothing after it.
    pub async fn events(&mut self) -> Result<Option<Vec<Event>>> {
        match &mut self.source {
            Source::Live(live) => live.events(&self.chosen).await,
            Source::Kept(kept) => Ok(kept.take().map(|kept| kept.events())),
        }
    }

    /// The whole answer.
    ///
    /// # Errors
    /// If it doesn't come to its end.
    pub async fn collect(self) -> Result<Answer> {
        match self.gather(|_, _| {}).await {
            (answer, None) => Ok(answer),
            (_, Some(error)) => Err(error),
        }
    }

    /// The answer as far as it comes, and why it isn't whole, if it isn't. `hears` is told of it as it comes.
    pub async fn gather(mut self, mut hears: impl FnMut(&Chosen, &[Event])) -> (Answer, Option<Error>) {
        let mut assembly = Assembly::default();
        let error = loop {
            match self.events().await {
                Ok(Some(events)) => {
                    hears(&self.chosen, &events);
                    events.into_iter().for_each(|event| assembly.add(event));
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        (Answer { served: self.settled(), ..assembly.finish() }, error)
    }

    /// Who has served it, and what that took.
    pub fn settled(&self) -> Served {
        let (cost, estimated) = match &self.source {
            Source::Live(live) => {
                let (usage, estimated) = live.bill.usage();
                (usage.cost, estimated)
            }
            Source::Kept(_) => (Some(0.0), false),
        };
        Served { cost, estimated, ..self.served() }
    }

    /// Who serves it.
    pub fn served(&self) -> Served {
        Served {
            provider: self.chosen.provider.name.clone(),
            model: self.chosen.model.clone(),
            attempts: self.attempts,
            cost: None,
            estimated: false,
            cached: self.cached,
        }
    }
}
