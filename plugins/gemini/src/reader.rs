//! From the API's chunks to events.

use std::borrow::Cow;

use mortise_sdk::chat::{CallStarted, Delta, Event, Field, Request, Started, Stop, StopReason};
use mortise_sdk::fields::Fields;
use mortise_sdk::http::Frame;
use mortise_sdk::names::Names;
use mortise_sdk::provider::{Error, ErrorKind, Out};

use crate::calls::Ids;
use crate::chunk::{self, Part};
use crate::failure;
use crate::names::name;
use crate::signature::{self, Mark};
use crate::usage::{self, Tally};

/// What is known of an answer so far. A whole answer is a stream of one chunk.
#[derive(Debug)]
pub(crate) struct Reader {
    names: Names,
    ids: Ids,
    mark: Mark,
    /// The answer's id, once it has begun.
    started: Option<String>,
    next_block: u32,
    /// The block to which more of the same kind belongs.
    open: Option<(Kind, u32)>,
    called: bool,
    usage: Tally,
    /// Fields without a name here, as last said.
    said: Vec<Field>,
    finish: Option<Finish>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Thought,
}

#[derive(Debug)]
struct Finish {
    reason: StopReason,
    /// Why the model didn't answer.
    refusal: Option<String>,
}

impl Reader {
    pub(crate) fn new(request: &Request) -> Self {
        Self {
            names: Names::of(&request.tools, name),
            ids: Ids::of(&request.messages),
            mark: Mark::of(&request.model),
            started: None,
            next_block: 0,
            open: None,
            called: false,
            usage: Tally::default(),
            said: Vec::new(),
            finish: None,
        }
    }

