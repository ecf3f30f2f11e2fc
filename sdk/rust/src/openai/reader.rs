//! From the vendor's chunks to events.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::calls::Calls;
use super::chunk::{Aside, Choice, Choices, Chunk, Content, Counts, Delta as Piece, Part, Unknown, text_of};
use super::usage::{self, Tally};
use crate::chat::{Delta, Event, Field, Started, Stop, StopReason};
use crate::http::Frame;
use crate::json::Text;
use crate::names::Names;
use crate::provider::{Error, ErrorKind, Out};

/// What is known of an answer so far. A whole answer is a stream of one chunk.
#[derive(Debug)]
pub(super) struct Reader {
    names: Names,
    /// The answer's id, once it has begun.
    started: Option<String>,
    /// Fields that came before the answer had an id.
    early: Vec<Field>,
    /// The answer's own fields, as last said.
    said: Vec<Field>,
    /// The number of the only choice that is read.
    choice: Option<u32>,
    next_block: u32,
    text: Option<u32>,
    thinking: Option<u32>,
    refusal: Option<u32>,
    calls: Calls,
    usage: Tally,
    finish: Option<StopReason>,
    /// Whether the last chunk told the usage alone, which is what comes last.
    told: bool,
}

impl Reader {
    pub(super) fn new(names: Names) -> Self {
        Self {
            names,
            started: None,
            early: Vec::new(),
            said: Vec::new(),
            choice: None,
            next_block: 0,
            text: None,
            thinking: None,
            refusal: None,
            calls: Calls::default(),
            usage: Tally::default(),
            finish: None,
            told: false,
        }
    }

    /// Takes a chunk in.
    pub(super) fn chunk(&mut self, frame: &Frame, out: &mut Out) -> Result<(), Error> {
        let mut chunk: Chunk<'_> = frame.json()?;
        if let Some(error) = chunk.error {
            return Err(Error::from_vendor(&format!("{{\"error\":{}}}", error.get())));
        }
        self.start(&mut chunk, out);
        self.answer_fields(&chunk.unknown, out);
        let alone = chunk.choices.as_ref().is_some_and(|choices| choices.first.is_none());
        self.told = alone && chunk.usage.is_some();
        match &mut chunk.choices {
            Some(Choices { first: Some(choice), more: false }) => self.choice(choice, out)?,
            Some(Choices { more: true, .. }) => return Err(several()),
            _ => {}
        }
        match (&chunk.usage, chunk.groq) {
            (Some(counts), _) => self.counts(counts, out),
            (None, Some(aside)) => self.aside(aside, out)?,
            (None, None) => {}
        }
        Ok(())
    }

    fn counts(&mut self, counts: &Counts<'_>, out: &mut Out) {
        if let Some(usage) = self.usage.add(counts) {
            out.emit(Event::Usage(usage));
        }
        for field in usage::unnamed(counts) {
            self.say_once(field, out);
        }
    }

    /// Groq tells usage, and why it broke off, in a place of its own.
    fn aside(&mut self, aside: &RawValue, out: &mut Out) -> Result<(), Error> {
        let read: Aside<'_> = serde_json::from_str(aside.get()).map_err(|_| Error::unreadable())?;
        match (read.error, read.usage) {
            (Some(Text(message)), _) => Err(Error::upstream(message)),
            (None, Some(counts)) => {
                self.counts(&counts, out);
                Ok(())
            }
            (None, None) => {
                self.say_once(Field::new("x_groq", aside.get()), out);
                Ok(())
            }
        }
    }

    /// Whether there is any answer yet.
    pub(super) fn has_begun(&self) -> bool {
        self.choice.is_some()
    }

    /// Whether the vendor has said why the answer ended, so that it is complete.
    pub(super) fn is_complete(&self) -> bool {
        self.finish.is_some()
    }

    /// Whether nothing is missing but the farewell.
    pub(super) fn is_over(&self) -> bool {
        self.is_complete() && self.told
    }

    /// Takes the answer as complete although the vendor gave no reason.
    pub(super) fn assume_complete(&mut self) {
        self.finish.get_or_insert(StopReason::Complete);
    }

    /// Ends the answer.
    pub(super) fn finish(&mut self, out: &mut Out) -> Result<(), Error> {
        self.calls.check()?;
        let reason = match self.finish.unwrap_or(StopReason::Complete) {
            // A call that was cut or filtered must not be run.
            reason @ (StopReason::Length | StopReason::Refusal) => reason,
            _ if self.calls.any() => StopReason::ToolCalls,
            StopReason::ToolCalls => StopReason::Complete,
            reason => reason,
        };
        out.emit(Event::Stopped(Stop { reason, sequence: None }));
        out.finish();
        Ok(())
    }

    /// The answer begins with the first chunk that has an id or holds anything. (One vendor sends a chunk about the prompt
    /// before it.)
    fn start(&mut self, chunk: &mut Chunk<'_>, out: &mut Out) {
        if self.started.is_some() {
            return;
        }
        let word =
            |text: &mut Option<Text<'_>>| text.take().map(|text| text.0.into_owned()).filter(|text| !text.is_empty());
        let (id, model) = (word(&mut chunk.id), word(&mut chunk.model));
        if id.is_some() || chunk.choices.as_ref().is_some_and(|choices| choices.first.is_some()) {
            self.started = Some(id.clone().unwrap_or_default());
            out.emit(Event::Started(Started { id, model }));
            self.early.drain(..).for_each(|field| out.emit(Event::Extra(field)));
        }
    }

