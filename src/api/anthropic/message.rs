//! Anthropic's messages, read into the chat model.

use serde_json::value::RawValue;

use super::{arguments, ids, media};
use crate::http::Fields;
use crate::model::Result;
use crate::model::chat::{CachePoint, Field, Message, Part, ResultPart, Role, Thinking, ToolCall, ToolResult};

/// Takes `system`, if it says anything.
///
/// # Errors
/// Names the field that is wrong.
pub(super) fn system(body: &mut Fields) -> Result<Option<Message>> {
    let mut parts = content(body, "system", Depth::Message)?.unwrap_or_default();
    parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
    Ok((!parts.is_empty()).then(|| Message { role: Role::System, name: None, parts, extra: Vec::new() }))
}

/// Takes `messages`.
///
/// # Errors
/// Names the field that is wrong.
pub(super) fn read_all(body: &mut Fields) -> Result<Vec<Message>> {
    let list = body.take_objects("messages")?.ok_or_else(|| body.missing("messages"))?;
    if list.is_empty() {
        return Err(body.wrong("messages", "at least one message is required"));
    }
    list.into_iter().map(read).collect()
}

fn read(mut fields: Fields) -> Result<Message> {
    let role: String = fields.require("role")?;
    let role = match role.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        // In the midst of a conversation; what stands before it is the field `system`.
        "system" => Role::System,
        _ => return Err(fields.wrong("role", "expected user, assistant or system")),
    };
    let parts = content(&mut fields, "content", Depth::Message)?.ok_or_else(|| fields.missing("content"))?;
    Ok(Message { role, name: None, parts, extra: fields.into_extra() })
}

/// Where blocks stand: what stands within a block holds no further ones, or a short body would take long to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// In a message.
    Message,
    /// In a block of one.
    Block,
}

/// Takes `name`: a string or a list of blocks.
pub(super) fn content(fields: &mut Fields, name: &str, depth: Depth) -> Result<Option<Vec<Part>>> {
    let Some(raw) = fields.take_raw(name) else { return Ok(None) };
    let wrong = |fields: &Fields, error: serde_json::Error| fields.wrong(name, &error.to_string());
    match raw.get().bytes().next() {
        Some(b'"') => {
            let said: String = serde_json::from_str(raw.get()).map_err(|error| wrong(fields, error))?;
            Ok(Some(vec![Part::Text(said)]))
        }
        Some(b'[') => {
            let blocks: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|error| wrong(fields, error))?;
            let path = fields.path_of(name);
            let mut parts = Vec::with_capacity(blocks.len());
            for (index, block) in blocks.into_iter().enumerate() {
                read_block(block, &format!("{path}[{index}]"), depth, &mut parts)?;
            }
            Ok(Some(parts))
        }
        _ => Err(fields.wrong(name, "expected a string or a list of blocks")),
    }
}

/// Reads one block; what this vocabulary can't hold whole is kept untouched.
fn read_block(raw: &RawValue, path: &str, depth: Depth, parts: &mut Vec<Part>) -> Result<()> {
    let mut fields = Fields::parse_at(raw, path)?;
    let kind: String = fields.require("type")?;
    let cache = fields.take_object("cache_control")?;
    let known = match kind.as_str() {
        "text" => text(&mut fields)?,
        "image" => media::image(&mut fields)?.map(|media| vec![Part::Media(media)]),
        "document" => media::document(&mut fields, depth)?,
        _ if depth == Depth::Block => None,
        "thinking" => Some(vec![thinking(&mut fields)?]),
        "redacted_thinking" => {
            let text = fields.require("data")?;
            Some(vec![Part::Thinking(Thinking { text, signature: None, redacted: true })])
        }
        "tool_use" => Some(vec![call(&mut fields)?]),
        "tool_result" => outcome(&mut fields)?.map(|outcome| vec![Part::Outcome(outcome)]),
        _ => None,
    };
    match (known, rest(fields)) {
        (Some(mut known), mut rest) if rest.is_empty() || kind == "tool_use" => {
            if let Some(Part::Call(call)) = known.first_mut() {
                call.extra.append(&mut rest);
            }
            parts.append(&mut known);
            if let Some(mut cache) = cache {
                let ttl = cache.take_raw("ttl").map(|ttl| ttl.get().trim_matches('"').to_owned());
                parts.push(Part::CachePoint(CachePoint { ttl }));
            }
        }
        _ => parts.push(Part::Other(raw.get().to_owned())),
    }
    Ok(())
}

/// What nobody took and isn't null.
pub(super) fn rest(fields: Fields) -> Vec<Field> {
    fields.into_extra().into_iter().filter(|field| field.value != "null").collect()
}

/// A text; one that cites is the vendor's own.
fn text(fields: &mut Fields) -> Result<Option<Vec<Part>>> {
    let text = fields.require("text")?;
    let citations = fields.take::<Vec<Box<RawValue>>>("citations");
    let cites = citations.map_or(true, |citations| citations.is_some_and(|citations| !citations.is_empty()));
    Ok((!cites).then(|| vec![Part::Text(text)]))
}

fn thinking(fields: &mut Fields) -> Result<Part> {
    let text = fields.require("thinking")?;
    // Empty where another vendor's model thought: they sign nothing.
    let signature = fields.take("signature")?.filter(|signature: &String| !signature.is_empty());
    Ok(Part::Thinking(Thinking { text, signature, redacted: false }))
}

fn call(fields: &mut Fields) -> Result<Part> {
    let id = ids::inward(fields.require("id")?);
    let name = fields.require("name")?;
    let arguments = fields.take_object_raw("input")?.ok_or_else(|| fields.missing("input"))?;
    Ok(Part::Call(ToolCall { id, name, arguments: arguments::inward(arguments), extra: Vec::new() }))
}

/// What a tool answered, if it answered in text and media.
fn outcome(fields: &mut Fields) -> Result<Option<ToolResult>> {
    let call_id = ids::inward(fields.require("tool_use_id")?);
    let failed = fields.take("is_error")?.unwrap_or_default();
    let parts =
        content(fields, "content", Depth::Block)?.unwrap_or_default().into_iter().filter_map(|part| match part {
            Part::Text(text) => Some(Some(ResultPart::Text(text))),
            Part::Media(media) => Some(Some(ResultPart::Media(media))),
            Part::CachePoint(_) => None,
            _ => Some(None),
        });
    Ok(parts.collect::<Option<Vec<_>>>().map(|parts| ToolResult { call_id, parts, failed }))
}
