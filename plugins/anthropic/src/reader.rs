//! From the vendor's events to the chat model's.

use std::collections::BTreeMap;

use mortise_sdk::chat::{Delta, Event as Said, Field, Started, Stop, StopReason};
use mortise_sdk::http::Frame;
use mortise_sdk::names::Names;
use mortise_sdk::provider::{Error, Out};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::fields::{Event, Fields};
use crate::open::Open;
use crate::usage::Tally;

/// What is known of an answer so far.
#[derive(Debug)]
pub(crate) struct Reader {
    names: Names,
    /// Whether the caller reads the vendor's own fields, so that a refusal need not be told in words.
    same_dialect: bool,
    started: bool,
    /// The blocks that have begun and not ended, and their own numbers, by the vendor's.
    open: BTreeMap<u32, (u32, Open)>,
    /// Behind the blocks that have begun.
    next_block: u32,
    called: bool,
    usage: Tally,
    /// Fields without a name, as last said.
    fields: Vec<Field>,
    stop: Option<Stop>,
}

impl Reader {
    pub(crate) fn new(names: Names, same_dialect: bool) -> Self {
        Self {
            names,
            same_dialect,
            started: false,
            open: BTreeMap::new(),
            next_block: 0,
            called: false,
            usage: Tally::default(),
            fields: Vec::new(),
            stop: None,
        }
    }

    /// Takes an event of a stream in.
    pub(crate) fn event(&mut self, frame: &Frame, out: &mut Out) -> Result<(), Error> {
        let event: Event<'_> = frame.json()?;
        match &*event.kind.0 {
            "message_start" => {
                let mut message = Fields::read(needed(event.message)?)?;
                self.start(&mut message, out)?;
                self.end(&mut message, out)
            }
            "content_block_start" => self.begin(event.index()?, needed(event.content_block)?, out),
            "content_block_delta" => {
                let (index, delta) = (event.index()?, needed(event.delta)?);
                // Pieces of a block whose beginning was lost are those of no block.
                let (block, open) = self.open.get_mut(&index).ok_or_else(Error::unreadable)?;
                open.add(*block, delta, out)
            }
            "content_block_stop" => {
                self.close(event.index()?, out);
                Ok(())
            }
            "message_delta" => {
                if let Some(usage) = event.usage {
                    self.add_usage(usage, out)?;
                }
                let mut fields: Fields<'_> = frame.json()?;
                fields.skip(&["type", "delta", "usage"]);
                self.say_rest(&fields, out);
                self.end(&mut event.delta.map(Fields::read).transpose()?.unwrap_or_default(), out)
            }
            "message_stop" if self.is_complete() => self.finish(out),
            "message_stop" => Err(Error::upstream("the vendor ended its stream without saying why the answer ended")),
            "error" => Err(Error::from_vendor(frame.text()?)),
            // `ping`, and kinds that may be added at any time.
            _ => Ok(()),
        }
    }

    /// Takes a whole answer in.
    pub(crate) fn message(&mut self, frame: &Frame, out: &mut Out) -> Result<(), Error> {
        let mut message: Fields<'_> = frame.json()?;
        if message.text("type")?.is_some_and(|kind| kind == "error") {
            return Err(Error::from_vendor(frame.text()?));
        }
        let Some(content) = message.value::<Vec<&RawValue>>("content")? else {
            return Err(Error::upstream("the vendor's answer holds nothing"));
        };
        self.start(&mut message, out)?;
        for (index, block) in (0..).zip(content) {
            self.begin(index, block, out)?;
            self.close(index, out);
        }
        self.end(&mut message, out)?;
        self.finish(out)
    }

    /// Whether the vendor has said why the answer ended, so that it is complete.
    pub(crate) fn is_complete(&self) -> bool {
        self.stop.is_some()
    }

    /// Ends the answer.
    pub(crate) fn finish(&mut self, out: &mut Out) -> Result<(), Error> {
        for (block, open) in std::mem::take(&mut self.open).into_values() {
            open.end(block, out);
        }
        let mut stop = self.stop.take().unwrap_or(Stop { reason: StopReason::Complete, sequence: None });
        stop.reason = match stop.reason {
            // A call that was cut or refused must not be run.
            reason @ (StopReason::Length | StopReason::Refusal) => reason,
            _ if self.called => StopReason::ToolCalls,
            StopReason::ToolCalls => StopReason::Complete,
            reason => reason,
        };
        out.emit(Said::Stopped(stop));
        out.finish();
        Ok(())
    }

