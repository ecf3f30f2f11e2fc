//! Writing the conversation: turns of user and model in alternation, and the system's instructions beside them.

use std::collections::BTreeMap;

use mortise_sdk::chat::{Message, Part, ResultPart, Role, ToolCall, ToolResult};
use mortise_sdk::foreign;
use mortise_sdk::json::{Array, Object, check};
use mortise_sdk::provider::Error;

use crate::media::{self, Blob};
use crate::signature::{self, Mark};
use crate::{model, names};

/// What is said where the API wants the user's word and the caller has none.
const NOTHING: &str = " ";

/// A conversation, in the API's order.
#[derive(Debug, Default)]
pub(crate) struct Contents<'a> {
    pub(crate) system: Vec<&'a str>,
    turns: Vec<Turn<'a>>,
}

#[derive(Debug)]
struct Turn<'a> {
    role: Speaker,
    pieces: Vec<Piece<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaker {
    User,
    Model,
}

#[derive(Debug)]
enum Piece<'a> {
    Text { text: &'a str, signature: Option<&'a str> },
    Thought { text: &'a str, signature: &'a str },
    Media(Blob<'a>),
    Call { call: &'a ToolCall, arguments: &'a str, signature: Option<String> },
    Outcome { result: &'a ToolResult, name: &'a str, media: Vec<Blob<'a>> },
}

/// What the reading of a conversation needs to know.
struct Reader<'a> {
    model: &'a str,
    mark: Mark,
    /// The tools of the calls so far, by the calls' ids.
    called: BTreeMap<&'a str, &'a str>,
    contents: Contents<'a>,
}

// === impl Contents ===

impl<'a> Contents<'a> {
    pub(crate) fn of(messages: &'a [Message], model: &'a str) -> Result<Self, Error> {
        let contents = Contents::default();
        let mut reader = Reader { model, mark: Mark::of(model), called: BTreeMap::new(), contents };
        for (index, message) in messages.iter().enumerate() {
            // Whoever sent a hundred messages wants to know which.
            let place = |error: Error| Error { message: format!("messages[{index}]: {}", error.message), ..error };
            message.extra.iter().try_for_each(|field| foreign::check("Gemini", "message", field)).map_err(place)?;
            message.parts.iter().try_for_each(|part| reader.part(message.role, part)).map_err(place)?;
        }
        Ok(reader.contents.complete(model))
    }

    /// Puts in what the API insists on.
    fn complete(mut self, model: &str) -> Self {
        if self.turns.first().is_none_or(|turn| turn.role == Speaker::Model) {
            let pieces = vec![Piece::Text { text: NOTHING, signature: None }];
            self.turns.insert(0, Turn { role: Speaker::User, pieces });
        }
        for turn in &mut self.turns {
            // The results of a turn's calls come before what else was said.
            turn.pieces.sort_by_key(|piece| turn.role == Speaker::User && !matches!(piece, Piece::Outcome { .. }));
            // Of calls that were made together only the first is signed.
            let first = turn.pieces.iter_mut().find_map(|piece| match piece {
                Piece::Call { signature, .. } => Some(signature),
                _ => None,
            });
            if let Some(signature @ None) = first
                && model::is_third_generation(model)
            {
                *signature = Some(signature::SKIP.to_owned());
            }
        }
        self
    }

    pub(crate) fn write(&self, list: &mut Array<'_>) -> Result<(), Error> {
        for turn in &self.turns {
            let mut content = list.object();
            content.put("role", if turn.role == Speaker::User { "user" } else { "model" });
            let mut parts = content.array("parts");
            turn.pieces.iter().try_for_each(|piece| piece.write(&mut parts.object()))?;
        }
        Ok(())
    }
}

// === impl Reader ===

impl<'a> Reader<'a> {
    fn part(&mut self, role: Role, part: &'a Part) -> Result<(), Error> {
        match (role, part) {
            (_, Part::CachePoint(_)) => Ok(()),
            (_, Part::Other(_)) => {
                Err(Error::unsupported("a part of a kind that means nothing to Gemini: leave it out"))
            }
            (_, Part::Text(text)) if text.is_empty() => Ok(()),
            (Role::System | Role::Developer, Part::Text(text)) => {
                self.contents.system.push(text);
                Ok(())
            }
            (Role::System | Role::Developer, Part::Media(_)) => Err(Error::unsupported(
                "images, audio and files can't stand in instructions for Gemini: send them in a user message",
            )),
            (Role::Tool, Part::Outcome(result)) | (Role::User, Part::Outcome(result)) => self.outcome(result),
            (_, Part::Outcome(_)) => {
                Err(Error::invalid("a tool result can only stand in a message of the role `tool` or `user`"))
            }
            (Role::Tool, _) => {
                Err(Error::invalid("a message of the role `tool` must hold tool results and nothing else"))
            }
            (Role::Assistant, part) => self.said(part),
            (_, Part::Text(text)) => self.push(Speaker::User, Piece::Text { text, signature: None }),
            (_, Part::Media(item)) => self.push(Speaker::User, Piece::Media(media::read(item, self.model)?)),
            (_, Part::Call(_)) => stray("a tool call"),
            (_, Part::Thinking(_)) => stray("thinking"),
            (_, Part::Refusal(_)) => stray("a refusal"),
        }
    }

