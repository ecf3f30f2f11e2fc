//! A turn as OpenAI's event stream: chunks, then `[DONE]`, but only after success.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::Stream;
use serde_json::Value;

use super::citation::Citation;
use super::tools::Style;
use super::usage::{Counts, UsageView};
use super::wire::{
    CallDelta, Chunk, ChunkChoice, CustomView, Delta, Detail, Extra, FunctionDelta, Members, finish_reason,
};
use super::{custom, shape};
use crate::api::speaker::Speaker;
use crate::http::fault::Fault;
use crate::http::sse;
use crate::model::Error;
use crate::model::chat::{Event, Field, Usage};
use crate::model::id::RequestId;
use crate::service::clock;

/// Writes a turn, chunk by chunk.
pub(super) struct Streamer {
    /// Gone once everything is said.
    turn: Option<Speaker>,
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
    style: Style,
    /// By their blocks.
    calls: BTreeMap<u32, Call>,
    /// Thoughts without a signature yet, by their blocks.
    thoughts: BTreeMap<u32, String>,
    /// How many thoughts have been told with their signatures.
    details: usize,
    /// Where each text begins, by its block, and where the last one ends.
    texts: (BTreeMap<u32, usize>, usize),
    annotations: Vec<Value>,
    usage: Option<Usage>,
    /// What the vendor counted beside it.
    counts: Counts,
    /// Whether the choice has ended.
    finished: bool,
}

/// A call that has begun.
struct Call {
    /// Counts the calls.
    index: u32,
    /// Whether its arguments have begun.
    begun: bool,
    /// What a tool of free text is given, as the function's arguments that it is told in once they are whole.
    custom: Option<String>,
}

// === impl Streamer ===

