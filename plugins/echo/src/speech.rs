//! Speaking a script, piece by piece.

use std::collections::VecDeque;

use mortise_sdk::chat::{CallStarted, Delta, Event, Started, Stop, Usage};
use mortise_sdk::provider::{Error, Exchange, Out};

use crate::script::{Kind, Script, Step};
use crate::vectors::fnv1a;
use crate::words;

/// How many steps are taken before the host has its turn: a long answer then needs no more memory than a short one, and others
/// don't wait for it.
const TURN: usize = 64;
/// How many characters of a call's arguments come at once.
const PIECE: usize = 8;

/// An answer under way.
pub(crate) struct Speech {
    model: String,
    steps: VecDeque<Step>,
    /// Bytes of the first step's text that were spoken.
    spoken: usize,
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

impl Speech {
    pub(crate) fn new(model: &str, input: u64, script: Script) -> Self {
        Self {
            model: model.to_owned(),
            steps: script.steps.into(),
            spoken: 0,
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
            if matches!(step, Step::Words(..)) && self.pause > 0 && !self.rested {
                out.wait(self.pause);
                return Ok(());
            }
            let Some(step) = self.next() else { return Ok(()) };
            self.rested = false;
            self.step(step, out)?;
        }
        out.wait(0);
        Ok(())
    }

    /// What comes next: of words only one, because cutting a long text takes its time.
    fn next(&mut self) -> Option<Step> {
        let Some(Step::Words(kind, text)) = self.steps.front() else { return self.steps.pop_front() };
        let (_, rest) = text.split_at(self.spoken);
        let word = words::first(rest, 1);
        let next = Step::Words(*kind, word.to_owned());
        if word.len() < rest.len() {
            self.spoken += word.len();
        } else {
            self.spoken = 0;
            self.steps.pop_front();
        }
        Some(next)
    }

    fn step(&mut self, step: Step, out: &mut Out) -> Result<(), Error> {
        let tokens = step.tokens();
        self.usage.output += tokens;
        match step {
            Step::Wait(milliseconds) => self.pause = milliseconds,
            Step::Fail(error) => return Err(error),
            Step::Words(kind, text) => {
                let block = self.block(kind, out);
                if kind == Kind::Thinking {
                    self.usage.reasoning += tokens;
                    self.thoughts.push_str(&text);
                }
                let words = Delta { block, text };
                out.emit(match kind {
                    Kind::Text => Event::Text(words),
                    Kind::Thinking => Event::Thinking(words),
                    Kind::Refusal => Event::Refusal(words),
                });
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