    /// What the model said.
    fn said(&mut self, part: &'a Part) -> Result<(), Error> {
        match part {
            Part::Text(text) | Part::Refusal(text) if text.is_empty() => Ok(()),
            Part::Text(text) | Part::Refusal(text) => self.push(Speaker::Model, Piece::Text { text, signature: None }),
            Part::Media(item) => self.push(Speaker::Model, Piece::Media(media::read(item, self.model)?)),
            Part::Thinking(thinking) if thinking.redacted => match self.mark.take(&thinking.text) {
                Some(signature) => self.sign(signature),
                None => Ok(()),
            },
            Part::Thinking(thinking) => match thinking.signature.as_deref().and_then(|marked| self.mark.take(marked)) {
                Some(signature) => self.push(Speaker::Model, Piece::Thought { text: &thinking.text, signature }),
                // Another model's thoughts are nothing to this one.
                None => Ok(()),
            },
            Part::Call(call) => {
                let arguments = arguments(call)?;
                self.called.insert(&call.id, &call.name);
                let signature = signature::of_call(call);
                self.push(Speaker::Model, Piece::Call { call, arguments, signature })
            }
            Part::Outcome(_) | Part::CachePoint(_) | Part::Other(_) => Ok(()),
        }
    }

    /// Gives the text that was just said its signature; one that came alone goes back alone.
    fn sign(&mut self, marked: &'a str) -> Result<(), Error> {
        let last = self.contents.turns.last_mut().filter(|turn| turn.role == Speaker::Model);
        if let Some(Piece::Text { signature: signature @ None, .. }) = last.and_then(|turn| turn.pieces.last_mut()) {
            *signature = Some(marked);
            return Ok(());
        }
        self.push(Speaker::Model, Piece::Text { text: "", signature: Some(marked) })
    }

    fn outcome(&mut self, result: &'a ToolResult) -> Result<(), Error> {
        let Some(name) = self.called.get(result.call_id.as_str()).copied() else {
            let id = &result.call_id;
            return Err(Error::invalid(format!("no tool call before this message has the id `{id}` of its result")));
        };
        let media = result.parts.iter().filter_map(|part| match part {
            ResultPart::Media(item) => Some(media::read_result(item, self.model)),
            ResultPart::Text(_) => None,
        });
        let media = media.collect::<Result<_, _>>()?;
        self.push(Speaker::User, Piece::Outcome { result, name, media })
    }

    fn push(&mut self, role: Speaker, piece: Piece<'a>) -> Result<(), Error> {
        match self.contents.turns.last_mut().filter(|turn| turn.role == role) {
            Some(turn) => turn.pieces.push(piece),
            None => self.contents.turns.push(Turn { role, pieces: vec![piece] }),
        }
        Ok(())
    }
}

fn stray(what: &str) -> Result<(), Error> {
    Err(Error::invalid(format!("{what} can only stand in a message of the role `assistant`")))
}

/// A call's arguments, which are an object.
fn arguments(call: &ToolCall) -> Result<&str, Error> {
    let what = format_args!("`arguments` of the tool call `{}`", call.id);
    let text = call.arguments.trim();
    match text.as_bytes().first() {
        None => Ok("{}"),
        Some(b'{') => check(what, text),
        Some(_) => Err(Error::invalid(format!("{what} must hold a JSON object"))),
    }
}

// === impl Piece ===

impl Piece<'_> {
    fn write(&self, part: &mut Object<'_>) -> Result<(), Error> {
        match self {
            Self::Text { text, signature } => {
                part.put("text", *text).put_some("thoughtSignature", *signature);
            }
            Self::Thought { text, signature } => {
                part.put("text", *text).put("thought", true).put("thoughtSignature", *signature);
            }
            Self::Media(blob) => blob.write(part),
            Self::Call { call, arguments, signature } => {
                let mut function = part.object("functionCall");
                put_id(&mut function, &call.id);
                function.put("name", &*names::name(&call.name)).raw("args", arguments)?;
                drop(function);
                part.put_some("thoughtSignature", signature.as_deref());
            }
            Self::Outcome { result, name, media } => {
                let mut function = part.object("functionResponse");
                put_id(&mut function, &result.call_id);
                function.put("name", &*names::name(name));
                let texts = result.parts.iter().filter_map(|part| match part {
                    ResultPart::Text(text) => Some(text.as_str()),
                    ResultPart::Media(_) => None,
                });
                let key = if result.failed { "error" } else { "output" };
                function.object("response").put(key, &texts.collect::<Vec<_>>().join("\n"));
                if !media.is_empty() {
                    let mut parts = function.array("parts");
                    media.iter().for_each(|blob| blob.write(&mut parts.object()));
                }
            }
        }
        Ok(())
    }
}

fn put_id(function: &mut Object<'_>, id: &str) {
    function.put_some("id", Some(id).filter(|id| !id.is_empty()));
}
