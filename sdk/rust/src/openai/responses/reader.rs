//! From the vendor's events to ours.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use super::super::usage::{self, Tally};
use super::event::{Event as Said, Item, Part, Response};
use crate::chat::{CallStarted, Delta, Event, Field, Started, Stop, StopReason};
use crate::http::Frame;
use crate::json::Text;
use crate::names::Names;
use crate::provider::{Error, Out};

/// What is known of an answer so far. A whole answer is a stream of its last event.
#[derive(Debug)]
pub(super) struct Reader {
    names: Names,
    started: bool,
    next_block: u32,
    /// By the places of their item and of their part in it.
    texts: BTreeMap<(u32, u32), u32>,
    refusals: BTreeMap<(u32, u32), u32>,
    /// Texts with remarks.
    remarked: BTreeSet<u32>,
    thoughts: BTreeMap<u32, Thought>,
    /// Ids of thoughts that have begun, for a caller of this dialect: items are named when they begin, not when they are sealed.
    names_of_thoughts: Option<BTreeMap<u32, String>>,
    calls: BTreeMap<u32, Call>,
    /// Items that have been said whole.
    done: BTreeSet<u32>,
    usage: Tally,
}

#[derive(Debug)]
struct Thought {
    block: u32,
    /// What its text is taken from: a vendor may tell both its reasoning and a summary of it.
    source: Source,
    /// The part that was last added to.
    part: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Summary,
    Reasoning,
}

#[derive(Debug)]
struct Call {
    block: u32,
    /// Arguments that came before the name. Absent when the call has been announced.
    early: Option<String>,
    /// Whether any of its arguments have come.
    argued: bool,
}

impl Reader {
    /// `same`: the caller speaks this dialect too.
    pub(super) fn new(names: Names, same: bool) -> Self {
        Self {
            names,
            started: false,
            next_block: 0,
            texts: BTreeMap::new(),
            refusals: BTreeMap::new(),
            remarked: BTreeSet::new(),
            thoughts: BTreeMap::new(),
            names_of_thoughts: same.then(BTreeMap::new),
            calls: BTreeMap::new(),
            done: BTreeSet::new(),
            usage: Tally::default(),
        }
    }

