//! From messages to turns: the system's words apart, the others alternating, results first.

use std::borrow::Cow;
use std::collections::BTreeSet;

use mortise_sdk::chat::{CachePoint, Field, Media, Message, Part, Role, Thinking, ToolCall, ToolResult};
use mortise_sdk::foreign::is_anothers;
use mortise_sdk::json::{Object, check};
use mortise_sdk::provider::Error;

use crate::foreign;
use crate::ids::Ids;

/// What the user says where somebody must and nobody did.
const FILLER: &str = ".";

/// A request's messages, in the vendor's order.
#[derive(Debug, Default)]
pub(crate) struct Conversation<'a> {
    pub(crate) system: Vec<Block<'a>>,
    pub(crate) turns: Vec<Turn<'a>>,
}

/// All that one side says before the other one does.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pub(crate) speaker: Speaker,
    pub(crate) blocks: Vec<Block<'a>>,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    User,
    Assistant,
}

/// A part of a turn, and the mark behind which the vendor may cache, as JSON.
#[derive(Debug)]
pub(crate) struct Block<'a> {
    pub(crate) body: Body<'a>,
    pub(crate) cache: Option<Cow<'a, str>>,
}

/// What a block holds; ids are the vendor's.
#[derive(Debug)]
pub(crate) enum Body<'a> {
    Text(Cow<'a, str>),
    Media(&'a Media),
    Thinking {
        text: &'a str,
        signature: &'a str,
    },
    Redacted(&'a str),
    Call {
        id: String,
        call: &'a ToolCall,
    },
    Outcome {
        id: String,
        result: &'a ToolResult,
    },
    /// JSON in the vendor's own dialect.
    Other(&'a str),
}

/// Where a message's parts go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    System,
    Turn(Speaker),
}

/// Puts a conversation together.
struct Builder<'a> {
    conversation: Conversation<'a>,
    ids: Ids<'a>,
    /// Whether the caller's untouched parts are in the vendor's dialect.
    same_dialect: bool,
}

// === impl Conversation ===

impl<'a> Conversation<'a> {
    pub(crate) fn of(messages: &'a [Message], same_dialect: bool) -> Result<Self, Error> {
        let mut builder = Builder { conversation: Self::default(), ids: Ids::default(), same_dialect };
        let named = [Role::User, Role::Assistant].map(|role| (role, several_speak(messages, role)));
        for message in messages {
            let told_apart = named.iter().any(|(role, several)| *role == message.role && *several);
            builder.message(message, message.name.as_deref().filter(|_| told_apart))?;
        }
        builder.ids.check()?;
        let mut conversation = builder.conversation;
        conversation.trim();
        if conversation.turns.first().is_none_or(|turn| turn.speaker == Speaker::Assistant) {
            let blocks = vec![Block::new(Body::Text(FILLER.into()))];
            conversation.turns.insert(0, Turn { speaker: Speaker::User, blocks });
        }
        for turn in &mut conversation.turns {
            turn.blocks.sort_by_key(|block| !matches!(block.body, Body::Outcome { .. }));
        }
        Ok(conversation)
    }

    /// Whether the results at the end go to a turn of the assistant's that doesn't begin with its thoughts; a model that thinks
    /// within a budget doesn't go on from there.
    pub(crate) fn lost_its_thoughts(&self) -> bool {
        let Some([assistant, user]) = self.turns.last_chunk::<2>() else { return false };
        let answers = user.blocks.iter().any(|block| matches!(block.body, Body::Outcome { .. }));
        let thought = assistant.blocks.first().is_some_and(|block| block.body.is_thinking());
        answers && !thought
    }

    /// The last words of an assistant whom the vendor is to continue must not end in blanks.
    fn trim(&mut self) {
        let Some(turn) = self.turns.last_mut().filter(|turn| turn.speaker == Speaker::Assistant) else { return };
        while let Some(Block { body: Body::Text(text), .. }) = turn.blocks.last_mut() {
            let end = text.trim_end().len();
            match text {
                _ if end == 0 => drop(turn.blocks.pop()),
                Cow::Borrowed(text) => {
                    *text = text.get(..end).unwrap_or_default();
                    return;
                }
                Cow::Owned(text) => return text.truncate(end),
            }
        }
        if turn.blocks.is_empty() {
            self.turns.pop();
        }
    }
}

// === impl Builder ===

impl<'a> Builder<'a> {
    fn message(&mut self, message: &'a Message, name: Option<&'a str>) -> Result<(), Error> {
        let place = match message.role {
            Role::System | Role::Developer => Place::System,
            Role::User | Role::Tool => Place::Turn(Speaker::User),
            Role::Assistant => Place::Turn(Speaker::Assistant),
        };
        let mut name = name;
        for part in &message.parts {
            if let (Some(speaker), false) = (name, matches!(part, Part::Thinking(_) | Part::CachePoint(_))) {
                name = None;
                match part {
                    Part::Text(text) => {
                        self.push(place, Body::Text(format!("{speaker}: {text}").into()))?;
                        continue;
                    }
                    _ => self.push(place, Body::Text(format!("{speaker}:").into()))?,
                }
            }
            self.part(place, part)?;
        }
        for field in &message.extra {
            self.field(place, field)?;
        }
        Ok(())
    }

    fn part(&mut self, place: Place, part: &'a Part) -> Result<(), Error> {
        let assistants = place == Place::Turn(Speaker::Assistant);
        let body = match part {
            Part::Text(text) | Part::Refusal(text) => Body::Text(text.into()),
            Part::CachePoint(point) => {
                self.mark(place, cache_control(point));
                return Ok(());
            }
            Part::Thinking(thinking) if assistants && is_anothers(thinking) => return Ok(()),
            Part::Thinking(thinking) if assistants => match thinking {
                Thinking { text, redacted: true, .. } => Body::Redacted(text),
                Thinking { text, signature: Some(signature), .. } if !signature.is_empty() => {
                    Body::Thinking { text, signature }
                }
                // The vendor reads no thoughts that it has not signed.
                _ => return Ok(()),
            },
            Part::Call(call) if assistants => {
                self.turn(Speaker::Assistant)?;
                Body::Call { id: self.ids.call(&call.id), call }
            }
            Part::Media(media) if place == Place::Turn(Speaker::User) => Body::Media(media),
            Part::Outcome(result) if place == Place::Turn(Speaker::User) => {
                Body::Outcome { id: self.ids.result(&result.call_id)?, result }
            }
            Part::Other(json) if self.same_dialect => Body::Other(check("a part of a message", json)?),
            other => return Err(misplaced(place, other)),
        };
        self.push(place, body)
    }

    /// Nothing but blanks is nothing to the vendor.
    fn push(&mut self, place: Place, body: Body<'a>) -> Result<(), Error> {
        if matches!(&body, Body::Text(text) if text.trim().is_empty()) {
            return Ok(());
        }
        let blocks = match place {
            Place::System => &mut self.conversation.system,
            Place::Turn(speaker) => self.turn(speaker)?,
        };
        blocks.push(Block::new(body));
        Ok(())
    }

    /// The blocks of the turn that goes on or begins.
    fn turn(&mut self, speaker: Speaker) -> Result<&mut Vec<Block<'a>>, Error> {
        let turns = &mut self.conversation.turns;
        if turns.last().is_none_or(|turn| turn.speaker != speaker) {
            if speaker == Speaker::Assistant {
                self.ids.check()?;
            }
            turns.push(Turn { speaker, blocks: Vec::new() });
        }
        match turns.last_mut() {
            Some(turn) => Ok(&mut turn.blocks),
            None => Err(Error::invalid("a conversation needs a turn")),
        }
    }

    /// Marks the last block so far that can bear it. Where there is none there is nothing to cache.
    fn mark(&mut self, place: Place, mark: Cow<'a, str>) {
        let Conversation { system, turns } = &mut self.conversation;
        let turns = turns.iter_mut().rev().flat_map(|turn| turn.blocks.iter_mut().rev());
        let before = system.iter_mut().rev();
        let last = match place {
            Place::System => before.into_iter().find(|block| block.body.bears_marks()),
            Place::Turn(_) => turns.chain(before).find(|block| block.body.bears_marks()),
        };
        if let Some(block) = last {
            block.cache.get_or_insert(mark);
        }
    }

    fn field(&mut self, place: Place, field: &'a Field) -> Result<(), Error> {
        if field.name != foreign::CACHE {
            return foreign::in_message(field);
        }
        self.mark(place, check("`cache_control` of a message", &field.value)?.into());
        Ok(())
    }
}

