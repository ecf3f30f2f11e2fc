//! Writing the conversation: instructions apart, then turns of the user and the assistant, one after the other.

use mortise_sdk::chat::{CachePoint, Message, Part, Request, ResultPart, Role, Thinking, ToolCall, ToolResult};
use mortise_sdk::foreign::is_anothers;
use mortise_sdk::json::{Array, Object};
use mortise_sdk::provider::Error;

use crate::fit;
use crate::media;

/// The parts of neighbours of one role: Converse wants them joined.
struct Turn<'a> {
    assistant: bool,
    parts: Vec<&'a Part>,
}

pub(crate) fn write(body: &mut Object<'_>, request: &Request) -> Result<(), Error> {
    let turns = turns(&request.messages);
    let mut documents = 0;
    let mut list = body.array("messages");
    if turns.first().is_none_or(|turn| turn.assistant) {
        return Err(Error::invalid("the conversation must begin with a message of the role `user`"));
    }
    for (index, turn) in turns.iter().enumerate() {
        let mut message = list.object();
        message.put("role", if turn.assistant { "assistant" } else { "user" });
        let mut content = message.array("content");
        let last = index + 1 == turns.len();
        for (place, part) in turn.parts.iter().enumerate() {
            let end = last && turn.assistant && place + 1 == turn.parts.len();
            write_part(&mut content, part, end, &mut documents)?;
        }
    }
    drop(list);
    write_system(body, &request.messages)
}

fn write_system(body: &mut Object<'_>, messages: &[Message]) -> Result<(), Error> {
    let parts: Vec<&Part> =
        messages.iter().filter(|message| is_instruction(message)).flat_map(|message| &message.parts).collect();
    if !parts.iter().any(|part| is_said(part)) {
        return Ok(());
    }
    let mut list = body.array("system");
    for part in parts {
        match part {
            Part::Text(text) if text.is_empty() => {}
            Part::Text(text) => drop(list.object().put("text", text)),
            Part::CachePoint(point) => write_cache_point(&mut list, point),
            _ => return Err(Error::unsupported("instructions can only hold text for this vendor")),
        }
    }
    Ok(())
}

fn is_instruction(message: &Message) -> bool {
    matches!(message.role, Role::System | Role::Developer)
}

/// Whether a part says anything: an empty text is an error for the vendor.
fn is_said(part: &Part) -> bool {
    !matches!(part, Part::Text(text) if text.trim().is_empty()) && !matches!(part, Part::CachePoint(_))
}

fn turns(messages: &[Message]) -> Vec<Turn<'_>> {
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for message in messages.iter().filter(|message| !is_instruction(message)) {
        let assistant = message.role == Role::Assistant;
        let parts = message.parts.iter().filter(|part| is_said(part) || matches!(part, Part::CachePoint(_)));
        match turns.last_mut().filter(|turn| turn.assistant == assistant) {
            Some(turn) => turn.parts.extend(parts),
            None => turns.push(Turn { assistant, parts: parts.collect() }),
        }
    }
    // Who said nothing isn't there; the neighbours may then be one.
    let mut joined: Vec<Turn<'_>> = Vec::new();
    for turn in turns.into_iter().filter(|turn| turn.parts.iter().any(|part| is_said(part))) {
        match joined.last_mut().filter(|before| before.assistant == turn.assistant) {
            Some(before) => before.parts.extend(turn.parts),
            None => joined.push(turn),
        }
    }
    for turn in joined.iter_mut().filter(|turn| !turn.assistant) {
        // Results come first, each with the cache point after it.
        let mut results = Vec::new();
        let mut others = Vec::new();
        let mut after_result = false;
        for part in turn.parts.drain(..) {
            after_result = match part {
                Part::Outcome(_) => true,
                Part::CachePoint(_) => after_result,
                _ => false,
            };
            if after_result { results.push(part) } else { others.push(part) }
        }
        results.append(&mut others);
        turn.parts = results;
    }
    joined
}

fn write_part(list: &mut Array<'_>, part: &Part, end: bool, documents: &mut usize) -> Result<(), Error> {
    match part {
        // The vendor refuses an answer to be continued that ends in blanks.
        Part::Text(text) if end => drop(list.object().put("text", text.trim_end())),
        Part::Text(text) | Part::Refusal(text) => drop(list.object().put("text", text)),
        Part::Media(item) => media::write(list, item, documents)?,
        Part::Thinking(thinking) => write_thinking(list, thinking),
        Part::Call(call) => write_call(list, call)?,
        Part::Outcome(result) => write_result(list, result, documents)?,
        Part::CachePoint(point) => write_cache_point(list, point),
        Part::Other(_) => {
            return Err(Error::unsupported("a part of a kind that means nothing to this vendor: leave it out"));
        }
    }
    Ok(())
}

/// Thoughts without the vendor's proof are nobody's, and others can't be read: they are left out.
fn write_thinking(list: &mut Array<'_>, thinking: &Thinking) {
    match &thinking.signature {
        _ if is_anothers(thinking) => {}
        _ if thinking.redacted => {
            list.object().object("reasoningContent").put("redactedContent", &thinking.text);
        }
        Some(signature) => {
            let mut block = list.object();
            let mut content = block.object("reasoningContent");
            content.object("reasoningText").put("text", &thinking.text).put("signature", signature);
        }
        None => {}
    }
}

fn write_call(list: &mut Array<'_>, call: &ToolCall) -> Result<(), Error> {
    let mut block = list.object();
    let mut object = block.object("toolUse");
    object.put("toolUseId", &*fit(&call.id)).put("name", &*fit(&call.name));
    let arguments = if call.arguments.trim().is_empty() { "{}" } else { call.arguments.trim() };
    if !arguments.starts_with('{') {
        return Err(Error::invalid(format!("the arguments of the call `{}` must be a JSON object", call.id)));
    }
    object.raw_named("input", format_args!("`arguments` of the call `{}`", call.id), arguments)?;
    Ok(())
}

fn write_result(list: &mut Array<'_>, result: &ToolResult, documents: &mut usize) -> Result<(), Error> {
    let mut block = list.object();
    let mut object = block.object("toolResult");
    object.put("toolUseId", &*fit(&result.call_id));
    let mut content = object.array("content");
    for part in &result.parts {
        match part {
            ResultPart::Text(text) if text.is_empty() => {}
            ResultPart::Text(text) => drop(content.object().put("text", text)),
            ResultPart::Media(item) => media::write(&mut content, item, documents)?,
        }
    }
    drop(content);
    object.put("status", if result.failed { "error" } else { "success" });
    Ok(())
}

pub(crate) fn write_cache_point(list: &mut Array<'_>, point: &CachePoint) {
    let mut block = list.object();
    block.object("cachePoint").put("type", "default").put_some("ttl", point.ttl.as_deref());
}
