//! From Converse's answers, whole or in events, to events.

use std::collections::BTreeMap;

use mortise_sdk::chat::{CallStarted, Delta, Event, Field, Started, Stop, StopReason, Usage};
use mortise_sdk::http::Frame;
use mortise_sdk::names::Names;
use mortise_sdk::provider::{Error, ErrorKind, Out};
use serde::Deserialize;
use serde_json::value::RawValue;

/// What is known of an answer so far.
pub(crate) struct Reader {
    names: Names,
    called: bool,
    stop: Option<StopReason>,
}

/// The members of an object, as they came.
type Members<'a> = BTreeMap<String, &'a RawValue>;

#[derive(Deserialize)]
struct OutputView<'a> {
    #[serde(borrow)]
    message: MessageView<'a>,
}

#[derive(Deserialize)]
struct MessageView<'a> {
    #[serde(borrow)]
    content: Vec<&'a RawValue>,
}

/// One of these, or something that has no name here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block<'a> {
    text: Option<String>,
    #[serde(borrow)]
    tool_use: Option<ToolUse<'a>>,
    reasoning_content: Option<Reasoning>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolUse<'a> {
    tool_use_id: String,
    name: String,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reasoning {
    reasoning_text: Option<ReasoningText>,
    redacted_content: Option<String>,
}

