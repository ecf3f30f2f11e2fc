//! Playing the host for one operation.

use serde_json::Value;

use super::{Answer, Cutter, Grammar};
use crate::chat::Event;
use crate::http::{Framing, Head, Header, Request};
use crate::provider::{Action, Driver, Error, Input, Operation, Output, Provider};

/// One operation, from its beginning.
pub struct Run {
    driver: Driver,
    grammar: Grammar,
    sent: Vec<Request>,
    outputs: Vec<Output>,
    waiting: Option<u32>,
    error: Option<Error>,
    finished: bool,
    cutter: Cutter,
}

impl Run {
    /// Prepares an operation and begins it.
    pub fn new<P: Provider>(operation: Operation, settings: &str) -> Self {
        let mut run = Self {
            driver: Driver::new::<P>(operation, settings),
            grammar: Grammar::default(),
            sent: Vec::new(),
            outputs: Vec::new(),
            waiting: None,
            error: None,
            finished: false,
            cutter: Cutter::new(Framing::Whole),
        };
        run.input(Input::Begin);
        run
    }

    /// The whole of a response: status, body, end.
    pub fn respond(&mut self, status: u16, body: &[u8]) -> &mut Self {
        self.head(status, &[]);
        self.body(body);
        self.end()
    }

    /// A response begins.
    pub fn head(&mut self, status: u16, headers: &[(&str, &str)]) -> &mut Self {
        let framing = match self.sent.last() {
            Some(request) if (200..300).contains(&status) => request.framing,
            Some(_) => Framing::Whole,
            None => panic!("a response to nothing: the provider has sent no request"),
        };
        self.cutter = Cutter::new(framing);
        let headers = headers.iter().map(|(name, value)| Header::new(*name, *value)).collect();
        self.input(Input::Head(Head { status, headers }));
        self
    }

    /// Bytes of its body, all at once.
    pub fn body(&mut self, bytes: &[u8]) -> &mut Self {
        let frames = self.cutter.feed(bytes);
        if !frames.is_empty() {
            self.input(Input::Frames(frames));
        }
        self
    }

    /// Bytes of its body, cut at these places. They may be anywhere, also within a character.
    pub fn pieces(&mut self, bytes: &[u8], cuts: &[usize]) -> &mut Self {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| *cut.min(&bytes.len())).collect();
        cuts.push(bytes.len());
        cuts.sort_unstable();
        let mut from = 0;
        for to in cuts {
            self.body(bytes.get(from..to).unwrap_or_default());
            from = to;
        }
        self
    }

    /// The body is over.
    pub fn end(&mut self) -> &mut Self {
        let frames = self.cutter.end();
        if !frames.is_empty() {
            self.input(Input::Frames(frames));
        }
        self.input(Input::End);
        self
    }

    /// The body broke off.
    pub fn broken(&mut self, reason: &str) -> &mut Self {
        self.input(Input::Broken(reason.to_owned()));
        self
    }

    /// Lets the time pass that the provider asked for. Returns how much.
    pub fn wake(&mut self) -> u32 {
        let Some(waited) = self.waiting.take() else { panic!("the provider is not waiting") };
        self.input(Input::Woken);
        waited
    }

    /// Lets time pass for as long as the provider asks for it. Returns how often and how long in all.
    pub fn wake_all(&mut self) -> (u32, u64) {
        let (mut times, mut waited) = (0, 0);
        while self.waiting.is_some() {
            times += 1;
            waited += u64::from(self.wake());
        }
        (times, waited)
    }

    /// The last request that was sent.
    pub fn sent(&self) -> &Request {
        match self.sent.last() {
            Some(request) => request,
            None => panic!("the provider has sent no request; its error is {:?}", self.error),
        }
    }

    /// The body of the last request.
    pub fn sent_json(&self) -> Value {
        match serde_json::from_slice(&self.sent().body) {
            Ok(value) => value,
            Err(error) => panic!("the body is no JSON ({error}): {}", String::from_utf8_lossy(&self.sent().body)),
        }
    }

    /// How many requests were sent.
    pub fn requests(&self) -> usize {
        self.sent.len()
    }

    /// Everything that was emitted.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// The events among it.
    pub fn events(&self) -> Vec<Event> {
        self.outputs
            .iter()
            .filter_map(|output| if let Output::Chat(event) = output { Some(event) } else { None })
            .cloned()
            .collect()
    }

    /// The events, put together.
    pub fn answer(&self) -> Answer {
        Answer::of(&self.events())
    }

    /// The milliseconds that the provider is waiting for.
    pub fn waiting(&self) -> Option<u32> {
        self.waiting
    }

    /// The error with which it ended.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// Whether it ended well.
    pub fn finished(&self) -> bool {
        self.finished
    }

    fn input(&mut self, input: Input) {
        for action in self.driver.advance(input) {
            if let Err(rule) = self.grammar.action(&action) {
                panic!("the provider broke the contract: {rule}");
            }
            match action {
                Action::Send(request) => self.sent.push(request),
                Action::Emit(outputs) => self.outputs.extend(outputs),
                Action::Wait(milliseconds) => self.waiting = Some(milliseconds),
                Action::Fail(error) => self.error = Some(error),
                Action::Finish => self.finished = true,
            }
        }
    }
}
