//! What the test guests have in common, so that each is little more than its misbehaviour.

use std::hint::black_box;

use mortise_sdk::chat::{Delta, Event, Stop, StopReason};
use mortise_sdk::provider::{Credential, Info, Operation, Out};

/// A provider that asks nobody and wants no key.
pub fn info(name: &str) -> Info {
    Info { credential: Credential::None, tools: false, ..Info::new(name) }
}

/// A whole answer of one text.
pub fn say(out: &mut Out, text: &str) {
    out.emit(Event::Text(Delta { block: 0, text: text.to_owned() }));
    out.emit(Event::Stopped(Stop { reason: StopReason::Complete, sequence: None }));
}

/// The model of a chat; nothing for other operations.
pub fn model(operation: Operation) -> String {
    match operation {
        Operation::Chat(request) => request.model,
        _ => String::new(),
    }
}

/// A loop that the optimizer can't see the end of.
pub fn forever() -> ! {
    loop {
        black_box(0);
    }
}
