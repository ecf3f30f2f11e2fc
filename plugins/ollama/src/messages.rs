//! Writing the messages of a chat request.

use std::collections::BTreeMap;

use mortise_sdk::chat::{Media, MediaSource, Message, Part, ResultPart, Role, ToolCall, ToolResult};
use mortise_sdk::foreign;
use mortise_sdk::json::{Array, Object, check};
use mortise_sdk::provider::Error;

/// What the model reads first in the result of a call that failed: the API has no mark for it.
const FAILED: &str = "[the tool call failed]";

/// The tools of the calls so far, by the calls' ids.
type Called<'a> = BTreeMap<&'a str, &'a str>;

pub(crate) fn write(list: &mut Array<'_>, messages: &[Message]) -> Result<(), Error> {
    let mut called = Called::new();
    for (index, message) in messages.iter().enumerate() {
        write_message(list, message, &mut called).map_err(|error| Error {
            // Whoever sent a hundred messages wants to know which.
            message: format!("messages[{index}]: {}", error.message),
            ..error
        })?;
    }
    Ok(())
}

fn write_message<'a>(list: &mut Array<'_>, message: &'a Message, called: &mut Called<'a>) -> Result<(), Error> {
    message.extra.iter().try_for_each(|field| foreign::check("Ollama", "message", field))?;
    // Each result is a message of its own, and comes before what else was said.
    for part in &message.parts {
        if let Part::Outcome(result) = part {
            write_result(list.object(), result, called)?;
        }
    }
    let mut said = Said::default();
    message.parts.iter().try_for_each(|part| said.add(message.role, part))?;
    for call in &said.calls {
        called.insert(&call.id, &call.name);
    }
    if said.is_empty() {
        return Ok(());
    }
    let role = match message.role {
        Role::Tool => {
            return Err(Error::invalid("a message of the role `tool` must hold tool results and nothing else"));
        }
        Role::System | Role::Developer => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    said.write(list.object(), role)
}

/// What a message says, by its kinds.
#[derive(Default)]
struct Said<'a> {
    texts: Vec<&'a str>,
    thoughts: Vec<&'a str>,
    images: Vec<&'a str>,
    calls: Vec<&'a ToolCall>,
}

// === impl Said ===

impl<'a> Said<'a> {
    fn add(&mut self, role: Role, part: &'a Part) -> Result<(), Error> {
        let stray =
            |what: &str| Err(Error::invalid(format!("{what} can only stand in a message of the role `assistant`")));
        match part {
            Part::Text(text) | Part::Refusal(text) if text.is_empty() => {}
            Part::Refusal(_) if role != Role::Assistant => return stray("a refusal"),
            Part::Text(text) | Part::Refusal(text) => self.texts.push(text),
            Part::Media(item) => self.images.push(image(item)?),
            Part::Call(_) if role != Role::Assistant => return stray("a tool call"),
            Part::Call(call) => self.calls.push(call),
            Part::Thinking(_) if role != Role::Assistant => return stray("thinking"),
            Part::Thinking(thinking) if thinking.redacted || thinking.signature.is_some() => {}
            Part::Thinking(thinking) => self.thoughts.push(&thinking.text),
            Part::Other(_) => {
                return Err(Error::unsupported("a part of a kind that means nothing to Ollama: leave it out"));
            }
            Part::CachePoint(_) | Part::Outcome(_) => {}
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.images.is_empty() && self.calls.is_empty()
    }

    fn write(&self, mut message: Object<'_>, role: &str) -> Result<(), Error> {
        message.put("role", role).put("content", &self.texts.join("\n"));
        if !self.thoughts.is_empty() {
            message.put("thinking", self.thoughts.as_slice());
        }
        if !self.images.is_empty() {
            let mut images = message.array("images");
            for image in &self.images {
                images.put(*image);
            }
        }
        if !self.calls.is_empty() {
            let mut calls = message.array("tool_calls");
            for call in &self.calls {
                let mut outer = calls.object();
                outer.put("id", &call.id);
                outer.object("function").put("name", &call.name).raw("arguments", arguments(call)?)?;
            }
        }
        Ok(())
    }
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

/// The data of an image.
fn image(media: &Media) -> Result<&str, Error> {
    if !media.mime.starts_with("image/") {
        return Err(Error::unsupported("Ollama takes images, but no audio, video or files: leave them out"));
    }
    match &media.source {
        MediaSource::Base64(data) => Ok(data),
        MediaSource::Url(_) => Err(Error::unsupported("Ollama fetches no images from addresses: send them in base64")),
        MediaSource::File(_) => Err(Error::unsupported("Ollama holds no files: send images in base64")),
    }
}

fn write_result(mut message: Object<'_>, result: &ToolResult, called: &Called<'_>) -> Result<(), Error> {
    let Some(name) = called.get(result.call_id.as_str()) else {
        let id = &result.call_id;
        return Err(Error::invalid(format!("no tool call before this message has the id `{id}` of its result")));
    };
    let mut texts = if result.failed { vec![FAILED] } else { Vec::new() };
    for part in &result.parts {
        match part {
            ResultPart::Text(text) => texts.push(text),
            ResultPart::Media(_) => {
                return Err(Error::unsupported(
                    "Ollama takes only text in tool results: send images in a user message",
                ));
            }
        }
    }
    message.put("role", "tool").put("content", &texts.join("\n"));
    message.put("tool_name", *name).put("tool_call_id", &result.call_id);
    Ok(())
}
