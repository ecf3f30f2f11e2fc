//! Speaking a script, piece by piece.

use std::collections::VecDeque;

use mortise_sdk::chat::{CallStarted, Delta, Event, Started, Stop, Usage};
use mortise_sdk::provider::{Error, Exchange, Out};

use crate::script::{Script, Step};
use crate::vectors::fnv1a;

/// How many steps are taken before the host has its turn: a long answer then needs no more memory than a short one.
const TURN: usize = 256;
/// How many characters of a call's arguments come at once.
const PIECE: usize = 8;

/// An answer under way.
pub(crate) struct Speech {
    model: String,
    steps: VecDeque<Step>,
    stop: Stop,
    usage: Usage,
    /// Milliseconds before each word.
    pause: u32,
    /// Whether the pause before the next word is over.
    rested: bool,
    started: bool,
    next_block: u32,
    /// The open block and what is in it.
    open: Option<(Kind, u32)>,
    thoughts: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
    Refusal,
}

impl Speech {
    pub(crate) fn new(model: &str, input: u64, script: Script) -> Self {
        Self {
            model: model.to_owned(),
            steps: script.steps.into(),
            stop: script.stop,
            usage: Usage { input, ..Usage::default() },
            pause: 0,
            rested: false,
            started: false,
            next_block: 0,
            open: None,
            thoughts: String::new(),
        }
    }

    fn speak(&mut self, out: &mut Out) -> Result<(), Error> {
        for _ in 0..TURN {
            let Some(step) = self.steps.front() else {
                self.end(out);
                return Ok(());
            };
            if step.is_word() && self.pause > 0 && !self.rested {
                out.wait(self.pause);
                return Ok(());
            }
            let Some(step) = self.steps.pop_front() else { return Ok(()) };
            self.rested = false;
            self.step(step, out)?;
        }
        out.wait(0);
        Ok(())
    }

    fn step(&mut self, step: Step, out: &mut Out) -> Result<(), Error> {
        let tokens = step.tokens();
        self.usage.output += tokens;
        match step {
            Step::Wait(milliseconds) => self.pause = milliseconds,
            Step::Fail(error) => return Err(error),
            Step::Say(text) => {
                let block = self.block(Kind::Text, out);
                out.emit(Event::Text(Delta { block, text }));
            }
            Step::Refuse(text) => {
                let block = self.block(Kind::Refusal, out);
                out.emit(Event::Refusal(Delta { block, text }));
            }
            Step::Think(text) => {
                self.usage.reasoning += tokens;
                self.thoughts.push_str(&text);
                let block = self.block(Kind::Thinking, out);
                out.emit(Event::Thinking(Delta { block, text }));
            }
            Step::Call { id, name, arguments } => self.call(id, name, &arguments, out),
        }
        Ok(())
    }

    fn call(&mut self, id: String, name: String, arguments: &str, out: &mut Out) {
        self.close(out);
        self.start(out);
        let block = self.next_block;
        self.next_block += 1;
        out.emit(Event::CallStarted(CallStarted { block, id, name, extra: Vec::new() }));
        let mut characters = arguments.chars().peekable();
        while characters.peek().is_some() {
            let text: String = characters.by_ref().take(PIECE).collect();
            out.emit(Event::CallArguments(Delta { block, text }));
        }
    }

    /// The block of this kind: the open one, or a new one.
    fn block(&mut self, kind: Kind, out: &mut Out) -> u32 {
        self.start(out);
        match self.open {
            Some((open, block)) if open == kind => block,
            _ => {
                self.close(out);
                let block = self.next_block;
                self.next_block += 1;
                self.open = Some((kind, block));
                block
            }
        }
    }

    /// A thinking block is signed when it is whole.
    fn close(&mut self, out: &mut Out) {
        if let Some((Kind::Thinking, block)) = self.open.take() {
            let text = format!("echo-{:016x}", fnv1a(&std::mem::take(&mut self.thoughts)));
            out.emit(Event::Signature(Delta { block, text }));
        }
    }

    /// Not before there is something to say: an answer that fails at once never began.
    fn start(&mut self, out: &mut Out) {
        if !self.started {
            self.started = true;
            out.emit(Event::Started(Started { id: None, model: Some(self.model.clone()) }));
            out.emit(Event::Usage(Usage { input: self.usage.input, ..Usage::default() }));
        }
    }

    fn end(&mut self, out: &mut Out) {
        self.close(out);
        self.start(out);
        out.emit(Event::Usage(self.usage));
        out.emit(Event::Stopped(self.stop.clone()));
        out.finish();
    }
}

impl Exchange for Speech {
    fn begin(&mut self, out: &mut Out) -> Result<(), Error> {
        self.speak(out)
    }

    fn woken(&mut self, out: &mut Out) -> Result<(), Error> {
        self.rested = true;
        self.speak(out)
    }
}
