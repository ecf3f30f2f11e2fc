//! What a turn uses of its caller's tokens: guessed before, counted while it goes on, settled when it ends, however it ends.

use super::limit::{Limiter, Reservation};
use crate::model::Result;
use crate::model::caller::Caller;
use crate::model::chat::{Event, Media, Message, Part, Request, ResultPart, Tool, Usage};

/// Bytes of a token, where nothing better is known.
const BYTES: usize = 4;
/// Tokens of an image or a document.
const MEDIA: usize = 1000;
/// Tokens of an answer to who sets no limit.
const ANSWER: u64 = 1000;

/// See the module. Where the caller has no limit, it costs nothing.
pub(super) struct Bill {
    reservation: Option<Reservation>,
    input: u64,
    /// Bytes that were said since the vendor last told what it counted.
    said: usize,
    usage: Option<Usage>,
    /// Whether the model said anything at all.
    spoke: bool,
}

// === impl Bill ===

impl Bill {
    /// Takes what `request` will probably use.
    ///
    /// # Errors
    /// If the caller has used up what is allowed.
    pub(super) fn open(limiter: &Limiter, caller: &Caller, request: &Request) -> Result<Self> {
        if !limiter.counts_tokens(caller) {
            return Ok(Self { reservation: None, input: 0, said: 0, usage: None, spoke: false });
        }
        let answer = request.max_tokens.map_or(ANSWER, u64::from);
        Self::reserve(limiter, caller, estimate(request), answer)
    }

    /// The same for texts without an answer.
    ///
    /// # Errors
    /// If the caller has used up what is allowed.
    pub(super) fn of_texts(limiter: &Limiter, caller: &Caller, texts: &[String]) -> Result<Self> {
        Self::reserve(limiter, caller, tokens(texts.iter().map(String::len).sum()), 0)
    }

    fn reserve(limiter: &Limiter, caller: &Caller, input: u64, answer: u64) -> Result<Self> {
        let reservation = limiter.reserve(caller, input.saturating_add(answer))?;
        Ok(Self { reservation, input, said: 0, usage: None, spoke: false })
    }

    /// The vendor is being asked: who hangs up from now on has used the prompt all the same.
    pub(super) fn asked(&mut self) {
        self.write();
    }

    /// The vendor failed. Who was told nothing pays nothing.
    pub(super) fn failed(&mut self) {
        if let (false, Some(reservation)) = (self.spoke, &mut self.reservation) {
            reservation.spent(0);
        }
    }

    /// The model said `events`.
    pub(super) fn add(&mut self, events: &[Event]) {
        if self.reservation.is_none() {
            return;
        }
        for event in events {
            self.spoke |= event.is_content();
            match event {
                // Some vendors tell the prompt's tokens first and the answer's last.
                Event::Usage(usage) => (self.usage, self.said) = (Some(*usage), 0),
                Event::Text { text, .. }
                | Event::Thinking { text, .. }
                | Event::Refusal { text, .. }
                | Event::CallArguments { text, .. } => self.said += text.len(),
                _ => {}
            }
        }
        self.write();
    }

    /// The vendor told what it counted.
    pub(super) fn told(&mut self, usage: Usage) {
        self.usage = Some(usage);
        self.write();
    }

    fn write(&mut self) {
        let counted = self.usage.map_or(self.input, |usage| usage.total());
        let spent = counted.saturating_add(tokens(self.said));
        if let Some(reservation) = &mut self.reservation {
            reservation.spent(spent);
        }
    }
}

/// The tokens of what `request` gives a model to read, where nobody counted them.
pub(super) fn estimate(request: &Request) -> u64 {
    let tool = |tool: &Tool| tool.name.len() + tool.description.as_ref().map_or(0, String::len) + tool.parameters.len();
    let tools = request.tools.iter().map(tool).chain(request.native_tools.iter().map(String::len));
    tokens(request.messages.iter().map(message).chain(tools).sum())
}

fn tokens(bytes: usize) -> u64 {
    bytes.div_ceil(BYTES) as u64
}

/// Bytes of a message, media by what they usually cost.
fn message(message: &Message) -> usize {
    let part = |part: &Part| match part {
        Part::Text(text) | Part::Refusal(text) | Part::Other(text) => text.len(),
        Part::Media(media) => self::media(media),
        Part::Thinking(thinking) => thinking.text.len(),
        Part::Call(call) => call.name.len() + call.arguments.len(),
        Part::Outcome(outcome) => {
            let part = |part: &ResultPart| match part {
                ResultPart::Text(text) => text.len(),
                ResultPart::Media(media) => self::media(media),
            };
            outcome.parts.iter().map(part).sum()
        }
        Part::CachePoint(_) => 0,
    };
    message.parts.iter().map(part).sum()
}

fn media(_: &Media) -> usize {
    MEDIA * BYTES
}
