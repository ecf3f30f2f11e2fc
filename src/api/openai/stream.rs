//! A turn as OpenAI's event stream: chunks, then `[DONE]`, but only after success.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::Stream;

use super::shape;
use super::wire::{CallDelta, Chunk, ChunkChoice, Delta, Extra, FunctionDelta, Members, UsageView, finish_reason};
use crate::http::fault::Fault;
use crate::http::sse;
use crate::model::Error;
use crate::model::chat::{Event, Field, Usage};
use crate::model::id::RequestId;
use crate::service::{Turn, clock};

/// Writes a turn, chunk by chunk.
pub(super) struct Streamer {
    /// Gone once everything is said.
    turn: Option<Turn>,
    request: RequestId,
    writer: Writer,
}

/// What is the same in every chunk, and what has been said so far.
pub(super) struct Writer {
    id: String,
    model: String,
    created: i64,
    include_usage: bool,
    begun: bool,
    /// OpenAI's index of each call's block, and whether its arguments have begun.
    calls: BTreeMap<u32, (u32, bool)>,
    usage: Option<Usage>,
}

// === impl Streamer ===

impl Streamer {
    pub(super) fn new(turn: Turn, request: RequestId, created: i64, include_usage: bool) -> Self {
        let writer = Writer::new(clock::fresh("chatcmpl-"), turn.chosen.model.clone(), created, include_usage);
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
            match turn.events().await {
                Ok(Some(events)) => events.into_iter().for_each(|event| self.writer.event(&mut out, event)),
                Ok(None) => {
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
                    self.writer.failed(&mut out, &error, &self.request);
                    self.turn = None;
                    break;
                }
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
    pub(super) fn new(id: String, model: String, created: i64, include_usage: bool) -> Self {
        Self { id, model, created, include_usage, begun: false, calls: BTreeMap::new(), usage: None }
    }

    /// Writes what `event` says.
    pub(super) fn event(&mut self, out: &mut Vec<u8>, event: Event) {
        match event {
            Event::Started { id, model } => {
                self.id = id.unwrap_or_else(|| std::mem::take(&mut self.id));
                self.model = model.unwrap_or_else(|| std::mem::take(&mut self.model));
                self.begin(out);
            }
            Event::Text { text, .. } => self.delta(out, Delta { content: Some(&text), ..Delta::default() }),
            Event::Refusal { text, .. } => self.delta(out, Delta { refusal: Some(&text), ..Delta::default() }),
            Event::Thinking { text, .. } => {
                self.delta(out, Delta { reasoning_content: Some(&text), ..Delta::default() })
            }
            Event::CallStarted { block, id, name, extra } => {
                let index = u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
                self.calls.insert(block, (index, false));
                self.call(
                    out,
                    CallDelta {
                        index,
                        id: Some(&id),
                        r#type: Some("function"),
                        function: FunctionDelta { name: Some(&name), arguments: "" },
                        extra: Members(&extra),
                    },
                );
            }
            Event::CallArguments { block, text } => {
                let Some((index, begun)) = self.calls.get_mut(&block) else { return };
                *begun |= !text.is_empty();
                let index = *index;
                self.arguments(out, index, &text);
            }
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Extra(field) => self.extra(out, field),
            Event::Stopped(stop) => {
                // A call without arguments is a call with none.
                let silent: Vec<u32> =
                    self.calls.values().filter(|(_, begun)| !begun).map(|(index, _)| *index).collect();
                for index in silent {
                    self.arguments(out, index, "{}");
                }
                let finish_reason = Some(finish_reason(stop.reason, !self.calls.is_empty()));
                self.begin(out);
                let choice =
                    ChunkChoice { index: 0, delta: Delta::default(), finish_reason, extra: Members::default() };
                self.chunk(out, &[choice], None, Members::default());
            }
            // OpenAI's dialect has no words for these.
            Event::Signature { .. } | Event::Redacted { .. } | Event::Annotation { .. } | Event::Other { .. } => {}
        }
    }

    /// Writes the end of a whole answer.
    pub(super) fn done(&mut self, out: &mut Vec<u8>) {
        if let (true, Some(usage)) = (self.include_usage, self.usage) {
            self.chunk(out, &[], Some(usage.into()), Members::default());
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    /// Writes why the answer isn't whole. Nothing may follow, least of all `[DONE]`.
    pub(super) fn failed(&self, out: &mut Vec<u8>, error: &Error, request: &RequestId) {
        put(out, &shape::write(&Fault::of(error), request, ""));
    }

    /// The first delta says who speaks.
    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            let delta = Delta { role: Some("assistant"), content: Some(""), ..Delta::default() };
            let choice = ChunkChoice { index: 0, delta, finish_reason: None, extra: Members::default() };
            self.chunk(out, &[choice], None, Members::default());
        }
    }

    fn delta(&mut self, out: &mut Vec<u8>, delta: Delta<'_>) {
        self.begin(out);
        let choice = ChunkChoice { index: 0, delta, finish_reason: None, extra: Members::default() };
        self.chunk(out, &[choice], None, Members::default());
    }

    fn call(&mut self, out: &mut Vec<u8>, call: CallDelta<'_>) {
        self.delta(out, Delta { tool_calls: Some([call]), ..Delta::default() });
    }

    fn arguments(&mut self, out: &mut Vec<u8>, index: u32, text: &str) {
        let function = FunctionDelta { name: None, arguments: text };
        self.call(out, CallDelta { index, id: None, r#type: None, function, extra: Members::default() });
    }

    fn extra(&mut self, out: &mut Vec<u8>, field: Field) {
        let mut extra = Extra::default();
        extra.add(field);
        self.begin(out);
        let delta = Delta { extra: Members(&extra.message), ..Delta::default() };
        let choice = ChunkChoice { index: 0, delta, finish_reason: None, extra: Members(&extra.choice) };
        self.chunk(out, &[choice], None, Members(&extra.top));
    }

    fn chunk(&self, out: &mut Vec<u8>, choices: &[ChunkChoice<'_>], usage: Option<UsageView>, extra: Members<'_>) {
        put(
            out,
            &Chunk {
                id: &self.id,
                object: "chat.completion.chunk",
                created: self.created,
                model: &self.model,
                choices,
                usage: self.include_usage.then_some(usage),
                extra,
            },
        );
    }
}

fn put(out: &mut Vec<u8>, data: &impl serde::Serialize) {
    if let Err(error) = sse::write(out, None, data) {
        tracing::error!(error = error.to_string(), "an event could not be written");
    }
}
