//! From the API's lines to events.

use std::borrow::Cow;
use std::collections::BTreeSet;

use mortise_sdk::chat::{CallStarted, Delta, Event, Field, Part, Request, Started, Stop, StopReason, Usage};
use mortise_sdk::fields::Fields;
use mortise_sdk::http::Frame;
use mortise_sdk::provider::{Error, Out};

use crate::chunk::{self, Call};
use crate::failure;

/// What is known of an answer so far. A whole answer is a stream of one line.
#[derive(Debug)]
pub(crate) struct Reader {
    /// The ids of the conversation.
    used: BTreeSet<String>,
    /// How long the conversation is, out of which ids are made.
    turn: usize,
    made: usize,
    started: bool,
    next_block: u32,
    open: Option<(Kind, u32)>,
    called: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Thought,
}

impl Reader {
    pub(crate) fn new(request: &Request) -> Self {
        let parts = request.messages.iter().flat_map(|message| &message.parts);
        let used = parts.filter_map(|part| if let Part::Call(call) = part { Some(call.id.clone()) } else { None });
        Self {
            used: used.collect(),
            turn: request.messages.len(),
            made: 0,
            started: false,
            next_block: 0,
            open: None,
            called: false,
        }
    }

    /// Takes a line in. The last one says that it is, and ends the answer.
    pub(crate) fn line(&mut self, frame: &Frame, out: &mut Out) -> Result<(), Error> {
        let mut line: Fields<'_> = frame.json()?;
        if line.rest().any(|(name, _)| name == "error") {
            return Err(failure::from_line(frame.text()?));
        }
        let done = line.take::<bool>("done")?.ok_or_else(Error::unreadable)?;
        let model = line.take_text("model")?;
        if !self.started {
            self.started = true;
            out.emit(Event::Started(Started { id: None, model: model.map(Cow::into_owned) }));
        }
        let message = chunk::message(&mut line)?;
        self.say(Kind::Thought, message.thinking, out);
        self.say(Kind::Text, message.content, out);
        for call in message.calls {
            self.call(call, out);
        }
        if done { self.done(line, out) } else { Ok(()) }
    }

    fn done(&mut self, mut line: Fields<'_>, out: &mut Out) -> Result<(), Error> {
        let word = line.take_text("done_reason")?;
        let input = line.take::<u64>("prompt_eval_count")?;
        let output = line.take::<u64>("eval_count")?;
        // What nobody counted is not made up.
        if input.is_some() || output.is_some() {
            let (input, output) = (input.unwrap_or(0), output.unwrap_or(0));
            out.emit(Event::Usage(Usage { input, output, ..Usage::default() }));
        }
        line.skip(&["created_at"]);
        for (name, value) in line.rest() {
            out.emit(Event::Extra(Field::new(name, value)));
        }
        let reason = match word.as_deref().unwrap_or_default() {
            "length" => StopReason::Length,
            "load" | "unload" => {
                return Err(Error::upstream("Ollama only loaded or unloaded the model, and answered nothing"));
            }
            // It stops for a call as it stops for anything.
            _ if self.called => StopReason::ToolCalls,
            "" | "stop" => StopReason::Complete,
            other => {
                // The caller may know the word.
                out.emit(Event::Extra(Field::new("done_reason", serde_json::Value::from(other).to_string())));
                StopReason::Complete
            }
        };
        out.emit(Event::Stopped(Stop { reason, sequence: None }));
        out.finish();
        Ok(())
    }

    fn say(&mut self, kind: Kind, text: Cow<'_, str>, out: &mut Out) {
        if text.is_empty() {
            return;
        }
        let block = match self.open {
            Some((open, block)) if open == kind => block,
            _ => self.block(),
        };
        self.open = Some((kind, block));
        let delta = Delta { block, text: text.into_owned() };
        out.emit(if kind == Kind::Thought { Event::Thinking(delta) } else { Event::Text(delta) });
    }

    fn call(&mut self, call: Call<'_>, out: &mut Out) {
        let (block, id) = (self.block(), self.id(&call.id));
        let name = call.name.into_owned();
        out.emit(Event::CallStarted(CallStarted { block, id, name, extra: Vec::new() }));
        out.emit(Event::CallArguments(Delta { block, text: call.arguments.to_owned() }));
        self.called = true;
    }

    /// The vendor's id, if it gave one, else one that nothing in the conversation has.
    fn id(&mut self, own: &str) -> String {
        if !own.is_empty() && self.used.insert(own.to_owned()) {
            return own.to_owned();
        }
        loop {
            let id = format!("call_{}_{}", self.turn, self.made);
            self.made += 1;
            if self.used.insert(id.clone()) {
                return id;
            }
        }
    }

    /// A new block; nothing goes on.
    fn block(&mut self) -> u32 {
        self.open = None;
        self.next_block += 1;
        self.next_block - 1
    }
}
