//! An answer as it is kept: what was said, in as few pieces as it can be, and by whom.

use std::time::Duration;

use jiff::Timestamp;

use super::cache::Place;
use super::route::Chosen;
use crate::model::chat::{Event, StopReason};

/// An answer that is kept.
#[derive(Debug)]
pub(super) struct Kept {
    /// The provider that gave it, by its name: the provider itself may be replaced.
    pub(super) provider: String,
    /// The provider's name for the model.
    pub(super) model: String,
    /// Until when.
    pub(super) until: Timestamp,
    /// What all of it takes.
    pub(super) bytes: usize,
    events: Vec<Event>,
}

/// An answer that is being given.
pub(super) struct Recording {
    place: Place,
    ttl: Duration,
    /// The longest that is kept.
    longest: usize,
    bytes: usize,
    events: Vec<Event>,
    /// Whether it can't be kept.
    spoilt: bool,
}

// === impl Kept ===

impl Kept {
    /// What was said. It costs nothing any more.
    pub(super) fn events(&self) -> Vec<Event> {
        let mut events = self.events.clone();
        for event in &mut events {
            if let Event::Usage(usage) = event {
                usage.cost = Some(0.0);
            }
        }
        events
    }
}

// === impl Recording ===

impl Recording {
    pub(super) fn new(place: Place, ttl: Duration, longest: usize) -> Self {
        Self { place, ttl, longest, bytes: 0, events: Vec::new(), spoilt: false }
    }

    /// The model said `events`.
    pub(super) fn add(&mut self, events: &[Event]) {
        for event in events {
            self.spoilt |= match event {
                Event::Refusal { .. } => true,
                Event::Stopped(stop) => matches!(stop.reason, StopReason::Refusal | StopReason::Pause),
                _ => false,
            };
            let joined = self.events.last_mut().is_some_and(|last| join(last, event));
            self.bytes += if joined { text(event) } else { size_of::<Event>() + text(event) };
            self.spoilt |= self.bytes > self.longest;
            if self.spoilt {
                self.events = Vec::new();
                return;
            }
            if !joined {
                self.events.push(event.clone());
            }
        }
    }

    /// The answer is whole.
    pub(super) fn keep(mut self, chosen: &Chosen) {
        if self.spoilt {
            return;
        }
        self.events.shrink_to_fit();
        let (provider, model) = (chosen.provider.name.clone(), chosen.model.clone());
        let bytes = self.bytes + provider.len() + model.len() + size_of::<Kept>();
        let kept = Kept { provider, model, until: Timestamp::UNIX_EPOCH, bytes, events: self.events };
        self.place.keep(kept, self.ttl);
    }
}

/// Puts a further piece of a block behind the one before, if that is what it is.
fn join(last: &mut Event, next: &Event) -> bool {
    match (last, next) {
        (Event::Text { block, text }, Event::Text { block: same, text: more })
        | (Event::Thinking { block, text }, Event::Thinking { block: same, text: more })
        | (Event::CallArguments { block, text }, Event::CallArguments { block: same, text: more })
            if block == same =>
        {
            text.push_str(more);
            true
        }
        _ => false,
    }
}

/// Bytes of text in it.
fn text(event: &Event) -> usize {
    match event {
        Event::Text { text, .. }
        | Event::Thinking { text, .. }
        | Event::Signature { text, .. }
        | Event::Redacted { text, .. }
        | Event::CallArguments { text, .. }
        | Event::Refusal { text, .. }
        | Event::Annotation { text, .. }
        | Event::Other { text, .. } => text.len(),
        Event::Extra(field) => field.name.len() + field.value.len(),
        Event::CallStarted { id, name, extra, .. } => {
            id.len() + name.len() + extra.iter().map(|field| field.name.len() + field.value.len()).sum::<usize>()
        }
        Event::Started { id, model } => [id, model].into_iter().flatten().map(String::len).sum(),
        Event::Usage(_) | Event::Stopped(_) => 0,
    }
}
