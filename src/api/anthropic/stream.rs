//! A turn as Anthropic's event stream: `message_stop` ends it after success, an error otherwise.

use bytes::Bytes;
use futures_util::Stream;

use super::blocks::{Beginning, Blocks, Piece};
use super::ending::{Extra, stop_reason};
use super::event::{MessageDelta, Step, StreamData};
use super::shape;
use super::wire::{MessageView, UsageView};
use crate::api::openai::Members;
use crate::api::speaker::Speaker;
use crate::http::fault::Fault;
use crate::model::chat::{Event, Stop, Usage};
use crate::model::id::RequestId;
use crate::model::{Error, Result};
use crate::service::clock;

/// What is said in silence.
pub(super) const PING: &[u8] = b"event: ping\ndata: {\"type\":\"ping\"}\n\n";

/// Writes a turn, event by event.
pub(super) struct Streamer {
    /// Gone once everything is said.
    turn: Option<Speaker>,
    request: RequestId,
    writer: Writer,
}

/// What has been said so far.
pub(super) struct Writer {
    id: String,
    model: String,
    /// Whether the provider speaks this dialect, so that what has no name means something here.
    same: bool,
    begun: bool,
    blocks: Blocks,
    usage: Usage,
    extra: Extra,
    stop: Option<Stop>,
}

// === impl Streamer ===

impl Streamer {
    pub(super) fn new(turn: Speaker, request: RequestId, same: bool) -> Self {
        let writer = Writer::new(clock::fresh("msg_"), turn.chosen().model.clone(), same);
        Self { turn: Some(turn), request, writer }
    }

    pub(super) fn into_stream(self) -> impl Stream<Item = Bytes> + Send {
        futures_util::stream::unfold(self, |mut streamer| async move {
            streamer.next().await.map(|bytes| (bytes, streamer))
        })
    }

    async fn next(&mut self) -> Option<Bytes> {
        let turn = self.turn.as_mut()?;
        let mut out = Vec::with_capacity(512);
        loop {
            let outcome = match turn.events().await {
                Ok(Some(events)) => events.into_iter().try_for_each(|event| self.writer.event(&mut out, event)),
                Ok(None) => {
                    self.writer.done(&mut out);
                    self.turn = None;
                    break;
                }
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                tracing::warn!(
                    request_id = self.request.as_str(),
                    error = error.to_string(),
                    "a stream ended with an error"
                );
                self.writer.failed(&mut out, &error, &self.request);
                self.turn = None;
                break;
            }
            if !out.is_empty() {
                break;
            }
        }
        Some(out.into())
    }
}

// === impl Writer ===

impl Writer {
    pub(super) fn new(id: String, model: String, same: bool) -> Self {
        Self {
            id,
            model,
            same,
            begun: false,
            blocks: Blocks::default(),
            usage: Usage::default(),
            extra: Extra::default(),
            stop: None,
        }
    }

    /// Writes what `event` says.
    ///
    /// # Errors
    /// If what it says has no place any more.
    pub(super) fn event(&mut self, out: &mut Vec<u8>, event: Event) -> Result<()> {
        match event {
            Event::Started { id, model } => {
                if let Some(id) = id.filter(|id| id.starts_with("msg_")) {
                    self.id = id;
                }
                self.model = model.unwrap_or_else(|| std::mem::take(&mut self.model));
            }
            Event::Text { block, text } => self.piece(out, block, text, Piece::Text)?,
            Event::Refusal { block, text } => {
                self.blocks.told.refused |= !text.is_empty();
                self.piece(out, block, text, Piece::Text)?;
            }
            Event::Thinking { block, text } => self.piece(out, block, text, Piece::Thinking)?,
            Event::Signature { block, text } => self.piece(out, block, text, Piece::Signature)?,
            Event::CallArguments { block, text } => self.piece(out, block, text, Piece::Arguments)?,
            Event::Annotation { block, text } if self.same => self.piece(out, block, text, Piece::Citation)?,
            Event::Redacted { block, text } => self.block(out, block, Beginning::Redacted(text)),
            Event::CallStarted { block, id, name, extra } => {
                self.block(out, block, Beginning::Call { id, name, extra });
            }
            Event::Other { block, text } if self.same => self.block(out, block, Beginning::Other(text)),
            // In another dialect they mean nothing here.
            Event::Annotation { .. } | Event::Other { .. } => {}
            Event::Usage(usage) => self.usage = usage,
            Event::Extra(field) => self.extra.add(field),
            Event::Stopped(stop) => {
                self.begin(out);
                self.blocks.finish(out);
                self.stop = Some(stop);
            }
        }
        Ok(())
    }

    /// Writes the end of a whole answer.
    pub(super) fn done(&mut self, out: &mut Vec<u8>) {
        let Some(stop) = self.stop.take() else { return };
        let stop_reason = stop_reason(stop.reason, self.blocks.told);
        // The vendor has these beside the reason, the others beside both.
        let (inner, outer): (Vec<_>, Vec<_>) = std::mem::take(&mut self.extra.message)
            .into_iter()
            .partition(|field| matches!(field.name.as_str(), "container" | "stop_details"));
        let stop_sequence = stop.sequence.as_deref().filter(|_| stop_reason == "stop_sequence");
        let delta = MessageDelta { stop_reason, stop_sequence, extra: Members(&inner) };
        let usage = UsageView::new(self.usage, &self.extra.usage);
        put(out, Step::MessageDelta { delta, usage, extra: Members(&outer) });
        put(out, Step::MessageStop {});
    }

    /// Writes why the answer isn't whole. Nothing may follow, least of all `message_stop`.
    pub(super) fn failed(&mut self, out: &mut Vec<u8>, error: &Error, request: &RequestId) {
        self.blocks.close(out);
        StreamData::Error(shape::view(&Fault::of(error), request)).put(out);
    }

    fn piece(&mut self, out: &mut Vec<u8>, block: u32, text: String, piece: fn(String) -> Piece) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.begin(out);
        self.blocks.piece(out, block, piece(text))
    }

    fn block(&mut self, out: &mut Vec<u8>, block: u32, kind: Beginning) {
        self.begin(out);
        self.blocks.begin(out, block, kind);
    }

    /// The answer begins with its first block, so that it can tell what the vendor told before.
    fn begin(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let message = MessageView {
            id: &self.id,
            r#type: "message",
            role: "assistant",
            model: &self.model,
            content: Vec::new(),
            stop_reason: None,
            stop_sequence: None,
            usage: UsageView::new(self.usage, &self.extra.usage),
            extra: Members(&self.extra.message),
        };
        put(out, Step::MessageStart { message });
        self.extra.message.clear();
    }
}

/// Writes a step at the end of `out`.
pub(super) fn put(out: &mut Vec<u8>, step: Step<'_>) {
    StreamData::Step(step).put(out);
}