// === impl Block, Body ===

impl<'a> Block<'a> {
    fn new(body: Body<'a>) -> Self {
        Self { body, cache: None }
    }
}

impl Body<'_> {
    fn is_thinking(&self) -> bool {
        matches!(self, Self::Thinking { .. } | Self::Redacted(_))
    }

    fn bears_marks(&self) -> bool {
        !self.is_thinking() && !matches!(self, Self::Other(_))
    }
}

/// Whether names tell the speakers of one role apart.
fn several_speak(messages: &[Message], role: Role) -> bool {
    let speakers: BTreeSet<_> =
        messages.iter().filter(|message| message.role == role).map(|message| message.name.as_deref()).collect();
    speakers.len() > 1
}

fn cache_control(point: &CachePoint) -> Cow<'static, str> {
    let mut bytes = Vec::new();
    Object::open(&mut bytes).put("type", "ephemeral").put_some("ttl", point.ttl.as_deref());
    Cow::Owned(String::from_utf8(bytes).unwrap_or_default())
}

fn misplaced(place: Place, part: &Part) -> Error {
    let what = match part {
        Part::Media(_) => "images and files",
        Part::Thinking(_) => "thinking",
        Part::Call(_) => "tool calls",
        Part::Outcome(_) => "tool results",
        _ => return Error::unsupported("a part of a message means nothing to this vendor: leave it out"),
    };
    let whose = match place {
        Place::System => "system",
        Place::Turn(Speaker::User) => "user",
        Place::Turn(Speaker::Assistant) => "assistant",
    };
    Error::unsupported(format!("this vendor takes no {what} in {whose} messages"))
}
