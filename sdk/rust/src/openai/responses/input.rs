//! Writing a conversation as items.

use super::super::messages::FAILED;
use super::super::names;
use super::request::Context;
use crate::chat::{Media, MediaSource, Message, Part, ResultPart, Role, Thinking, ToolResult};
use crate::json::{Array, Object};
use crate::provider::Error;

pub(super) fn write(body: &mut Object<'_>, messages: &[Message], context: Context<'_>) -> Result<(), Error> {
    // What stands first is what this member is for.
    let first = messages.first().filter(|message| message.role == Role::System && message.extra.is_empty());
    let instructions = match first.map(|message| message.parts.as_slice()) {
        Some([Part::Text(text)]) => Some(text),
        _ => None,
    };
    body.put_some("instructions", instructions);
    let mut items = body.array("input");
    for (index, message) in messages.iter().enumerate().skip(usize::from(instructions.is_some())) {
        write_message(&mut items, message, context).map_err(|error| Error {
            // Whoever sent a hundred messages wants to know which.
            message: format!("messages[{index}]: {}", error.message),
            ..error
        })?;
    }
    Ok(())
}

fn write_message(items: &mut Array<'_>, message: &Message, context: Context<'_>) -> Result<(), Error> {
    // Results come before what else was said.
    for part in &message.parts {
        if let Part::Outcome(result) = part {
            write_result(items, result)?;
        }
    }
    let mut rest =
        message.parts.iter().filter(|part| !matches!(part, Part::Outcome(_) | Part::CachePoint(_))).peekable();
    if rest.peek().is_none() && message.parts.iter().any(|part| matches!(part, Part::Outcome(_))) {
        return Ok(());
    }
    let role = match message.role {
        Role::Assistant => return write_assistant(items, message, context),
        Role::Tool => {
            return Err(Error::invalid("a message of the role `tool` must hold tool results and nothing else"));
        }
        Role::System => "system",
        Role::Developer if !context.options.developer_role => "system",
        Role::Developer => "developer",
        Role::User => "user",
    };
    let mut item = items.object();
    item.put("type", "message").put("role", role);
    let mut content = item.array("content");
    for part in rest {
        match part {
            Part::Text(text) => drop(content.object().put("type", "input_text").put("text", text)),
            Part::Media(media) => write_media(&mut content, media)?,
            Part::Other(json) if context.same_dialect => drop(content.raw("a part", json)?),
            Part::Other(_) => {
                return Err(Error::unsupported("a part of a kind that means nothing to this vendor: leave it out"));
            }
            _ => {
                return Err(Error::invalid(
                    "calls, refusals and thinking can only stand in a message of the role `assistant`",
                ));
            }
        }
    }
    drop(content);
    finish(&mut item, message, context)
}

fn finish(item: &mut Object<'_>, message: &Message, context: Context<'_>) -> Result<(), Error> {
    if message.name.is_some() {
        return Err(Error::unsupported(
            "the `name` of a message does not exist where this vendor serves this model (`/responses`): leave it out",
        ));
    }
    message.extra.iter().try_for_each(|field| context.extra(item, "message", field))
}

