//! The items of a conversation, read into the chat model.

use serde_json::value::RawValue;

use super::sealed::Sealed;
use super::tools::{Offer, SEARCH, offered};
use crate::api::openai::custom;
use crate::api::openai::message::{from_url, outcome};
use crate::http::Fields;
use crate::model::chat::{
    CachePoint, Field, Media, MediaSource, Message, Part, ResultPart, Role, Thinking, ToolCall, ToolResult,
};
use crate::model::{Error, Kind, Result};

/// What the model's side of an item may have beside what it says.
const IGNORED: [&str; 5] = ["id", "status", "phase", "caller", "async"];

/// Puts items together to messages: what the model said and called in one turn is one message.
#[derive(Default)]
pub(super) struct Conversation {
    pub(super) messages: Vec<Message>,
    /// Vendors' fields of calls that are still to come, by the call's id.
    sealed: Vec<(String, Vec<Field>)>,
}

// === impl Conversation ===

impl Conversation {
    /// Takes `input`: a text, or a list of items. Tools that come among the items join `offer`.
    ///
    /// # Errors
    /// Names the field that is wrong.
    pub(super) fn read(&mut self, body: &mut Fields, offer: &mut Offer) -> Result<()> {
        let raw = body.take_raw("input").ok_or_else(|| body.missing("input"))?;
        if let Ok(said) = serde_json::from_str::<String>(raw.get()) {
            self.messages.push(Message::text(Role::User, said));
            return Ok(());
        }
        let Ok(items) = serde_json::from_str::<Vec<Box<RawValue>>>(raw.get()) else {
            return Err(body.wrong("input", "expected a string or a list of items"));
        };
        if items.is_empty() {
            return Err(body.wrong("input", "it is empty; send at least one item"));
        }
        for (index, item) in items.iter().enumerate() {
            self.item(Fields::parse_at(item, &format!("input[{index}]"))?, item, offer)?;
        }
        Ok(())
    }

    fn item(&mut self, mut item: Fields, raw: &RawValue, offer: &mut Offer) -> Result<()> {
        let kind = item.take::<String>("type")?;
        match kind.as_deref() {
            Some("message") | None => self.message(item)?,
            Some("reasoning") => self.reasoning(item)?,
            Some("function_call") => {
                let (id, name) = (item.require("call_id")?, item.require::<String>("name")?);
                let namespace: Option<String> = item.take("namespace")?;
                let arguments = item.take("arguments")?.unwrap_or_default();
                self.call(id, offered(&name, namespace.as_deref()), arguments, beside(item));
            }
            Some("custom_tool_call") => {
                let (id, name) = (item.require("call_id")?, item.require::<String>("name")?);
                let namespace: Option<String> = item.take("namespace")?;
                let arguments = custom::wrap(&item.require::<String>("input")?);
                self.call(id, offered(&name, namespace.as_deref()), arguments, beside(item));
            }
            Some("tool_search_call") if item.has("call_id") => {
                let arguments = item.take_raw("arguments").map(|raw| raw.get().to_owned()).unwrap_or_default();
                self.call(item.require("call_id")?, SEARCH.into(), arguments, Vec::new());
            }
            Some("function_call_output" | "custom_tool_call_output") => {
                let call_id = item.require("call_id")?;
                self.answered(outcome(call_id, content(&mut item, "output")?, &item.path_of("output"))?);
            }
            Some("tool_search_output") if item.has("call_id") => {
                let call_id = item.require("call_id")?;
                let raw = item.take_raw("tools").ok_or_else(|| item.missing("tools"))?;
                let path = item.path_of("tools");
                let Ok(tools) = serde_json::from_str::<Vec<Box<RawValue>>>(raw.get()) else {
                    return Err(item.wrong("tools", "expected a list"));
                };
                offer.add_all(&tools, &path, None)?;
                let parts = vec![ResultPart::Text(raw.get().to_owned())];
                self.answered(vec![Part::Outcome(ToolResult { call_id, parts, failed: false })]);
            }
            Some("additional_tools") => {
                let path = item.path_of("tools");
                let tools: Vec<Box<RawValue>> = item.require("tools")?;
                offer.add_all(&tools, &path, None)?;
            }
            Some("item_reference") => {
                let path = item.path_of("type");
                let cure = "answers are not kept here; send the item itself instead of an item_reference";
                return Err(
                    Error::caller(Kind::Unsupported, format!("Unsupported value for {path}: {cure}")).with_param(path)
                );
            }
            // The doings of a tool that the vendor runs itself belong to the model's turn.
            Some(_) => self.said(Part::Other(raw.get().to_owned())),
        }
        Ok(())
    }

    fn message(&mut self, mut item: Fields) -> Result<()> {
        let role: String = item.require("role")?;
        let role = match role.as_str() {
            "system" => Role::System,
            "developer" => Role::Developer,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            _ => return Err(item.wrong("role", "expected system, developer, user or assistant")),
        };
        let parts = content(&mut item, "content")?;
        let extra = beside(item);
        if role != Role::Assistant {
            self.messages.push(Message { role, name: None, parts, extra });
            return Ok(());
        }
        let message = self.turn(true);
        message.parts.extend(parts);
        message.extra.extend(extra);
        Ok(())
    }

