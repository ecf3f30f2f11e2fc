//! An answer put together from its events.

use std::collections::BTreeMap;

use super::served::Served;
use crate::model::chat::{Event, Field, Json, Message, Part, Role, Stop, Thinking, ToolCall, Usage};

/// A whole answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The vendor's id.
    pub id: Option<String>,
    /// The model that answered, as the vendor names it.
    pub model: Option<String>,
    /// What was said, block by block.
    pub parts: Vec<Part>,
    /// Remarks on text blocks, by the block's place among `parts`, as JSON in the provider's first dialect.
    pub annotations: Vec<(u32, Json)>,
    /// Why it ended; absent while it hasn't.
    pub stop: Option<Stop>,
    /// Tokens, if the vendor told.
    pub usage: Option<Usage>,
    /// Fields without a name here.
    pub extra: Vec<Field>,
    /// Who gave it.
    pub served: Served,
}

/// Puts an answer together.
#[derive(Clone, Debug, Default)]
pub struct Assembly {
    answer: Answer,
    /// By the block's number; blocks may interleave.
    blocks: BTreeMap<u32, Part>,
}

/// What a model said in `parts`, or its words for not saying it.
pub fn spoken(parts: &[Part]) -> String {
    let (mut said, mut refused) = (String::new(), String::new());
    for part in parts {
        match part {
            Part::Text(text) => said.push_str(text),
            Part::Refusal(words) => refused.push_str(words),
            _ => {}
        }
    }
    if said.is_empty() { refused } else { said }
}

// === impl Answer ===

impl Answer {
    /// The text blocks, joined.
    pub fn text(&self) -> String {
        self.parts
            .iter()
            .filter_map(|part| if let Part::Text(text) = part { Some(text.as_str()) } else { None })
            .collect()
    }

    /// As a message of the conversation to come.
    pub fn into_message(self) -> Message {
        Message { role: Role::Assistant, name: None, parts: self.parts, extra: Vec::new() }
    }
}

// === impl Assembly ===

impl Assembly {
    /// Adds one event.
    pub fn add(&mut self, event: Event) {
        match event {
            Event::Started { id, model } => {
                self.answer.id = id.or(self.answer.id.take());
                self.answer.model = model.or(self.answer.model.take());
            }
            Event::Text { block, text } => {
                match self.blocks.entry(block).or_insert_with(|| Part::Text(String::new())) {
                    Part::Text(whole) => whole.push_str(&text),
                    _ => self.misplaced(Part::Text(text)),
                }
            }
            Event::Thinking { block, text } => match self.thinking(block) {
                Some(thinking) => thinking.text.push_str(&text),
                None => self.misplaced(Part::Thinking(Thinking { text, signature: None, redacted: false })),
            },
            Event::Signature { block, text } => {
                if let Some(thinking) = self.thinking(block) {
                    thinking.signature = Some(text);
                }
            }
            Event::Redacted { block, text } => {
                self.open(block, Part::Thinking(Thinking { text, signature: None, redacted: true }));
            }
            Event::CallStarted { block, id, name, extra } => {
                self.open(block, Part::Call(ToolCall { id, name, arguments: String::new(), extra }));
            }
            Event::CallArguments { block, text } => {
                if let Some(Part::Call(call)) = self.blocks.get_mut(&block) {
                    call.arguments.push_str(&text);
                }
            }
            Event::Refusal { block, text } => {
                match self.blocks.entry(block).or_insert_with(|| Part::Refusal(String::new())) {
                    Part::Refusal(whole) => whole.push_str(&text),
                    _ => self.misplaced(Part::Refusal(text)),
                }
            }
            Event::Annotation { block, text } => self.answer.annotations.push((block, text)),
            Event::Other { block, text } => self.open(block, Part::Other(text)),
            Event::Usage(usage) => self.answer.usage = Some(usage),
            Event::Extra(field) => self.answer.extra.push(field),
            Event::Stopped(stop) => self.answer.stop = Some(stop),
        }
    }

    /// What has come so far.
    pub fn finish(mut self) -> Answer {
        let blocks = std::mem::take(&mut self.blocks);
        let whole = blocks.into_iter().filter(|(_, part)| !matches!(part, Part::Text(text) if text.is_empty()));
        let (numbers, mut parts): (Vec<u32>, Vec<Part>) = whole.unzip();
        self.answer.annotations.retain_mut(|(block, _)| {
            let place = numbers.iter().position(|number| number == block);
            *block = place.and_then(|place| u32::try_from(place).ok()).unwrap_or(u32::MAX);
            place.is_some()
        });
        parts.append(&mut self.answer.parts);
        self.answer.parts = parts;
        self.answer
    }

    fn thinking(&mut self, block: u32) -> Option<&mut Thinking> {
        let part = self
            .blocks
            .entry(block)
            .or_insert_with(|| Part::Thinking(Thinking { text: String::new(), signature: None, redacted: false }));
        if let Part::Thinking(thinking) = part { Some(thinking) } else { None }
    }

    /// Begins a block that comes with a beginning of its own; what stood there is kept.
    fn open(&mut self, block: u32, part: Part) {
        if let Some(before) = self.blocks.insert(block, part) {
            self.misplaced(before);
        }
    }

    /// A block that changes its kind breaks the contract; what it says is kept all the same.
    fn misplaced(&mut self, part: Part) {
        self.answer.parts.push(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_may_interleave() {
        let mut assembly = Assembly::default();
        for event in [
            Event::Started { id: Some("x".into()), model: None },
            Event::Text { block: 0, text: "a".into() },
            Event::CallStarted { block: 1, id: "c1".into(), name: "f".into(), extra: Vec::new() },
            Event::CallStarted { block: 2, id: "c2".into(), name: "g".into(), extra: Vec::new() },
            Event::CallArguments { block: 2, text: "{}".into() },
            Event::CallArguments { block: 1, text: "{\"x\":".into() },
            Event::Text { block: 0, text: "b".into() },
            Event::CallArguments { block: 1, text: "1}".into() },
        ] {
            assembly.add(event);
        }
        let answer = assembly.finish();
        assert_eq!(answer.text(), "ab");
        let calls: Vec<_> = answer
            .parts
            .iter()
            .filter_map(|part| if let Part::Call(call) = part { Some((&*call.id, &*call.arguments)) } else { None })
            .collect();
        assert_eq!(calls, [("c1", "{\"x\":1}"), ("c2", "{}")]);
    }
}
