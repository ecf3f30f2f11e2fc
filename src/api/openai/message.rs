//! OpenAI's messages, read into the chat model.

use serde_json::value::RawValue;

use super::custom;
use super::request::text;
use crate::http::Fields;
use crate::model::chat::{
    CachePoint, Field, Media, MediaSource, Message, Part, ResultPart, Role, Thinking, ToolCall, ToolResult,
};
use crate::model::{Error, Result};

/// Takes `messages`.
///
/// # Errors
/// Names the field that is wrong.
pub(super) fn read_all(body: &mut Fields) -> Result<Vec<Message>> {
    let list = body.take_objects("messages")?.ok_or_else(|| body.missing("messages"))?;
    if list.is_empty() {
        return Err(body.wrong("messages", "it is empty; send at least one message"));
    }
    let mut messages: Vec<Message> = Vec::with_capacity(list.len());
    for fields in list {
        let message = read(fields, &messages)?;
        messages.push(message);
    }
    Ok(messages)
}

fn read(mut fields: Fields, before: &[Message]) -> Result<Message> {
    let role: String = fields.require("role")?;
    let name: Option<String> = fields.take("name")?;
    let (role, parts) = match role.as_str() {
        "system" => (Role::System, content(&mut fields, true)?),
        "developer" => (Role::Developer, content(&mut fields, true)?),
        "user" => (Role::User, content(&mut fields, true)?),
        "assistant" => (Role::Assistant, assistant(&mut fields, before.len())?),
        "function" => {
            let name = name.as_deref().ok_or_else(|| fields.missing("name"))?;
            let call_id =
                unanswered(before, name).ok_or_else(|| fields.wrong("name", "it answers no call before it"))?;
            (Role::Tool, outcome(call_id, content(&mut fields, true)?, &fields.path_of("content"))?)
        }
        "tool" => {
            let call_id = fields.require("tool_call_id")?;
            (Role::Tool, outcome(call_id, content(&mut fields, true)?, &fields.path_of("content"))?)
        }
        _ => return Err(fields.wrong("role", "expected system, developer, user, assistant, tool or function")),
    };
    Ok(Message { role, name, parts, extra: fields.into_extra() })
}

/// The id of the last call of the function `name` that has no answer yet.
fn unanswered(before: &[Message], name: &str) -> Option<String> {
    let parts = || before.iter().flat_map(|message| &message.parts);
    let answered = |id: &str| parts().any(|part| matches!(part, Part::Outcome(result) if result.call_id == id));
    let mut calls = parts().filter_map(|part| if let Part::Call(call) = part { Some(call) } else { None });
    calls.rfind(|call| call.name == name && !answered(&call.id)).map(|call| call.id.clone())
}

/// `place` numbers the message: calls from before there were tools have no ids.
fn assistant(fields: &mut Fields, place: usize) -> Result<Vec<Part>> {
    let mut parts = thoughts(fields)?;
    let function_call = fields.take_object("function_call")?;
    let calls = fields.take_objects("tool_calls")?.unwrap_or_default();
    let refusal: Option<String> = fields.take("refusal")?;
    // An assistant that called or refused need not have said anything.
    let must = calls.is_empty() && refusal.is_none() && function_call.is_none() && !fields.has("audio");
    parts.extend(content(fields, must)?);
    parts.extend(refusal.map(Part::Refusal));
    for mut call in calls {
        let id: String = call.require("id")?;
        let kind: Option<String> = call.take("type")?;
        let (function, arguments) = match kind.as_deref() {
            None | Some("function") => {
                let mut function = call.take_object("function")?.ok_or_else(|| call.missing("function"))?;
                let arguments = function.take("arguments")?.unwrap_or_default();
                (function, arguments)
            }
            Some("custom") => {
                let mut tool = call.take_object("custom")?.ok_or_else(|| call.missing("custom"))?;
                let input: String = tool.require("input")?;
                (tool, custom::wrap(&input))
            }
            Some(kind) => {
                let what = format!("calls of type `{kind}` are not known; `function` and `custom` are");
                return Err(call.wrong("type", &what));
            }
        };
        parts.push(called(id, function, arguments, call.into_extra())?);
    }
    if let Some(mut function) = function_call {
        let arguments = function.take("arguments")?.unwrap_or_default();
        parts.push(called(format!("call_{place}"), function, arguments, Vec::new())?);
    }
    Ok(parts)
}

/// A call; `function` holds its name, and perhaps fields that have none here.
fn called(id: String, mut function: Fields, arguments: String, mut extra: Vec<Field>) -> Result<Part> {
    let name = function.require("name")?;
    extra.extend(function.into_extra());
    Ok(Part::Call(ToolCall { id, name, arguments, extra }))
}

/// Takes what the model thought: at length with signatures, if the caller kept those, or else as words.
fn thoughts(fields: &mut Fields) -> Result<Vec<Part>> {
    let words = fields.take::<String>("reasoning_content")?.filter(|text| !text.is_empty());
    let mut thoughts: Vec<Thinking> = Vec::new();
    for mut detail in fields.take_objects("reasoning_details")?.unwrap_or_default() {
        let kind: String = detail.require("type")?;
        let (text, signature) = match kind.as_str() {
            "reasoning.text" => (detail.take::<String>("text")?, detail.take::<String>("signature")?),
            "reasoning.summary" => (detail.take("summary")?, None),
            "reasoning.encrypted" => {
                thoughts.push(Thinking { text: detail.require("data")?, signature: None, redacted: true });
                continue;
            }
            _ => continue,
        };
        let text = text.unwrap_or_default();
        match thoughts.last_mut() {
            // Pieces of a stream may come as they were.
            Some(last) if !last.redacted && last.signature.is_none() => {
                last.text.push_str(&text);
                last.signature = signature;
            }
            _ => thoughts.push(Thinking { text, signature, redacted: false }),
        }
    }
    if thoughts.is_empty() {
        thoughts.extend(words.map(|text| Thinking { text, signature: None, redacted: false }));
    }
    Ok(thoughts.into_iter().map(Part::Thinking).collect())
}