/// The items of a turn of the model, in the order in which they came; what it said between two others is one message.
fn write_assistant(items: &mut Array<'_>, message: &Message, context: Context<'_>) -> Result<(), Error> {
    let said = |part: &Part| matches!(part, Part::Text(_) | Part::Refusal(_));
    let mut rest = message.parts.as_slice();
    while let Some((part, behind)) = rest.split_first() {
        rest = behind;
        match part {
            Part::Text(_) | Part::Refusal(_) => {
                let more = behind.iter().position(|part| !said(part)).unwrap_or(behind.len());
                let (run, tail) = behind.split_at(more);
                rest = tail;
                let mut item = items.object();
                item.put("type", "message").put("role", "assistant");
                let mut content = item.array("content");
                for part in std::iter::once(part).chain(run) {
                    match part {
                        Part::Text(text) => drop(content.object().put("type", "output_text").put("text", text)),
                        Part::Refusal(text) => drop(content.object().put("type", "refusal").put("refusal", text)),
                        _ => {}
                    }
                }
                drop(content);
                finish(&mut item, message, context)?;
            }
            Part::Thinking(thinking) => write_reasoning(items, thinking),
            Part::Call(call) => {
                let mut item = items.object();
                let arguments = if call.arguments.trim().is_empty() { "{}" } else { call.arguments.as_str() };
                item.put("type", "function_call").put("call_id", &*call_id(&call.id));
                item.put("name", &*names::name(&call.name)).put("arguments", arguments);
                for field in call.extra.iter().filter(|_| context.same_dialect) {
                    item.raw(&field.name, &field.value)?;
                }
            }
            Part::Other(json) if context.same_dialect => drop(items.raw("an item", json)?),
            Part::Other(_) => {
                return Err(Error::unsupported("a part of a kind that means nothing to this vendor: leave it out"));
            }
            Part::Media(_) => {
                return Err(Error::unsupported(
                    "images, audio and files can't stand in a message of the role `assistant` for this vendor",
                ));
            }
            Part::Outcome(_) | Part::CachePoint(_) => {}
        }
    }
    Ok(())
}

/// Reasoning that this vendor has sealed; any other is none of its business.
fn write_reasoning(items: &mut Array<'_>, thinking: &Thinking) {
    let seal = if thinking.redacted { Some(&thinking.text) } else { thinking.signature.as_ref() };
    let seal = seal.and_then(|signature| signature.split_once(':'));
    let Some((id, sealed)) = seal.filter(|(id, _)| id.starts_with("rs_")) else { return };
    let mut item = items.object();
    item.put("type", "reasoning").put("id", id);
    let mut summary = item.array("summary");
    if !thinking.redacted && !thinking.text.is_empty() {
        summary.object().put("type", "summary_text").put("text", &thinking.text);
    }
    drop(summary);
    item.put("encrypted_content", sealed);
}

fn write_result(items: &mut Array<'_>, result: &ToolResult) -> Result<(), Error> {
    let mut item = items.object();
    item.put("type", "function_call_output").put("call_id", &*call_id(&result.call_id));
    let failed = if result.failed { FAILED } else { "" };
    match result.parts.as_slice() {
        [] => drop(item.put("output", failed.trim_end())),
        [ResultPart::Text(text)] => drop(item.put("output", [failed, text.as_str()].as_slice())),
        parts => {
            let mut output = item.array("output");
            if result.failed {
                output.object().put("type", "input_text").put("text", FAILED.trim_end());
            }
            for part in parts {
                match part {
                    ResultPart::Text(text) => drop(output.object().put("type", "input_text").put("text", text)),
                    ResultPart::Media(media) => write_media(&mut output, media)?,
                }
            }
        }
    }
    Ok(())
}

fn write_media(list: &mut Array<'_>, media: &Media) -> Result<(), Error> {
    let image = media.mime.starts_with("image/");
    if !image && (media.mime.starts_with("audio/") || media.mime.starts_with("video/")) {
        return Err(Error::unsupported(
            "audio and video can't be sent where this vendor serves this model (`/responses`): leave them out",
        ));
    }
    let mut part = list.object();
    let (kind, url, data) =
        if image { ("input_image", "image_url", "image_url") } else { ("input_file", "file_url", "file_data") };
    part.put("type", kind);
    match &media.source {
        MediaSource::Url(address) => drop(part.put(url, address)),
        MediaSource::File(id) => drop(part.put("file_id", id)),
        MediaSource::Base64(bytes) => {
            let mime = super::super::media::exact_type(media, bytes)?;
            part.put(data, ["data:", mime, ";base64,", bytes.as_str()].as_slice());
        }
    }
    if !image {
        part.put_some("filename", media.name.as_deref());
    }
    part.put_some("detail", media.detail.as_deref());
    Ok(())
}

fn call_id(whole: &str) -> std::borrow::Cow<'_, str> {
    names::id(whole, super::super::CallIds::Any)
}