#[derive(Deserialize)]
struct ReasoningText {
    text: String,
    signature: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockStart<'a> {
    #[serde(default)]
    content_block_index: u32,
    #[serde(borrow)]
    start: Option<Start<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Start<'a> {
    #[serde(borrow)]
    tool_use: Option<ToolUse<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockDelta {
    #[serde(default)]
    content_block_index: u32,
    delta: Piece,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Piece {
    text: Option<String>,
    tool_use: Option<Input>,
    reasoning_content: Option<Thought>,
}

#[derive(Deserialize)]
struct Input {
    #[serde(default)]
    input: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Thought {
    text: Option<String>,
    signature: Option<String>,
    redacted_content: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageStop {
    stop_reason: String,
}

/// Tokens; the input doesn't count what the cache did.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    input_tokens: u64,
    output_tokens: u64,
    #[serde(default)]
    cache_read_input_tokens: u64,
    #[serde(default)]
    cache_write_input_tokens: u64,
}

// === impl Reader ===

impl Reader {
    pub(crate) fn new(names: Names) -> Self {
        Self { names, called: false, stop: None }
    }

    /// Whether the vendor has said why the answer ended.
    pub(crate) fn is_complete(&self) -> bool {
        self.stop.is_some()
    }

    /// Reads an answer that came in one piece.
    pub(crate) fn whole(&mut self, frame: &Frame, out: &mut Out) -> Result<(), Error> {
        let mut members: Members<'_> = frame.json()?;
        let output: OutputView<'_> = take(&mut members, "output")?.ok_or_else(Error::unreadable)?;
        let reason: String = take(&mut members, "stopReason")?.ok_or_else(Error::unreadable)?;
        out.emit(Event::Started(Started { id: None, model: None }));
        for (block, content) in (0u32..).zip(output.message.content) {
            self.block(block, content, out)?;
        }
        metadata(members, out)?;
        self.stopped(&reason, out)?;
        out.finish();
        Ok(())
    }

    fn block(&mut self, block: u32, content: &RawValue, out: &mut Out) -> Result<(), Error> {
        let delta = |text: String| Delta { block, text };
        let Block { text, tool_use, reasoning_content } =
            serde_json::from_str(content.get()).map_err(|_| Error::unreadable())?;
        if let Some(text) = text {
            if !text.is_empty() {
                out.emit(Event::Text(delta(text)));
            }
        } else if let Some(call) = tool_use {
            self.call(block, call.tool_use_id, &call.name, out);
            if let Some(input) = call.input {
                out.emit(Event::CallArguments(delta(input.get().to_owned())));
            }
        } else if let Some(reasoning) = reasoning_content {
            if let Some(ReasoningText { text, signature }) = reasoning.reasoning_text {
                out.emit(Event::Thinking(delta(text)));
                if let Some(signature) = signature {
                    out.emit(Event::Signature(delta(signature)));
                }
            } else if let Some(data) = reasoning.redacted_content {
                out.emit(Event::Redacted(delta(data)));
            }
        } else {
            out.emit(Event::Other(delta(content.get().to_owned())));
        }
        Ok(())
    }

    /// Reads an event of a stream.
    pub(crate) fn event(&mut self, frame: &Frame, out: &mut Out) -> Result<(), Error> {
        match frame.event.as_deref().unwrap_or_default() {
            "messageStart" => out.emit(Event::Started(Started { id: None, model: None })),
            "contentBlockStart" => {
                let BlockStart { content_block_index, start } = frame.json()?;
                if let Some(call) = start.and_then(|start| start.tool_use) {
                    self.call(content_block_index, call.tool_use_id, &call.name, out);
                }
            }
            "contentBlockDelta" => piece(frame.json()?, out),
            "messageStop" => self.stopped(&frame.json::<MessageStop>()?.stop_reason, out)?,
            "metadata" => {
                metadata(frame.json()?, out)?;
                // It comes last.
                if self.is_complete() {
                    out.finish();
                }
            }
            exception if exception.ends_with("Exception") || exception.bytes().all(|byte| byte.is_ascii_digit()) => {
                return Err(failure(exception, frame));
            }
            // Whatever a later version of the API has to tell.
            _ => {}
        }
        Ok(())
    }

    /// The stream is over.
    pub(crate) fn end(&mut self, out: &mut Out) -> Result<(), Error> {
        if !self.is_complete() {
            return Err(Error::upstream("the vendor's stream ended before the answer was complete"));
        }
        out.finish();
        Ok(())
    }

    fn call(&mut self, block: u32, id: String, name: &str, out: &mut Out) {
        self.called = true;
        let name = self.names.whole(name).to_owned();
        out.emit(Event::CallStarted(CallStarted { block, id, name, extra: Vec::new() }));
    }

    fn stopped(&mut self, word: &str, out: &mut Out) -> Result<(), Error> {
        let reason = match word {
            "max_tokens" | "model_context_window_exceeded" => StopReason::Length,
            "guardrail_intervened" | "content_filtered" | "refusal" => StopReason::Refusal,
            "malformed_model_output" | "malformed_tool_use" => {
                return Err(Error::upstream(format!("the vendor ended the answer: {word}")));
            }
            // Who was given a call must be told so, whatever the vendor said.
            _ if self.called => StopReason::ToolCalls,
            "stop_sequence" => StopReason::StopSequence,
            _ => StopReason::Complete,
        };
        self.stop = Some(reason);
        out.emit(Event::Stopped(Stop { reason, sequence: None }));
        Ok(())
    }
}

fn piece(BlockDelta { content_block_index: block, delta }: BlockDelta, out: &mut Out) {
    let said = |text: String| Some(text).filter(|text| !text.is_empty()).map(|text| Delta { block, text });
    let thought = delta.reasoning_content.unwrap_or(Thought { text: None, signature: None, redacted_content: None });
    let events = [
        delta.text.and_then(said).map(Event::Text),
        delta.tool_use.and_then(|call| said(call.input)).map(Event::CallArguments),
        thought.text.and_then(said).map(Event::Thinking),
        thought.signature.and_then(said).map(Event::Signature),
        thought.redacted_content.and_then(said).map(Event::Redacted),
    ];
    events.into_iter().flatten().for_each(|event| out.emit(event));
}

fn take<'a, T: Deserialize<'a>>(members: &mut Members<'a>, name: &str) -> Result<Option<T>, Error> {
    let Some(raw) = members.remove(name) else { return Ok(None) };
    serde_json::from_str(raw.get()).map_err(|_| Error::unreadable())
}

/// What is told beside the answer. How long it took isn't: the caller has a clock. Nor is what hides the length of a message.
fn metadata(mut members: Members<'_>, out: &mut Out) -> Result<(), Error> {
    members.remove("metrics");
    members.remove("p");
    if let Some(counts) = take::<Counts>(&mut members, "usage")? {
        out.emit(Event::Usage(counts.into()));
    }
    for (name, value) in members.into_iter().filter(|(_, value)| value.get() != "null") {
        out.emit(Event::Extra(Field::new(name, value.get())));
    }
    Ok(())
}

/// What an exception within a stream means; its name is more exact than its sentence.
fn failure(name: &str, frame: &Frame) -> Error {
    let told = Error::from_vendor(&String::from_utf8_lossy(&frame.data));
    let kind = match name {
        "throttlingException" => ErrorKind::RateLimited,
        "serviceUnavailableException" => ErrorKind::Overloaded,
        "validationException" if told.kind == ErrorKind::ContextTooLong => told.kind,
        "validationException" => ErrorKind::InvalidRequest,
        _ => ErrorKind::Upstream,
    };
    Error { kind, ..told }
}

// === impl Usage ===

impl From<Counts> for Usage {
    fn from(counts: Counts) -> Self {
        let (read, write) = (counts.cache_read_input_tokens, counts.cache_write_input_tokens);
        Self {
            input: counts.input_tokens.saturating_add(read).saturating_add(write),
            output: counts.output_tokens,
            cache_read: read,
            cache_write: write,
            cache_write_hour: 0,
            reasoning: 0,
            cost: None,
        }
    }
}