    fn choice(&mut self, choice: &mut Choice<'_>, out: &mut Out) -> Result<(), Error> {
        let index = choice.index.unwrap_or(0);
        if *self.choice.get_or_insert(index) != index {
            return Err(several());
        }
        if let Some(delta) = choice.delta.take() {
            self.delta(delta, out)?;
        }
        emit_fields("", &choice.unknown, out);
        if let Some(Text(word)) = choice.finish_reason.as_ref().filter(|word| !word.0.is_empty()) {
            self.finish = Some(self.stop_reason(word, out)?);
        }
        Ok(())
    }

    fn delta(&mut self, delta: Piece<'_>, out: &mut Out) -> Result<(), Error> {
        let (thought, other) = match (delta.reasoning_content, delta.reasoning) {
            // Vendors that are renaming the field send both.
            (Some(Text(text)), _) if !text.is_empty() => (Some(text), None),
            (_, Some(value)) if value.get().starts_with('"') => (text_of(value), None),
            (_, other) => (None, other),
        };
        self.thought(thought, out);
        match delta.content {
            Some(Content::Parts(parts)) => parts.into_iter().try_for_each(|part| self.part(part, out))?,
            Some(Content::Text(text)) => self.said(Some(text), out),
            None => {}
        }
        for remark in delta.annotations.iter().flatten() {
            let block = *self.text.get_or_insert_with(|| fresh(&mut self.next_block));
            out.emit(Event::Annotation(Delta { block, text: remark.get().to_owned() }));
        }
        if let Some(delta) = piece(&mut self.refusal, &mut self.next_block, delta.refusal.map(|text| text.0)) {
            out.emit(Event::Refusal(delta));
        }
        let answer = self.started.as_deref().unwrap_or_default();
        self.calls.begin_chunk();
        for call in delta.tool_calls.iter().flatten() {
            self.calls.add(call, &self.names, answer, &mut self.next_block, out)?;
            emit_fields("tool_calls.function.", call.function.as_ref().map_or(&Vec::new(), |f| &f.unknown), out);
        }
        emit_fields("", &delta.unknown, out);
        if let Some(value) = other {
            out.emit(Event::Extra(Field::new("reasoning", value.get())));
        }
        Ok(())
    }

    fn thought(&mut self, text: Option<Cow<'_, str>>, out: &mut Out) {
        if let Some(delta) = piece(&mut self.thinking, &mut self.next_block, text) {
            out.emit(Event::Thinking(delta));
        }
    }

    fn said(&mut self, text: Option<Cow<'_, str>>, out: &mut Out) {
        if let Some(delta) = piece(&mut self.text, &mut self.next_block, text) {
            out.emit(Event::Text(delta));
        }
    }

    /// A part of content: a text, a thought, or something that has no name here.
    fn part(&mut self, raw: &RawValue, out: &mut Out) -> Result<(), Error> {
        let part: Part<'_> = serde_json::from_str(raw.get()).map_err(|_| Error::unreadable())?;
        match part.kind.as_ref().map(|kind| kind.0.as_ref()) {
            Some("text") => self.said(part.text.map(|text| text.0), out),
            Some("thinking") => {
                let texts = part.thinking.into_iter().flatten().filter_map(|thought| thought.text);
                texts.for_each(|Text(text)| self.thought(Some(text), out));
            }
            _ => {
                let block = fresh(&mut self.next_block);
                out.emit(Event::Other(Delta { block, text: raw.get().to_owned() }));
            }
        }
        Ok(())
    }

    fn stop_reason(&mut self, word: &str, out: &mut Out) -> Result<StopReason, Error> {
        Ok(match word {
            "stop" => StopReason::Complete,
            "length" | "model_length" | "max_tokens" => StopReason::Length,
            "tool_calls" => StopReason::ToolCalls,
            "content_filter" => StopReason::Refusal,
            "error" => return Err(Error::upstream("the vendor ended the answer with an error")),
            "insufficient_system_resource" => {
                return Err(Error::new(ErrorKind::Overloaded, "the vendor ran out of resources within the answer"));
            }
            other => {
                // The caller may know the word.
                out.emit(Event::Extra(Field::new("finish_reason", serde_json::Value::from(other).to_string())));
                StopReason::Complete
            }
        })
    }

    fn answer_fields(&mut self, unknown: &Unknown<'_>, out: &mut Out) {
        for (name, value) in unknown {
            if !self.said.iter().any(|field| field.name == *name && field.value == value.get()) {
                self.say_once(Field::new(name.clone(), value.get()), out);
            }
        }
    }

    /// Says a field of the answer unless it is what was last said.
    fn say_once(&mut self, field: Field, out: &mut Out) {
        match self.said.iter_mut().find(|said| said.name == field.name) {
            Some(said) if said.value == field.value => return,
            Some(said) => said.value.clone_from(&field.value),
            None => self.said.push(field.clone()),
        }
        match self.started {
            Some(_) => out.emit(Event::Extra(field)),
            None => self.early.push(field),
        }
    }
}

/// The text of a delta and the block that it belongs to, which begins with its first text.
fn piece(block: &mut Option<u32>, next_block: &mut u32, text: Option<Cow<'_, str>>) -> Option<Delta> {
    let text = text.filter(|text| !text.is_empty())?.into_owned();
    let block = *block.get_or_insert_with(|| fresh(next_block));
    Some(Delta { block, text })
}

fn fresh(next_block: &mut u32) -> u32 {
    *next_block += 1;
    *next_block - 1
}

fn several() -> Error {
    Error::upstream("the vendor sent several answers where one was asked for")
}

fn emit_fields(place: &str, unknown: &Unknown<'_>, out: &mut Out) {
    for (name, value) in unknown {
        out.emit(Event::Extra(Field::new(format!("{place}{name}"), value.get())));
    }
}
