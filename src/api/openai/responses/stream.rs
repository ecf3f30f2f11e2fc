//! Answers of the Responses API, as a stream of events: item after item, each whole before the next one begins.

use bytes::Bytes;
use futures_util::Stream;

use super::answer::{Frame, Progress, end};
use super::event::Said;
use super::kept;
use super::open::Open;
use super::wire::{Failure, Item, Response};
use crate::api::speaker::Speaker;
use crate::http::fault::Fault;
use crate::http::sse;
use crate::model::chat::{Event, Message, Stop, StopReason, Thinking, Usage};
use crate::model::id::RequestId;
use crate::model::{Error, Kind};
use crate::service::answer::Assembly;
use crate::service::clock;
use crate::service::responses::Keep;

/// A turn on its way to the caller.
pub(super) struct Streamer {
    /// Gone once the stream has ended; with it goes the work upstream.
    turn: Option<Speaker>,
    request: RequestId,
    writer: Writer,
    /// What is to be kept, and what was said of it so far.
    keep: Option<(Keep, Assembly)>,
}

/// What has been said so far.
pub(super) struct Writer {
    pub(super) frame: Frame,
    sequence: u64,
    begun: bool,
    /// Items that are whole.
    output: Vec<Item>,
    open: Option<Open>,
    /// What came of other blocks while a call was not whole.
    waiting: Vec<Event>,
    usage: Option<Usage>,
    stop: Option<StopReason>,
}

// === impl Streamer ===

impl Streamer {
    pub(super) fn new(turn: Speaker, request: RequestId, frame: Frame, keep: Option<Keep>) -> Self {
        let keep = keep.map(|keep| (keep, Assembly::default()));
        Self { turn: Some(turn), request, writer: Writer::new(frame), keep }
    }

    pub(super) fn into_stream(self) -> impl Stream<Item = Bytes> + Send {
        futures_util::stream::unfold(self, |mut streamer| async move {
            streamer.next().await.map(|bytes| (bytes, streamer))
        })
    }

    async fn next(&mut self) -> Option<Bytes> {
        let turn = self.turn.as_mut()?;
        let mut out = Vec::with_capacity(512);
        while out.is_empty() {
            match turn.events().await {
                Ok(Some(events)) => {
                    if let Some((_, said)) = &mut self.keep {
                        events.iter().for_each(|event| said.add(event.clone()));
                    }
                    events.into_iter().for_each(|event| self.writer.event(&mut out, event));
                }
                Ok(None) => {
                    // The caller may go on from it once it is told that it is whole.
                    if let Some((keep, said)) = self.keep.take() {
                        self.writer.keep(keep, said.finish().into_message()).await;
                    }
                    self.writer.done(&mut out);
                    self.turn = None;
                    break;
                }
                Err(error) => {
                    tracing::warn!(
                        request_id = self.request.as_str(),
                        error = error.to_string(),
                        "a stream ended with an error"
                    );
                    self.writer.failed(&mut out, &error);
                    self.turn = None;
                    break;
                }
            }
        }
        Some(out.into())
    }
}

// === impl Writer ===

impl Writer {
    pub(super) fn new(frame: Frame) -> Self {
        Self {
            frame,
            sequence: 0,
            begun: false,
            output: Vec::new(),
            open: None,
            waiting: Vec::new(),
            usage: None,
            stop: None,
        }
    }

    /// Writes what `event` says.
    pub(super) fn event(&mut self, out: &mut Vec<u8>, event: Event) {
        match event {
            Event::Started { id, model } => {
                if !self.begun {
                    self.frame.named(id, model);
                }
                self.begin(out);
            }
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Extra(field) => self.frame.add(field),
            Event::Stopped(Stop { reason, .. }) => {
                self.begin(out);
                self.stop = Some(reason);
                // Whatever was not whole stays so.
                let mut waiting = std::mem::take(&mut self.waiting);
                let status = if waiting.is_empty() { end(reason).0 } else { "completed" };
                self.close(out, status);
                while let Some(block) = waiting.first().and_then(block_of) {
                    let (own, others) = waiting.into_iter().partition(|event| block_of(event) == Some(block));
                    let own: Vec<Event> = own;
                    own.into_iter().for_each(|event| self.say(out, event));
                    waiting = others;
                    self.close(out, if waiting.is_empty() { end(reason).0 } else { "completed" });
                }
            }
            event => {
                self.begin(out);
                self.content(out, event);
            }
        }
    }

    /// Keeps a whole answer.
    async fn keep(&mut self, keep: Keep, said: Message) {
        self.frame.store = match serde_json::to_value(self.response()) {
            Ok(body) => kept(keep, &self.frame.id, body, said).await,
            Err(_) => false,
        };
    }