    /// Takes a chunk in.
    pub(crate) fn chunk(&mut self, frame: &Frame, out: &mut Out) -> Result<(), Error> {
        let text = frame.text()?.trim();
        // An error may stand in a list of one.
        let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        let mut chunk: Fields<'_> = serde_json::from_str(inner).map_err(|_| Error::unreadable())?;
        if chunk.take_raw("error").is_some() {
            return Err(failure::from_chunk(inner));
        }
        self.start(&mut chunk, out)?;
        let mut candidates = chunk.take::<Vec<Fields<'_>>>("candidates")?.unwrap_or_default();
        if candidates.len() > 1 {
            return Err(Error::upstream("the vendor sent several answers where one was asked for"));
        }
        if let Some(counts) = &mut chunk.take::<Fields<'_>>("usageMetadata")? {
            if let Some(usage) = self.usage.add(counts)? {
                out.emit(Event::Usage(usage));
            }
            usage::unnamed(counts).into_iter().for_each(|field| self.say(field));
        }
        if let Some(mut feedback) = chunk.take::<Fields<'_>>("promptFeedback")? {
            if let Some(reason) = feedback.take_text("blockReason")? {
                let more = feedback.take_text("blockReasonMessage")?;
                let message = format!("Gemini doesn't answer this prompt: {}", with(&reason, more));
                return Err(Error::new(ErrorKind::Refused, message).with_raw(inner));
            }
            self.say_all("promptFeedback.", &feedback);
        }
        self.say_all("", &chunk);
        candidates.first_mut().map_or(Ok(()), |candidate| self.candidate(candidate, out))
    }

    /// Whether the vendor has said why the answer ended.
    pub(crate) fn is_complete(&self) -> bool {
        self.finish.is_some()
    }

    /// Ends the answer.
    pub(crate) fn finish(&mut self, out: &mut Out) {
        self.said.drain(..).for_each(|field| out.emit(Event::Extra(field)));
        let (reason, refusal) = match self.finish.take() {
            Some(finish) => (finish.reason, finish.refusal),
            None => (StopReason::Complete, None),
        };
        if let Some(text) = refusal {
            out.emit(Event::Refusal(Delta { block: self.block(), text }));
        }
        let reason = match reason {
            // Gemini stops for a call as it stops for anything. A call that was cut or filtered must not be run.
            StopReason::Complete if self.called => StopReason::ToolCalls,
            reason => reason,
        };
        out.emit(Event::Stopped(Stop { reason, sequence: None }));
        out.finish();
    }

    fn start(&mut self, chunk: &mut Fields<'_>, out: &mut Out) -> Result<(), Error> {
        let id = chunk.take_text("responseId")?;
        let model = chunk.take_text("modelVersion")?;
        if self.started.is_none() {
            self.started = Some(id.as_deref().unwrap_or_default().to_owned());
            out.emit(Event::Started(Started { id: id.map(Cow::into_owned), model: model.map(Cow::into_owned) }));
        }
        Ok(())
    }

    fn candidate(&mut self, candidate: &mut Fields<'_>, out: &mut Out) -> Result<(), Error> {
        for part in chunk::parts(candidate)? {
            self.part(part, out);
        }
        let message = candidate.take_text("finishMessage")?;
        if let Some(word) = candidate.take_text("finishReason")? {
            self.finish = finish(&word, message)?.or(self.finish.take());
        }
        candidate.skip(&["index", "tokenCount"]);
        self.say_all("", candidate);
        Ok(())
    }

    fn part(&mut self, part: Part<'_>, out: &mut Out) {
        match part {
            Part::Text { text, thought, signature } => {
                let kind = if thought { Kind::Thought } else { Kind::Text };
                if !text.is_empty() {
                    let delta = Delta { block: self.block_of(kind), text: text.into_owned() };
                    out.emit(if thought { Event::Thinking(delta) } else { Event::Text(delta) });
                }
                if let Some(signature) = signature {
                    self.signature(kind, &signature, out);
                }
            }
            Part::Call { id, name, arguments, signature } => {
                let (block, id) = (self.block(), self.ids.next(&id, self.started.as_deref().unwrap_or_default()));
                let name = self.names.whole(&name).to_owned();
                let extra = signature.iter().map(|signature| signature::field(signature)).collect();
                out.emit(Event::CallStarted(CallStarted { block, id, name, extra }));
                out.emit(Event::CallArguments(Delta { block, text: arguments.to_owned() }));
                self.called = true;
            }
            Part::Other(json) => {
                let block = self.block();
                out.emit(Event::Other(Delta { block, text: json.to_owned() }));
            }
        }
    }

    /// A thought has a place for its signature; a text's is a block of its own behind it. What comes then is another part.
    fn signature(&mut self, kind: Kind, signature: &str, out: &mut Out) {
        let text = self.mark.put(signature);
        match self.open.take() {
            Some((Kind::Thought, block)) if kind == Kind::Thought => out.emit(Event::Signature(Delta { block, text })),
            _ => {
                let block = self.block();
                out.emit(Event::Redacted(Delta { block, text }));
            }
        }
    }

    /// A new block; nothing goes on.
    fn block(&mut self) -> u32 {
        self.open = None;
        self.next_block += 1;
        self.next_block - 1
    }

    /// The open block, if it is of this kind.
    fn block_of(&mut self, kind: Kind) -> u32 {
        match self.open {
            Some((open, block)) if open == kind => block,
            _ => {
                let block = self.block();
                self.open = Some((kind, block));
                block
            }
        }
    }

    fn say_all(&mut self, place: &str, fields: &Fields<'_>) {
        for (name, value) in fields.rest() {
            self.say(Field::new(format!("{place}{name}"), value));
        }
    }

    /// Keeps a field until the end: chunks repeat theirs, and the last one counts.
    fn say(&mut self, field: Field) {
        match self.said.iter_mut().find(|said| said.name == field.name) {
            Some(said) => *said = field,
            None => self.said.push(field),
        }
    }
}

/// What the vendor's word for the end means.
fn finish(word: &str, message: Option<Cow<'_, str>>) -> Result<Option<Finish>, Error> {
    let reason = match word {
        "" | "FINISH_REASON_UNSPECIFIED" => return Ok(None),
        // The second word isn't Google's, but that of programs that stand in for it.
        "STOP" | "FUNCTION_CALL" => StopReason::Complete,
        "MAX_TOKENS" => StopReason::Length,
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "MODEL_ARMOR" => StopReason::Refusal,
        // The model wrote a call that can't be read, or something else went wrong: what came is not an answer.
        _ => return Err(Error::upstream(format!("Gemini broke its answer off: {}", with(word, message)))),
    };
    let refusal = (reason == StopReason::Refusal).then(|| with(word, message));
    Ok(Some(Finish { reason, refusal }))
}

/// The vendor's word, and what it says about it.
fn with(word: &str, message: Option<Cow<'_, str>>) -> String {
    match message.filter(|message| !message.trim().is_empty()) {
        Some(message) => format!("{word}: {message}"),
        None => word.to_owned(),
    }
}
