//! Writing the messages of a chat request.

use super::request::Context;
use super::{ThinkingField, media, names};
use crate::chat::{Message, Part, ResultPart, Role, ToolResult};
use crate::json::{Array, Object, Scalar};
use crate::provider::Error;

/// What the model reads first in the result of a call that failed: the dialect has no mark for it.
pub(super) const FAILED: &str = "[the tool call failed] ";

pub(super) fn write(list: &mut Array<'_>, messages: &[Message], context: Context<'_>) -> Result<(), Error> {
    for (index, message) in messages.iter().enumerate() {
        write_message(list, message, context).map_err(|error| Error {
            // Whoever sent a hundred messages wants to know which.
            message: format!("messages[{index}]: {}", error.message),
            ..error
        })?;
    }
    Ok(())
}

fn write_message(list: &mut Array<'_>, message: &Message, context: Context<'_>) -> Result<(), Error> {
    // In this dialect each result is a message of its own, and comes before what else was said.
    let mut results = false;
    for part in &message.parts {
        if let Part::Outcome(result) = part {
            results = true;
            let mut object = list.object();
            write_result(&mut object, result, context)?;
            if message.role == Role::Tool {
                finish(&mut object, message, context)?;
            }
        }
    }
    let rest = message.parts.iter().any(|part| !matches!(part, Part::Outcome(_) | Part::CachePoint(_)));
    match message.role {
        _ if results && !rest => Ok(()),
        Role::Tool => Err(Error::invalid("a message of the role `tool` must hold tool results and nothing else")),
        Role::Assistant => write_assistant(list.object(), message, context),
        Role::System => write_prompt(list.object(), "system", message, context),
        Role::Developer if !context.options.developer_role => write_prompt(list.object(), "system", message, context),
        Role::Developer => write_prompt(list.object(), "developer", message, context),
        Role::User => write_prompt(list.object(), "user", message, context),
    }
}

fn finish(object: &mut Object<'_>, message: &Message, context: Context<'_>) -> Result<(), Error> {
    object.put_some("name", message.name.as_deref());
    message.extra.iter().try_for_each(|field| context.extra(object, "message", field))
}

/// Parts that stand in the content; the rest has fields of its own or is a hint.
fn content(message: &Message) -> impl Iterator<Item = &Part> {
    message.parts.iter().filter(|part| matches!(part, Part::Text(_) | Part::Media(_) | Part::Other(_)))
}

fn write_prompt(mut object: Object<'_>, role: &str, message: &Message, context: Context<'_>) -> Result<(), Error> {
    object.put("role", role);
    for part in &message.parts {
        let stray = match part {
            Part::Call(_) => "a tool call",
            Part::Refusal(_) => "a refusal",
            Part::Thinking(_) => "thinking",
            _ => continue,
        };
        return Err(Error::invalid(format!("{stray} can only stand in a message of the role `assistant`")));
    }
    let mut parts = content(message);
    match (parts.next(), parts.next()) {
        (None, _) => drop(object.put("content", "")),
        (Some(Part::Text(text)), None) => drop(object.put("content", text)),
        _ => {
            let mut list = object.array("content");
            for part in content(message) {
                match part {
                    Part::Media(_) if role != "user" => {
                        return Err(Error::unsupported(format!(
                            "images, audio and files can't stand in a message of the role `{role}` for this vendor: \
                             send them in a user message"
                        )));
                    }
                    Part::Media(item) => media::write(&mut list, item)?,
                    part => write_part(&mut list, part, context)?,
                }
            }
        }
    }
    finish(&mut object, message, context)
}

fn write_part(list: &mut Array<'_>, part: &Part, context: Context<'_>) -> Result<(), Error> {
    match part {
        Part::Text(text) => drop(list.object().put("type", "text").put("text", text)),
        Part::Other(json) if context.same_dialect => drop(list.raw("a part", json)?),
        Part::Other(_) => {
            return Err(Error::unsupported("a part of a kind that means nothing to this vendor: leave it out"));
        }
        _ => {}
    }
    Ok(())
}