    /// A whole answer.
    fn response(&self) -> Response<'_> {
        let (status, incomplete) = end(self.stop.unwrap_or(StopReason::Complete));
        self.frame.response(Progress { status, output: &self.output, incomplete, usage: self.usage, error: None })
    }

    /// Writes the end of a whole answer.
    pub(super) fn done(&mut self, out: &mut Vec<u8>) {
        let (_, incomplete) = end(self.stop.unwrap_or(StopReason::Complete));
        let response = &self.response();
        let sequence_number = self.sequence;
        put(
            out,
            &match incomplete {
                Some(_) => Said::Incomplete { sequence_number, response },
                None => Said::Completed { sequence_number, response },
            },
        );
    }

    /// Writes why the answer isn't whole. Nothing may follow.
    pub(super) fn failed(&mut self, out: &mut Vec<u8>, error: &Error) {
        self.begin(out);
        let fault = Fault::of(error);
        let message = match fault.retry_after() {
            Some(after) => format!("{}; try again in {after} s", error.public()),
            None => error.public().to_owned(),
        };
        let code = match error.kind() {
            Kind::RateLimited => "rate_limit_exceeded",
            _ if fault.openai_type == "server_error" => "server_error",
            _ => fault.openai_code.unwrap_or("server_error"),
        };
        let error = Some(Failure { code, message: &message });
        let progress = Progress { status: "failed", output: &self.output, error, usage: self.usage, incomplete: None };
        let response = &self.frame.response(progress);
        put(out, &Said::Failed { sequence_number: self.sequence, response });
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            let response = &self.frame.response(Progress { status: "in_progress", ..Progress::default() });
            put(out, &Said::Created { sequence_number: 0, response });
            put(out, &Said::InProgress { sequence_number: 1, response });
            self.sequence = 2;
        }
    }

    /// Says what `event` says, or keeps it until the call before it is whole.
    fn content(&mut self, out: &mut Vec<u8>, event: Event) {
        let block = block_of(&event);
        if self.open.as_ref().is_some_and(|open| Some(open.block()) != block && !open.is_whole()) {
            self.waiting.push(event);
            return;
        }
        self.say(out, event);
        if !self.waiting.is_empty() && self.open.as_ref().is_none_or(Open::is_whole) {
            let waiting = std::mem::take(&mut self.waiting);
            waiting.into_iter().for_each(|event| self.content(out, event));
        }
    }

    /// Says what `event` says, now.
    fn say(&mut self, out: &mut Vec<u8>, event: Event) {
        if let Some(open) = &self.open
            && !open.takes(&event)
        {
            self.close(out, "completed");
        }
        match event {
            Event::Redacted { text, .. } => {
                let thinking = Thinking { text, signature: None, redacted: true };
                let item = self.frame.thought(clock::fresh("rs_"), thinking);
                self.whole(out, item);
            }
            Event::Other { text, .. } => {
                if let Some(item) = Item::other(text) {
                    self.whole(out, item);
                }
            }
            event => {
                if self.open.is_none() {
                    if let Event::CallStarted { id, extra, .. } = &event
                        && let Some(item) = self.frame.keepsake(id, extra)
                    {
                        self.whole(out, item);
                    }
                    let Some(open) = Open::of(&event, &self.frame) else { return };
                    self.sequence = open.begin(out, self.sequence, self.output.len());
                    self.open = Some(open);
                }
                if let Some(open) = &mut self.open {
                    self.sequence = open.add(out, self.sequence, self.output.len(), event);
                }
            }
        }
    }

    /// Ends the item that is open.
    fn close(&mut self, out: &mut Vec<u8>, status: &'static str) {
        if let Some(open) = self.open.take() {
            let (sequence, item) = open.end(out, self.sequence, self.output.len(), status, &self.frame);
            put(out, &Said::ItemDone { sequence_number: sequence, output_index: self.output.len(), item: &item });
            self.sequence = sequence + 1;
            self.output.push(item);
        }
    }

    /// An item that comes in one piece.
    fn whole(&mut self, out: &mut Vec<u8>, item: Item) {
        self.close(out, "completed");
        let (output_index, sequence_number) = (self.output.len(), self.sequence);
        put(out, &Said::ItemAdded { sequence_number, output_index, item: &item });
        put(out, &Said::ItemDone { sequence_number: sequence_number + 1, output_index, item: &item });
        self.sequence += 2;
        self.output.push(item);
    }
}

/// The block that a piece of an answer belongs to.
pub(super) fn block_of(event: &Event) -> Option<u32> {
    match event {
        Event::Text { block, .. }
        | Event::Thinking { block, .. }
        | Event::Signature { block, .. }
        | Event::Redacted { block, .. }
        | Event::CallStarted { block, .. }
        | Event::CallArguments { block, .. }
        | Event::Refusal { block, .. }
        | Event::Annotation { block, .. }
        | Event::Other { block, .. } => Some(*block),
        Event::Started { .. } | Event::Usage(_) | Event::Extra(_) | Event::Stopped(_) => None,
    }
}

/// Writes one event.
pub(super) fn put(out: &mut Vec<u8>, said: &Said<'_>) {
    if let Err(error) = sse::write(out, Some(said.name()), said) {
        tracing::error!(error = error.to_string(), "an event could not be written");
    }
}