impl Streamer {
    pub(super) fn new(turn: Speaker, request: RequestId, created: i64, include_usage: bool, style: Style) -> Self {
        let writer = Writer::new(clock::fresh("chatcmpl-"), turn.chosen().model.clone(), created, include_usage, style);
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
    pub(super) fn new(id: String, model: String, created: i64, include_usage: bool, style: Style) -> Self {
        Self {
            id,
            model,
            created,
            include_usage,
            begun: false,
            style,
            calls: BTreeMap::new(),
            thoughts: BTreeMap::new(),
            details: 0,
            texts: (BTreeMap::new(), 0),
            annotations: Vec::new(),
            usage: None,
            counts: Counts::default(),
            finished: false,
        }
    }

    /// Writes what `event` says.
    pub(super) fn event(&mut self, out: &mut Vec<u8>, event: Event) {
        match event {
            Event::Started { id, model } => {
                self.id = id.unwrap_or_else(|| std::mem::take(&mut self.id));
                self.model = model.unwrap_or_else(|| std::mem::take(&mut self.model));
                self.begin(out);
            }
            Event::Text { block, text } => {
                self.texts.0.entry(block).or_insert(self.texts.1);
                self.texts.1 += text.chars().count();
                self.delta(out, Delta { content: Some(&text), ..Delta::default() });
            }
            Event::Annotation { block, text } => {
                let (start, end) = (self.texts.0.get(&block).copied().unwrap_or_default(), self.texts.1);
                self.annotations.extend(Citation::read(&text, start, end).map(Citation::into_nested));
            }
            Event::Refusal { text, .. } => self.delta(out, Delta { refusal: Some(&text), ..Delta::default() }),
            Event::Thinking { block, text } => {
                self.thoughts.entry(block).or_default().push_str(&text);
                self.delta(out, Delta { reasoning_content: Some(&text), ..Delta::default() });
            }
            Event::Signature { block, text: signature } => {
                let (text, index) = (self.thoughts.remove(&block).unwrap_or_default(), self.details);
                self.detail(out, Detail::Text { index, text: &text, signature: &signature });
            }
            Event::Redacted { text, .. } => {
                let index = self.details;
                self.detail(out, Detail::Encrypted { index, data: &text });
            }
            Event::CallStarted { block, id, name, extra } => self.call_begins(out, block, &id, &name, &extra),
            Event::CallArguments { block, text } => {
                let Some(call) = self.calls.get_mut(&block) else { return };
                call.begun |= !text.is_empty();
                match &mut call.custom {
                    Some(whole) => whole.push_str(&text),
                    None => {
                        let index = call.index;
                        self.arguments(out, index, &text);
                    }
                }
            }
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Extra(field) => self.extra(out, field),
            Event::Stopped(stop) => {
                let called = !self.calls.is_empty();
                for call in std::mem::take(&mut self.calls).into_values() {
                    match call.custom {
                        Some(whole) => self.input(out, call.index, &custom::unwrap(&whole)),
                        // A call without arguments is a call with none.
                        None if !call.begun => self.arguments(out, call.index, "{}"),
                        None => {}
                    }
                }
                if !self.annotations.is_empty() {
                    let annotations = std::mem::take(&mut self.annotations);
                    self.delta(out, Delta { annotations, ..Delta::default() });
                }
                let finish_reason = Some(finish_reason(stop.reason, called, self.style.legacy));
                self.begin(out);
                let choice =
                    ChunkChoice { index: 0, delta: Delta::default(), finish_reason, extra: Members::default() };
                self.chunk(out, &[choice], None, Members::default());
                self.finished = true;
            }
            // Chat completions have no words for it.
            Event::Other { .. } => {}
        }
    }

    /// Writes the end of a whole answer.
    pub(super) fn done(&mut self, out: &mut Vec<u8>) {
        if let (true, Some(usage)) = (self.include_usage, self.usage) {
            self.chunk(out, &[], Some(UsageView::of(usage, &self.counts)), Members::default());
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

    fn detail(&mut self, out: &mut Vec<u8>, detail: Detail<'_>) {
        self.details += 1;
        self.delta(out, Delta { reasoning_details: Some([detail]), ..Delta::default() });
    }

    fn call_begins(&mut self, out: &mut Vec<u8>, block: u32, id: &str, name: &str, extra: &[Field]) {
        let index = u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
        let custom = self.style.is_custom(name);
        self.calls.insert(block, Call { index, begun: false, custom: custom.then(String::new) });
        if self.style.legacy {
            // Who reads `function_call` reads one.
            if index == 0 {
                let function = FunctionDelta { name: Some(name), arguments: "" };
                self.delta(out, Delta { function_call: Some(function), ..Delta::default() });
            }
            return;
        }
        let function = FunctionDelta { name: Some(name), arguments: "" };
        let begun = CallDelta { index, id: Some(id), extra: Members(extra), ..CallDelta::default() };
        let call = match custom {
            true => CallDelta {
                r#type: Some("custom"),
                custom: Some(CustomView { name: Some(name), input: "".into() }),
                ..begun
            },
            false => CallDelta { r#type: Some("function"), function: Some(function), ..begun },
        };
        self.delta(out, Delta { tool_calls: Some([call]), ..Delta::default() });
    }

    fn arguments(&mut self, out: &mut Vec<u8>, index: u32, text: &str) {
        let function = Some(FunctionDelta { name: None, arguments: text });
        match (self.style.legacy, index) {
            (true, 0) => self.delta(out, Delta { function_call: function, ..Delta::default() }),
            (true, _) => {}
            (false, _) => {
                let call = CallDelta { index, function, ..CallDelta::default() };
                self.delta(out, Delta { tool_calls: Some([call]), ..Delta::default() });
            }
        }
    }

    fn input(&mut self, out: &mut Vec<u8>, index: u32, input: &str) {
        let custom = Some(CustomView { name: None, input: input.into() });
        let call = CallDelta { index, custom, ..CallDelta::default() };
        self.delta(out, Delta { tool_calls: Some([call]), ..Delta::default() });
    }

    fn extra(&mut self, out: &mut Vec<u8>, field: Field) {
        let mut extra = Extra { counts: std::mem::take(&mut self.counts), ..Extra::default() };
        let counts = field.name.starts_with("usage.");
        extra.add(field);
        self.counts = extra.counts;
        if counts {
            return;
        }
        // Nothing is said in a choice that has ended.
        if self.finished {
            let fields = [extra.top, extra.choice, extra.message].concat();
            return self.chunk(out, &[], None, Members(&fields));
        }
        self.begin(out);
        let delta = Delta { extra: Members(&extra.message), ..Delta::default() };
        let choice = ChunkChoice { index: 0, delta, finish_reason: None, extra: Members(&extra.choice) };
        self.chunk(out, &[choice], None, Members(&extra.top));
    }

    fn chunk(&self, out: &mut Vec<u8>, choices: &[ChunkChoice<'_>], usage: Option<UsageView<'_>>, extra: Members<'_>) {
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