    /// Takes an event in.
    pub(super) fn event(&mut self, frame: &Frame, out: &mut Out) -> Result<(), Error> {
        let said: Said<'_> = frame.json()?;
        let kind = said.kind.as_ref().map(|kind| kind.0.as_ref()).or(frame.event.as_deref()).unwrap_or_default();
        let index = said.output_index.unwrap_or(0);
        let place = (index, said.content_index.unwrap_or(0));
        let delta = || said.delta.map_or(Ok(Cow::Borrowed("")), text);
        match kind {
            "response.output_text.delta" => self.text(place, &delta()?, out),
            "response.refusal.delta" => self.refusal(place, &delta()?, out),
            "response.reasoning_summary_text.delta" => {
                self.thought(index, Source::Summary, said.summary_index.unwrap_or(0), &delta()?, out);
            }
            "response.reasoning_text.delta" => self.thought(index, Source::Reasoning, place.1, &delta()?, out),
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                self.arguments(index, &delta()?, out);
            }
            "response.output_text.annotation.added" => {
                if let Some(remark) = said.annotation {
                    self.remark(place, remark, out);
                }
            }
            "response.output_item.added" => {
                if let Some(raw) = said.item {
                    self.added(index, &read(raw)?, out);
                }
            }
            "response.output_item.done" => {
                if let Some(raw) = said.item {
                    self.item(index, raw, out)?;
                }
            }
            "response.created" | "response.in_progress" | "response.queued" => {
                if let Some(raw) = said.response {
                    self.start(&read(raw)?, out);
                }
            }
            "response.completed" | "response.incomplete" | "response.failed" => {
                self.finish(read(said.response.ok_or_else(Error::unreadable)?)?, out)?;
            }
            "error" => return Err(Error::from_vendor(frame.text()?)),
            // How far the vendor's own tools are, and what is said again when it is whole.
            _ => {}
        }
        Ok(())
    }

    /// Takes a whole answer in.
    pub(super) fn whole(&mut self, frame: &Frame, out: &mut Out) -> Result<(), Error> {
        let response: Response<'_> = frame.json()?;
        if response.output.is_none() && response.error.is_none() {
            return Err(Error::upstream("the vendor's answer holds nothing"));
        }
        self.finish(response, out)
    }

    fn start(&mut self, response: &Response<'_>, out: &mut Out) {
        if !std::mem::replace(&mut self.started, true) {
            let word = |text: &Option<Text<'_>>| text.as_ref().map(|text| text.0.as_ref().to_owned());
            out.emit(Event::Started(Started { id: word(&response.id), model: word(&response.model) }));
        }
    }

    /// Ends the answer, after what was not said yet.
    fn finish(&mut self, response: Response<'_>, out: &mut Out) -> Result<(), Error> {
        let word = |text: &Option<Text<'_>>| text.as_ref().map(|text| text.0.as_ref().to_owned());
        self.start(&response, out);
        for (index, raw) in (0..).zip(response.output.iter().flatten()) {
            if !self.done.contains(&index) {
                self.item(index, raw, out)?;
            }
        }
        if let Some(counts) = &response.usage {
            self.usage.add(counts).into_iter().for_each(|usage| out.emit(Event::Usage(usage)));
            usage::unnamed(counts).into_iter().for_each(|field| out.emit(Event::Extra(field)));
        }
        let reason = match word(&response.status).as_deref() {
            // What an unfinished answer took is paid for all the same, so this comes after the usage.
            Some("failed" | "cancelled") => return Err(failure(response.error)),
            Some("in_progress" | "queued") => return Err(Error::upstream("the vendor's answer is not complete")),
            Some("incomplete") => {
                match response.incomplete.as_ref().and_then(|details| word(&details.reason)).as_deref() {
                    Some("content_filter") => StopReason::Refusal,
                    _ => StopReason::Length,
                }
            }
            _ if response.error.is_some() => return Err(failure(response.error)),
            _ if self.calls.is_empty() => StopReason::Complete,
            _ => StopReason::ToolCalls,
        };
        for (name, value) in &response.unknown {
            out.emit(Event::Extra(Field::new(name.clone(), value.get())));
        }
        out.emit(Event::Stopped(Stop { reason, sequence: None }));
        out.finish();
        Ok(())
    }

    /// An item begins. Most say nothing before their first delta.
    fn added(&mut self, index: u32, item: &Item<'_>, out: &mut Out) {
        if is_call(item) {
            self.call(index, item, out);
        } else if let (Some(names), Some(id)) = (&mut self.names_of_thoughts, &item.id) {
            names.insert(index, id.0.as_ref().to_owned());
        }
    }

    /// An item is whole: says what of it was not said yet.
    fn item(&mut self, index: u32, raw: &RawValue, out: &mut Out) -> Result<(), Error> {
        let item: Item<'_> = read(raw)?;
        self.done.insert(index);
        match item.kind.as_ref().map(|kind| kind.0.as_ref()) {
            Some("message") => self.message(index, item, out),
            Some("reasoning") => self.reasoning(index, item, out),
            _ if is_call(&item) => {
                self.call(index, &item, out);
                match self.calls.get(&index) {
                    Some(call) if call.early.is_some() => {
                        return Err(Error::upstream("the vendor sent a tool call without a name"));
                    }
                    Some(call) if !call.argued => {
                        self.arguments(index, item.arguments.as_ref().map_or("", |text| text.0.as_ref()), out);
                    }
                    _ => {}
                }
            }
            _ => {
                let block = self.fresh();
                out.emit(Event::Other(Delta { block, text: raw.get().to_owned() }));
            }
        }
        Ok(())
    }

    fn message(&mut self, index: u32, item: Item<'_>, out: &mut Out) {
        for (position, part) in (0..).zip(item.content.into_iter().flatten()) {
            let place = (index, position);
            if let Some(Text(text)) = part.text.filter(|_| !self.texts.contains_key(&place)) {
                self.text(place, &text, out);
            }
            if let Some(Text(text)) = part.refusal.filter(|_| !self.refusals.contains_key(&place)) {
                self.refusal(place, &text, out);
            }
            if !self.texts.get(&place).is_some_and(|block| self.remarked.contains(block)) {
                part.annotations.into_iter().flatten().for_each(|remark| self.remark(place, remark, out));
            }
        }
    }

    fn reasoning(&mut self, index: u32, item: Item<'_>, out: &mut Out) {
        if !self.thoughts.contains_key(&index) {
            let mut say = |source, parts: Option<Vec<Part<'_>>>| {
                for (position, part) in (0..).zip(parts.into_iter().flatten()) {
                    if let Some(Text(text)) = part.text {
                        self.thought(index, source, position, &text, out);
                    }
                }
            };
            say(Source::Summary, item.summary);
            say(Source::Reasoning, item.content);
        }
        let Some(Text(sealed)) = item.sealed.filter(|sealed| !sealed.0.is_empty()) else { return };
        let text = format!("{}:{sealed}", item.id.unwrap_or_default().0);
        match self.thoughts.get(&index) {
            Some(thought) => out.emit(Event::Signature(Delta { block: thought.block, text })),
            // Of this nothing can be read but by the model.
            None => {
                let block = self.fresh();
                out.emit(Event::Redacted(Delta { block, text }));
            }
        }
    }

    fn text(&mut self, place: (u32, u32), text: &str, out: &mut Out) {
        if !text.is_empty() {
            let block = block(&mut self.texts, place, &mut self.next_block);
            out.emit(Event::Text(Delta { block, text: text.to_owned() }));
        }
    }

    fn refusal(&mut self, place: (u32, u32), text: &str, out: &mut Out) {
        if !text.is_empty() {
            let block = block(&mut self.refusals, place, &mut self.next_block);
            out.emit(Event::Refusal(Delta { block, text: text.to_owned() }));
        }
    }

    fn remark(&mut self, place: (u32, u32), remark: &RawValue, out: &mut Out) {
        let block = block(&mut self.texts, place, &mut self.next_block);
        self.remarked.insert(block);
        out.emit(Event::Annotation(Delta { block, text: remark.get().to_owned() }));
    }

    /// Adds to a thought. Its parts are paragraphs.
    fn thought(&mut self, index: u32, source: Source, part: u32, text: &str, out: &mut Out) {
        if text.is_empty() {
            return;
        }
        let next_block = &mut self.next_block;
        let named = self.names_of_thoughts.as_mut().and_then(|names| names.remove(&index));
        let thought = self.thoughts.entry(index).or_insert_with(|| Thought { block: next(next_block), source, part });
        if let Some(id) = named {
            out.emit(Event::Signature(Delta { block: thought.block, text: format!("{id}:") }));
        }
        if thought.source == source {
            let pause = if std::mem::replace(&mut thought.part, part) == part { "" } else { "\n\n" };
            out.emit(Event::Thinking(Delta { block: thought.block, text: format!("{pause}{text}") }));
        }
    }

    /// Announces a call as soon as its name is known.
    fn call(&mut self, index: u32, item: &Item<'_>, out: &mut Out) {
        let next_block = &mut self.next_block;
        let call = self.calls.entry(index).or_insert_with(|| Call {
            block: next(next_block),
            early: Some(String::new()),
            argued: false,
        });
        let word = |text: &Option<Text<'_>>| text.as_ref().map(|text| text.0.as_ref()).unwrap_or_default().to_owned();
        let (name, mut id) = (word(&item.name), word(&item.call_id));
        if id.is_empty() {
            id = word(&item.id);
        }
        if name.is_empty() || id.is_empty() {
            return;
        }
        let Some(early) = call.early.take() else { return };
        let extra = item.unknown.iter().map(|(name, value)| Field::new(name.clone(), value.get())).collect();
        let name = self.names.whole(&name).to_owned();
        out.emit(Event::CallStarted(CallStarted { block: call.block, id, name, extra }));
        if !early.is_empty() {
            out.emit(Event::CallArguments(Delta { block: call.block, text: early }));
        }
    }

    fn arguments(&mut self, index: u32, text: &str, out: &mut Out) {
        if text.is_empty() {
            return;
        }
        let next_block = &mut self.next_block;
        let call = self.calls.entry(index).or_insert_with(|| Call {
            block: next(next_block),
            early: Some(String::new()),
            argued: false,
        });
        call.argued = true;
        match &mut call.early {
            Some(early) => early.push_str(text),
            None => out.emit(Event::CallArguments(Delta { block: call.block, text: text.to_owned() })),
        }
    }

    fn fresh(&mut self) -> u32 {
        next(&mut self.next_block)
    }
}

fn is_call(item: &Item<'_>) -> bool {
    matches!(item.kind.as_ref().map(|kind| kind.0.as_ref()), Some("function_call" | "custom_tool_call"))
}

fn block(blocks: &mut BTreeMap<(u32, u32), u32>, place: (u32, u32), next_block: &mut u32) -> u32 {
    *blocks.entry(place).or_insert_with(|| next(next_block))
}

fn next(block: &mut u32) -> u32 {
    *block += 1;
    *block - 1
}

fn read<'a, T: serde::Deserialize<'a>>(raw: &'a RawValue) -> Result<T, Error> {
    serde_json::from_str(raw.get()).map_err(|_| Error::unreadable())
}

fn text(raw: &RawValue) -> Result<Cow<'_, str>, Error> {
    read::<Text<'_>>(raw).map(|text| text.0)
}

fn failure(error: Option<&RawValue>) -> Error {
    match error {
        Some(error) => Error::from_vendor(&format!("{{\"error\":{}}}", error.get())),
        None => Error::upstream("the vendor gave up the answer"),
    }
}
