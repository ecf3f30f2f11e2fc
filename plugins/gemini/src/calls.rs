//! Tool calls of an answer, and ids for those that come without.

use std::collections::BTreeSet;

use mortise_sdk::chat::{Message, Part};

/// The ids of a conversation.
#[derive(Debug)]
pub(crate) struct Ids {
    used: BTreeSet<String>,
    /// What ids are made of where the answer has none of its own.
    turn: usize,
    made: usize,
}

impl Ids {
    pub(crate) fn of(messages: &[Message]) -> Self {
        let parts = messages.iter().flat_map(|message| &message.parts);
        let used = parts.filter_map(|part| if let Part::Call(call) = part { Some(call.id.clone()) } else { None });
        Self { used: used.collect(), turn: messages.len(), made: 0 }
    }

    /// The id of a new call: the vendor's own, if it is one; else one that nothing in the conversation has. `answer` is the
    /// answer's id.
    pub(crate) fn next(&mut self, own: &str, answer: &str) -> String {
        if !own.is_empty() && self.used.insert(own.to_owned()) {
            return own.to_owned();
        }
        let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        // Short enough for every dialect.
        let mut base: String = answer.chars().filter(fits).take(24).collect();
        if base.is_empty() {
            base = self.turn.to_string();
        }
        loop {
            let id = format!("call_{base}_{}", self.made);
            self.made += 1;
            if self.used.insert(id.clone()) {
                return id;
            }
        }
    }
}
