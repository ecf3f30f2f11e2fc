//! Writing turns and their blocks.

use mortise_sdk::chat::{ResultPart, ToolCall, ToolResult};
use mortise_sdk::json::{Array, Object};
use mortise_sdk::provider::Error;

use crate::turns::{Block, Body, Conversation, Speaker};
use crate::{foreign, media, names};

pub(crate) fn write(body: &mut Object<'_>, conversation: &Conversation<'_>) -> Result<(), Error> {
    if !conversation.system.is_empty() {
        write_content(body, "system", &conversation.system)?;
    }
    let mut messages = body.array("messages");
    for turn in &conversation.turns {
        let mut message = messages.object();
        message.put("role", if turn.speaker == Speaker::User { "user" } else { "assistant" });
        write_content(&mut message, "content", &turn.blocks)?;
    }
    Ok(())
}

/// A text alone is written as such.
fn write_content(object: &mut Object<'_>, key: &str, blocks: &[Block<'_>]) -> Result<(), Error> {
    if let [Block { body: Body::Text(text), cache: None }] = blocks {
        object.put(key, &**text);
        return Ok(());
    }
    let mut list = object.array(key);
    blocks.iter().try_for_each(|block| write_block(&mut list, block))
}

fn write_block(list: &mut Array<'_>, block: &Block<'_>) -> Result<(), Error> {
    if let Body::Other(json) = block.body {
        list.raw("a part of a message", json)?;
        return Ok(());
    }
    let mut object = list.object();
    match &block.body {
        Body::Text(text) => drop(object.put("type", "text").put("text", &**text)),
        Body::Media(item) => media::write(&mut object, item)?,
        Body::Thinking { text, signature } => {
            object.put("type", "thinking").put("thinking", *text).put("signature", *signature);
        }
        Body::Redacted(data) => drop(object.put("type", "redacted_thinking").put("data", *data)),
        Body::Call { id, call } => write_call(&mut object, id, call)?,
        Body::Outcome { id, result } => write_result(&mut object, id, result)?,
        Body::Other(_) => {}
    }
    if let Some(mark) = &block.cache {
        object.raw(foreign::CACHE, mark)?;
    }
    Ok(())
}

fn write_call(object: &mut Object<'_>, id: &str, call: &ToolCall) -> Result<(), Error> {
    object.put("type", "tool_use").put("id", id).put("name", &*names::name(&call.name));
    let arguments = call.arguments.trim();
    match serde_json::from_str::<serde::de::IgnoredAny>(arguments) {
        _ if arguments.is_empty() => drop(object.object("input")),
        Ok(_) if arguments.starts_with('{') => drop(object.raw("input", arguments)?),
        Ok(_) if arguments == "null" => drop(object.object("input")),
        // The vendor takes nothing but an object, and the conversation has to go on.
        Ok(_) => drop(object.object("input").raw("arguments", arguments)?),
        Err(_) => drop(object.object("input").put("arguments", &call.arguments)),
    }
    for field in call.extra.iter().filter(|field| foreign::ON_CALLS.contains(&field.name.as_str())) {
        object.raw(&field.name, &field.value)?;
    }
    Ok(())
}

fn write_result(object: &mut Object<'_>, id: &str, result: &ToolResult) -> Result<(), Error> {
    object.put("type", "tool_result").put("tool_use_id", id);
    let said = |part: &&ResultPart| !matches!(part, ResultPart::Text(text) if text.trim().is_empty());
    let parts: Vec<&ResultPart> = result.parts.iter().filter(said).collect();
    match parts.as_slice() {
        [] => {}
        [ResultPart::Text(text)] => drop(object.put("content", text)),
        parts => {
            let mut list = object.array("content");
            for part in parts {
                let mut block = list.object();
                match part {
                    ResultPart::Text(text) => drop(block.put("type", "text").put("text", text)),
                    ResultPart::Media(item) => media::write(&mut block, item)?,
                }
            }
        }
    }
    if result.failed {
        object.put("is_error", true);
    }
    Ok(())
}
