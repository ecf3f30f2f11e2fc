//! What the contract says about the order of outputs.

use std::collections::BTreeMap;

use crate::chat::Event;
use crate::provider::{Action, Output};

/// Holds a provider's actions against the contract.
#[derive(Debug, Default)]
pub struct Grammar {
    blocks: BTreeMap<u32, Kind>,
    started: bool,
    stopped: bool,
    chatted: bool,
    over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
    Redacted,
    Call,
    Refusal,
    Other,
}

impl Grammar {
    /// Takes one action in; tells the rule that it breaks.
    pub fn action(&mut self, action: &Action) -> Result<(), String> {
        if self.over {
            return Err(format!("nothing follows `fail` and `finish`, but {action:?} did"));
        }
        match action {
            Action::Send(request) if !request.path.starts_with('/') => {
                return Err(format!("a path begins with `/`, but {:?} doesn't", request.path));
            }
            Action::Send(_) | Action::Wait(_) => {}
            Action::Emit(outputs) if outputs.is_empty() => return Err("an emission holds something".into()),
            Action::Emit(outputs) => outputs.iter().try_for_each(|output| self.output(output))?,
            Action::Fail(error) if error.message.is_empty() => return Err("an error has a message".into()),
            Action::Fail(_) => self.over = true,
            Action::Finish if self.chatted && !self.stopped => return Err("a chat finishes after `stopped`".into()),
            Action::Finish => self.over = true,
        }
        Ok(())
    }

    fn output(&mut self, output: &Output) -> Result<(), String> {
        let Output::Chat(event) = output else { return Ok(()) };
        self.chatted = true;
        if self.stopped && !matches!(event, Event::Usage(_) | Event::Extra(_)) {
            return Err(format!("nothing but usages and fields follows `stopped`, but {event:?} did"));
        }
        match event {
            Event::Started(_) if std::mem::replace(&mut self.started, true) => Err("an answer starts once".into()),
            Event::Text(delta) => self.block(delta.block, Kind::Text),
            Event::Thinking(delta) | Event::Signature(delta) => self.block(delta.block, Kind::Thinking),
            Event::Redacted(delta) => self.block(delta.block, Kind::Redacted),
            Event::Refusal(delta) => self.block(delta.block, Kind::Refusal),
            Event::Annotation(delta) => {
                self.block(delta.block, Kind::Text)?;
                json(&delta.text).map_err(|()| format!("the annotation on block {} is no JSON", delta.block))
            }
            Event::Other(delta) => {
                json(&delta.text).map_err(|()| format!("the block {} is no JSON", delta.block))?;
                match self.blocks.insert(delta.block, Kind::Other) {
                    None => Ok(()),
                    Some(_) => Err(format!("the block {} began twice", delta.block)),
                }
            }
            Event::CallStarted(call) if call.id.is_empty() || call.name.is_empty() => {
                Err("a call has an id and a name".into())
            }
            Event::CallStarted(call) => match self.blocks.insert(call.block, Kind::Call) {
                None => Ok(()),
                Some(_) => Err(format!("the block {} began twice", call.block)),
            },
            Event::CallArguments(delta) if !self.blocks.contains_key(&delta.block) => {
                Err(format!("arguments came before their call, in block {}", delta.block))
            }
            Event::CallArguments(delta) => self.block(delta.block, Kind::Call),
            Event::Extra(field) => json(&field.value).map_err(|()| format!("the field `{}` holds no JSON", field.name)),
            Event::Stopped(_) => {
                self.stopped = true;
                Ok(())
            }
            Event::Started(_) | Event::Usage(_) => Ok(()),
        }
    }

    fn block(&mut self, block: u32, kind: Kind) -> Result<(), String> {
        let known = *self.blocks.entry(block).or_insert(kind);
        if known == kind { Ok(()) } else { Err(format!("the block {block} is {known:?}, then {kind:?}")) }
    }
}

fn json(text: &str) -> Result<(), ()> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).map(drop).map_err(drop)
}