fn write_assistant(mut object: Object<'_>, message: &Message, context: Context<'_>) -> Result<(), Error> {
    object.put("role", "assistant");
    let calls = || message.parts.iter().filter_map(|part| if let Part::Call(call) = part { Some(call) } else { None });
    let refusals = pieces(message, |part| if let Part::Refusal(text) = part { Some(text.as_str()) } else { None });
    let replay = context.options.replay_thinking;
    let thoughts = pieces(message, |part| match part {
        Part::Thinking(thinking) if replay.is_some() && !thinking.redacted => Some(thinking.text.as_str()),
        _ => None,
    });
    let thoughts_within = replay == Some(ThinkingField::Content) && !thoughts.is_empty();
    let mut parts = content(message);
    match (parts.next(), parts.next()) {
        _ if thoughts_within => write_content(&mut object, message, &thoughts, context)?,
        (None, _) if calls().next().is_some() || !refusals.is_empty() => drop(object.put("content", Scalar::Null)),
        (None, _) => drop(object.put("content", "")),
        (Some(Part::Text(text)), None) => drop(object.put("content", text)),
        _ => write_content(&mut object, message, &[], context)?,
    }
    if !refusals.is_empty() {
        object.put("refusal", refusals.as_slice());
    }
    if let Some(field) = replay.filter(|_| !thoughts.is_empty() && !thoughts_within) {
        object.put(field.name(), thoughts.as_slice());
    }
    if calls().next().is_some() {
        let mut list = object.array("tool_calls");
        for call in calls() {
            let mut outer = list.object();
            outer.put("id", &*names::id(&call.id, context.options.call_ids)).put("type", "function");
            let arguments = if call.arguments.trim().is_empty() { "{}" } else { call.arguments.as_str() };
            outer.object("function").put("name", &*names::name(&call.name)).put("arguments", arguments);
            // Such as a signature, which means nothing to another vendor.
            for field in call.extra.iter().filter(|_| context.same_dialect) {
                outer.raw(&field.name, &field.value)?;
            }
        }
    }
    finish(&mut object, message, context)
}

/// Content in parts, what the model thought first.
fn write_content(
    object: &mut Object<'_>,
    message: &Message,
    thoughts: &[&str],
    context: Context<'_>,
) -> Result<(), Error> {
    let mut list = object.array("content");
    if !thoughts.is_empty() {
        let mut part = list.object();
        part.put("type", "thinking").array("thinking").object().put("type", "text").put("text", thoughts);
    }
    for part in content(message) {
        if matches!(part, Part::Media(_)) {
            return Err(Error::unsupported(
                "images, audio and files can't stand in a message of the role `assistant` for this vendor",
            ));
        }
        write_part(&mut list, part, context)?;
    }
    Ok(())
}

fn pieces<'a>(message: &'a Message, pick: impl Fn(&'a Part) -> Option<&'a str>) -> Vec<&'a str> {
    message.parts.iter().filter_map(pick).collect()
}

fn write_result(object: &mut Object<'_>, result: &ToolResult, context: Context<'_>) -> Result<(), Error> {
    object.put("role", "tool").put("tool_call_id", &*names::id(&result.call_id, context.options.call_ids));
    let failed = if result.failed { FAILED } else { "" };
    match result.parts.as_slice() {
        [] => drop(object.put("content", failed.trim_end())),
        [ResultPart::Text(text)] => drop(object.put("content", [failed, text.as_str()].as_slice())),
        parts => {
            let mut list = object.array("content");
            if result.failed {
                list.object().put("type", "text").put("text", FAILED.trim_end());
            }
            for part in parts {
                match part {
                    ResultPart::Text(text) => drop(list.object().put("type", "text").put("text", text)),
                    ResultPart::Media(item) if context.options.media_in_results => media::write(&mut list, item)?,
                    ResultPart::Media(_) => {
                        return Err(Error::unsupported(
                            "this vendor takes only text in tool results: send images and files in a user message",
                        ));
                    }
                }
            }
        }
    }
    Ok(())
}