/// What a call came to, as `said` at `path`, and behind it the last of the points in it until where the vendor may remember.
pub(super) fn outcome(call_id: String, said: Vec<Part>, path: &str) -> Result<Vec<Part>> {
    let (mut parts, mut point) = (Vec::new(), None);
    for part in said {
        match part {
            Part::Text(text) => parts.push(ResultPart::Text(text)),
            Part::Media(media) => parts.push(ResultPart::Media(media)),
            Part::CachePoint(last) => point = Some(Part::CachePoint(last)),
            _ => {
                return Err(Error::invalid(
                    path,
                    format!("Invalid value for {path}: a tool answers in text and media, without further fields"),
                ));
            }
        }
    }
    let outcome = Part::Outcome(ToolResult { call_id, parts, failed: false });
    Ok(std::iter::once(outcome).chain(point).collect())
}

/// Takes `content`: a string or a list of parts.
fn content(fields: &mut Fields, must: bool) -> Result<Vec<Part>> {
    let Some(raw) = fields.take_raw("content") else {
        return if must { Err(fields.missing("content")) } else { Ok(Vec::new()) };
    };
    match raw.get().bytes().next() {
        Some(b'"') => {
            let said: String =
                serde_json::from_str(raw.get()).map_err(|error| fields.wrong("content", &error.to_string()))?;
            Ok(vec![Part::Text(said)])
        }
        Some(b'[') => {
            let elements: Vec<&RawValue> =
                serde_json::from_str(raw.get()).map_err(|error| fields.wrong("content", &error.to_string()))?;
            let path = fields.path_of("content");
            let mut parts = Vec::with_capacity(elements.len());
            for (index, element) in elements.into_iter().enumerate() {
                read_part(element, &format!("{path}[{index}]"), &mut parts)?;
            }
            Ok(parts)
        }
        _ => Err(fields.wrong("content", "expected a string or a list of parts")),
    }
}

/// Reads one part; what this vocabulary can't hold whole is kept untouched.
fn read_part(raw: &RawValue, path: &str, parts: &mut Vec<Part>) -> Result<()> {
    let mut fields = Fields::parse_at(raw, path)?;
    let kind: String = fields.require("type")?;
    let cache = fields.take_object("cache_control")?;
    let mut nested = Vec::new();
    let part = match kind.as_str() {
        "text" => Part::Text(fields.require("text")?),
        "refusal" => Part::Refusal(fields.require("refusal")?),
        "image_url" => {
            let mut image = fields.take_object("image_url")?.ok_or_else(|| fields.missing("image_url"))?;
            let url: String = image.require("url")?;
            let mut media = from_url(&url, "image/*").map_err(|what| image.wrong("url", what))?;
            media.detail = image.take("detail")?;
            nested = image.into_extra();
            Part::Media(media)
        }
        "input_audio" => {
            let mut audio = fields.take_object("input_audio")?.ok_or_else(|| fields.missing("input_audio"))?;
            let format: String = audio.require("format")?;
            let source = MediaSource::Base64(audio.require("data")?);
            nested = audio.into_extra();
            Part::Media(Media { mime: format!("audio/{format}"), source, name: None, detail: None })
        }
        "file" => {
            let mut file = fields.take_object("file")?.ok_or_else(|| fields.missing("file"))?;
            let name = file.take("filename")?;
            let mut media = match (file.take::<String>("file_data")?, file.take::<String>("file_id")?) {
                (Some(data), _) => {
                    from_url(&data, "application/octet-stream").map_err(|what| file.wrong("file_data", what))?
                }
                (None, Some(id)) => Media {
                    mime: "application/octet-stream".into(),
                    source: MediaSource::File(id),
                    name: None,
                    detail: None,
                },
                (None, None) => return Err(file.missing("file_data")),
            };
            media.name = name;
            nested = file.into_extra();
            Part::Media(media)
        }
        _ => Part::Other(raw.get().to_owned()),
    };
    let whole = matches!(part, Part::Other(_)) || (fields.into_extra().is_empty() && nested.is_empty());
    parts.push(if whole { part } else { Part::Other(raw.get().to_owned()) });
    if let (Some(mut cache), true) = (cache, whole) {
        parts.push(Part::CachePoint(CachePoint {
            ttl: cache.take_raw("ttl").map(text).map(|ttl| ttl.trim_matches('"').to_owned()),
        }));
    }
    Ok(())
}

/// An address, or the bytes themselves in a `data:` URL.
pub(super) fn from_url(url: &str, mime: &str) -> Result<Media, &'static str> {
    let media = |mime: &str, source| Media { mime: mime.to_owned(), source, name: None, detail: None };
    let Some(data) = url.strip_prefix("data:") else {
        return if url.starts_with("http://") || url.starts_with("https://") {
            Ok(media(mime, MediaSource::Url(url.to_owned())))
        } else {
            Err("expected an http(s) URL or a data URL")
        };
    };
    let (head, bytes) = data.split_once(',').ok_or("expected data:TYPE;base64,DATA")?;
    let kind = head.strip_suffix(";base64").ok_or("expected base64: data:TYPE;base64,DATA")?;
    Ok(media(if kind.is_empty() { mime } else { kind }, MediaSource::Base64(bytes.to_owned())))
}
