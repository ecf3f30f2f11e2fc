//! Conversations of the chat surface: kept in memory, bounded, gone with the process.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::clock;
use crate::model::chat::{Message, Part};
use crate::model::{Error, Kind, Result};

/// Conversations that are kept; the one unused for longest goes first.
const MOST: usize = 1000;
/// Bytes of all of them together.
const MOST_BYTES: usize = 64 << 20;

/// See the module.
#[derive(Default)]
pub struct Conversations {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    by_id: HashMap<String, Conversation>,
    /// The one unused for longest first.
    order: VecDeque<String>,
    bytes: usize,
}

struct Conversation {
    owner: Arc<str>,
    messages: Arc<Vec<Message>>,
    bytes: usize,
}

// === impl Conversations ===

impl Conversations {
    /// What was said in conversation `id` of `owner`; nothing yet if there is no `id`, which is then made.
    ///
    /// # Errors
    /// If `owner` has no such conversation.
    pub fn open(&self, id: Option<&str>, owner: &Arc<str>) -> Result<(String, Arc<Vec<Message>>)> {
        let Some(id) = id else { return Ok((clock::fresh("conv-"), Arc::default())) };
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.by_id.get(id).filter(|conversation| conversation.owner == *owner) {
            Some(conversation) => Ok((id.to_owned(), conversation.messages.clone())),
            None => {
                Err(Error::caller(Kind::NotFound, format!("Conversation not found: {id}"))
                    .with_param("conversation_id"))
            }
        }
    }

    /// Adds a turn to what has been said; two turns at once stand one after the other. Only what was said is kept: thoughts
    /// are their model's own, and a call that nobody answers would stand in the way of the next turn.
    pub fn add(&self, id: &str, owner: &Arc<str>, turn: impl IntoIterator<Item = Message>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let before = kept.by_id.remove(id).filter(|conversation| conversation.owner == *owner);
        let mut messages = before.as_ref().map(|before| (*before.messages).clone()).unwrap_or_default();
        if let Some(before) = before {
            kept.bytes -= before.bytes;
            kept.order.retain(|known| known != id);
        }
        messages.extend(turn.into_iter().map(said));
        let bytes = messages.iter().map(weight).sum();
        kept.by_id.insert(id.to_owned(), Conversation { owner: owner.clone(), messages: Arc::new(messages), bytes });
        kept.bytes += bytes;
        kept.order.push_back(id.to_owned());
        while kept.by_id.len() > MOST || kept.bytes > MOST_BYTES {
            let Some(oldest) = kept.order.pop_front() else { break };
            if let Some(gone) = kept.by_id.remove(&oldest) {
                kept.bytes -= gone.bytes;
            }
        }
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).by_id.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn said(mut message: Message) -> Message {
    message.parts.retain(|part| matches!(part, Part::Text(_) | Part::Refusal(_) | Part::Media(_)));
    message
}

/// Bytes of a message, roughly.
fn weight(message: &Message) -> usize {
    let parts = message.parts.iter().map(|part| match part {
        Part::Text(text) | Part::Refusal(text) | Part::Other(text) => text.len(),
        Part::Thinking(thinking) => thinking.text.len(),
        Part::Call(call) => call.name.len() + call.arguments.len(),
        _ => 0,
    });
    size_of::<Message>() + parts.map(|bytes| bytes + size_of::<Part>()).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::chat::Role;

    #[test]
    fn a_conversation_is_its_owners() {
        let (alice, bob) = (Arc::from("alice"), Arc::from("bob"));
        let all = Conversations::default();
        let (id, messages) = all.open(None, &alice).unwrap();
        assert!(messages.is_empty());
        all.add(&id, &alice, [Message::text(Role::User, "hello")]);
        assert_eq!(all.open(Some(&id), &alice).unwrap().1.len(), 1);
        assert_eq!(all.open(Some(&id), &bob).unwrap_err().kind(), Kind::NotFound);
    }

    #[test]
    fn the_oldest_goes_first() {
        let owner = Arc::from("alice");
        let all = Conversations::default();
        let ids: Vec<String> = (0..=MOST).map(|_| all.open(None, &owner).unwrap().0).collect();
        for id in &ids {
            all.add(id, &owner, []);
        }
        assert_eq!(all.len(), MOST);
        assert!(all.open(Some(&ids[0]), &owner).is_err());
        assert!(all.open(Some(&ids[1]), &owner).is_ok());
        all.add(&ids[2], &owner, [Message::text(Role::User, "x".repeat(MOST_BYTES))]);
        assert_eq!(all.len(), 0, "a conversation that alone is too large isn't kept either");
    }
}