    fn reasoning(&mut self, mut item: Fields) -> Result<()> {
        let mut texts = Vec::new();
        for (list, kind) in [("content", "reasoning_text"), ("summary", "summary_text")] {
            let mut said = Vec::new();
            for mut part in item.take_objects(list)?.unwrap_or_default() {
                if part.take::<String>("type")?.is_some_and(|found| found != kind) {
                    return Err(part.wrong("type", &format!("expected {kind}")));
                }
                said.push(part.require::<String>("text")?);
            }
            texts.push(said.join("\n\n"));
        }
        // The summary is a short form of the content, where both are there.
        let text = texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
        let sealed = item.take::<String>("encrypted_content")?.filter(|text| !text.is_empty()).map(Sealed::read);
        let thinking = match sealed {
            Some(Sealed::Call { id, extra }) => {
                self.sealed.push((id, extra));
                return Ok(());
            }
            Some(Sealed::Redacted(text)) => Thinking { text, signature: None, redacted: true },
            Some(Sealed::Signature(signature)) => Thinking { text, signature: Some(signature), redacted: false },
            None if text.is_empty() => return Ok(()),
            None => Thinking { text, signature: None, redacted: false },
        };
        self.turn(true).parts.push(Part::Thinking(thinking));
        Ok(())
    }

    fn call(&mut self, id: String, name: String, arguments: String, mut extra: Vec<Field>) {
        if let Some(place) = self.sealed.iter().position(|(sealed, _)| *sealed == id) {
            let (_, fields) = self.sealed.swap_remove(place);
            extra.retain(|field| fields.iter().all(|sealed| sealed.name != field.name));
            extra.extend(fields);
        }
        self.said(Part::Call(ToolCall { id, name, arguments, extra }));
    }

    fn said(&mut self, part: Part) {
        self.turn(false).parts.push(part);
    }

    fn answered(&mut self, parts: Vec<Part>) {
        self.messages.push(Message { role: Role::Tool, name: None, parts, extra: Vec::new() });
    }

    /// The model's message that goes on. What it says after it has spoken, without a call, is a message of its own: `speaks`.
    fn turn(&mut self, speaks: bool) -> &mut Message {
        let goes_on = self.messages.last().is_some_and(|last| {
            let spoken = last.parts.iter().any(|part| matches!(part, Part::Text(_) | Part::Refusal(_)));
            let called = last.parts.iter().any(|part| matches!(part, Part::Call(_)));
            last.role == Role::Assistant && (called || !spoken || !speaks)
        });
        if !goes_on {
            self.messages.push(Message { role: Role::Assistant, name: None, parts: Vec::new(), extra: Vec::new() });
        }
        let last = self.messages.len().saturating_sub(1);
        #[expect(clippy::indexing_slicing, reason = "there is one, if need be since the line above")]
        &mut self.messages[last]
    }
}

/// What nobody took, but for what only tells how the item came about.
fn beside(item: Fields) -> Vec<Field> {
    item.into_extra().into_iter().filter(|field| !IGNORED.contains(&field.name.as_str())).collect()
}

/// Takes `name`: a text, or a list of parts.
fn content(item: &mut Fields, name: &str) -> Result<Vec<Part>> {
    let raw = item.take_raw(name).ok_or_else(|| item.missing(name))?;
    if let Ok(said) = serde_json::from_str::<String>(raw.get()) {
        return Ok(vec![Part::Text(said)]);
    }
    let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) else {
        return Err(item.wrong(name, "expected a string or a list of parts"));
    };
    let path = item.path_of(name);
    let mut parts = Vec::with_capacity(elements.len());
    for (index, element) in elements.into_iter().enumerate() {
        part(element, &format!("{path}[{index}]"), &mut parts)?;
    }
    Ok(parts)
}

fn part(raw: &RawValue, path: &str, parts: &mut Vec<Part>) -> Result<()> {
    let mut fields = Fields::parse_at(raw, path)?;
    let kind: String = fields.require("type")?;
    let cache = fields.take_object("prompt_cache_breakpoint")?;
    parts.push(match kind.as_str() {
        "input_text" | "output_text" | "text" => Part::Text(fields.require("text")?),
        "refusal" => Part::Refusal(fields.require("refusal")?),
        "input_image" => {
            let detail = fields.take("detail")?;
            let media = source(&mut fields, &["image_url"], "image/*")?;
            Part::Media(Media { detail, ..media })
        }
        "input_file" => {
            let (name, detail) = (fields.take("filename")?, fields.take("detail")?);
            let media = source(&mut fields, &["file_data", "file_url"], "application/octet-stream")?;
            Part::Media(Media { name, detail, ..media })
        }
        "input_audio" => {
            let mut audio = fields.take_object("input_audio")?.ok_or_else(|| fields.missing("input_audio"))?;
            let mime = format!("audio/{}", audio.require::<String>("format")?);
            let source = MediaSource::Base64(audio.require("data")?);
            Part::Media(Media { mime, source, name: None, detail: None })
        }
        _ => {
            parts.push(Part::Other(raw.get().to_owned()));
            return Ok(());
        }
    });
    if let Some(mut cache) = cache {
        parts.push(Part::CachePoint(CachePoint { ttl: cache.take("ttl")? }));
    }
    Ok(())
}

/// Where a medium is: one of the fields `addresses` says it, or `file_id`.
fn source(fields: &mut Fields, addresses: &[&str], mime: &str) -> Result<Media> {
    for name in addresses {
        if let Some(address) = fields.take::<String>(name)? {
            return from_url(&address, mime).map_err(|what| fields.wrong(name, what));
        }
    }
    let id: String = fields.take("file_id")?.ok_or_else(|| fields.missing(addresses.first().unwrap_or(&"file_id")))?;
    Ok(Media { mime: mime.to_owned(), source: MediaSource::File(id), name: None, detail: None })
}
