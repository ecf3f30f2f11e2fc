//! An answer put together from its events.

use std::collections::BTreeMap;

use crate::chat::{Event, Field, Stop, Usage};

/// What a caller would have at the end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The vendor's id.
    pub id: Option<String>,
    /// The model that answered.
    pub model: Option<String>,
    /// All text blocks, joined.
    pub text: String,
    /// All thinking blocks, joined.
    pub thinking: String,
    /// The last signature of a thinking block.
    pub signature: Option<String>,
    /// All refusals, joined.
    pub refusal: String,
    /// Remarks on text blocks, as JSON.
    pub annotations: Vec<String>,
    /// Parts that have no name in the chat model, as JSON.
    pub other: Vec<String>,
    /// Tool calls, in the order of their blocks.
    pub calls: Vec<Call>,
    /// The last usage.
    pub usage: Option<Usage>,
    /// Fields without a name in the chat model.
    pub extra: Vec<Field>,
    /// Why it stopped.
    pub stop: Option<Stop>,
}

/// A tool call, put together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Call {
    /// Its id.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The arguments, as the model wrote them.
    pub arguments: String,
    /// The vendor's fields.
    pub extra: Vec<Field>,
}

impl Answer {
    /// Puts events together.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut answer = Self::default();
        let mut calls: BTreeMap<u32, Call> = BTreeMap::new();
        for event in events {
            match event {
                Event::Started(started) => {
                    answer.id.clone_from(&started.id);
                    answer.model.clone_from(&started.model);
                }
                Event::Text(delta) => answer.text.push_str(&delta.text),
                Event::Thinking(delta) => answer.thinking.push_str(&delta.text),
                Event::Signature(delta) => answer.signature = Some(delta.text.clone()),
                Event::Redacted(_) => {}
                Event::Annotation(delta) => answer.annotations.push(delta.text.clone()),
                Event::Other(delta) => answer.other.push(delta.text.clone()),
                Event::CallStarted(call) => {
                    let open = Call {
                        id: call.id.clone(),
                        name: call.name.clone(),
                        arguments: String::new(),
                        extra: call.extra.clone(),
                    };
                    calls.insert(call.block, open);
                }
                Event::CallArguments(delta) => {
                    calls.entry(delta.block).or_default().arguments.push_str(&delta.text);
                }
                Event::Refusal(delta) => answer.refusal.push_str(&delta.text),
                Event::Usage(usage) => answer.usage = Some(*usage),
                Event::Extra(field) => answer.extra.push(field.clone()),
                Event::Stopped(stop) => answer.stop = Some(stop.clone()),
            }
        }
        answer.calls = calls.into_values().collect();
        answer
    }
}