    /// The answer begins.
    fn start(&mut self, message: &mut Fields<'_>, out: &mut Out) -> Result<(), Error> {
        let word =
            |text: Option<std::borrow::Cow<'_, str>>| text.map(Into::into).filter(|text: &String| !text.is_empty());
        let (id, model) = (word(message.text("id")?), word(message.text("model")?));
        if !std::mem::replace(&mut self.started, true) {
            out.emit(Said::Started(Started { id, model }));
        }
        if let Some(usage) = message.take("usage") {
            self.add_usage(usage, out)?;
        }
        message.skip(&["type", "role", "content"]);
        Ok(())
    }

    /// A block keeps the vendor's number, unless that has been used up; a number that is open can't begin without ending first.
    fn begin(&mut self, index: u32, value: &RawValue, out: &mut Out) -> Result<(), Error> {
        self.close(index, out);
        let block = self.next_block.max(index);
        let open = Open::begin(block, value, &self.names, out)?;
        self.next_block = block.saturating_add(1);
        self.called |= matches!(open, Open::Call { .. });
        self.open.insert(index, (block, open));
        Ok(())
    }

    fn close(&mut self, index: u32, out: &mut Out) {
        if let Some((block, open)) = self.open.remove(&index) {
            open.end(block, out);
        }
    }

    /// Fields that tell why the answer ended, and others.
    fn end(&mut self, fields: &mut Fields<'_>, out: &mut Out) -> Result<(), Error> {
        let sequence = fields.text("stop_sequence")?.map(Into::into);
        if let Some(word) = fields.text("stop_reason")? {
            let reason = match &*word {
                "end_turn" => StopReason::Complete,
                "stop_sequence" => StopReason::StopSequence,
                "max_tokens" | "model_context_window_exceeded" => StopReason::Length,
                "tool_use" => StopReason::ToolCalls,
                "refusal" => StopReason::Refusal,
                "pause_turn" => StopReason::Pause,
                other => {
                    // The caller may know the word.
                    self.say(Field::new("stop_reason", Value::from(other).to_string()), out);
                    StopReason::Complete
                }
            };
            if reason == StopReason::Refusal && !self.same_dialect {
                self.tell_refusal(fields, out);
            }
            self.stop = Some(Stop { reason, sequence });
        }
        self.say_rest(fields, out);
        Ok(())
    }

    /// The vendor's words for a refusal, if it has any.
    fn tell_refusal(&mut self, fields: &Fields<'_>, out: &mut Out) {
        let details = fields.rest().find(|(name, _)| *name == "stop_details");
        let details = details.and_then(|(_, value)| serde_json::from_str::<Value>(value.get()).ok());
        if let Some(text) = details.as_ref().and_then(|details| details.get("explanation")?.as_str()) {
            out.emit(Said::Refusal(Delta { block: self.next_block, text: text.to_owned() }));
            self.next_block += 1;
        }
    }

    fn add_usage(&mut self, usage: &RawValue, out: &mut Out) -> Result<(), Error> {
        let (usage, unnamed) = self.usage.add(usage)?;
        if let Some(usage) = usage {
            out.emit(Said::Usage(usage));
        }
        unnamed.into_iter().for_each(|field| self.say(field, out));
        Ok(())
    }

    fn say_rest(&mut self, fields: &Fields<'_>, out: &mut Out) {
        for (name, value) in fields.rest() {
            self.say(Field::new(name, value.get()), out);
        }
    }

    /// Says a field unless it is what was last said.
    fn say(&mut self, field: Field, out: &mut Out) {
        match self.fields.iter_mut().find(|said| said.name == field.name) {
            Some(said) if said.value == field.value => return,
            Some(said) => said.value.clone_from(&field.value),
            None => self.fields.push(field.clone()),
        }
        out.emit(Said::Extra(field));
    }
}

fn needed<T>(field: Option<T>) -> Result<T, Error> {
    field.ok_or_else(Error::unreadable)
}
