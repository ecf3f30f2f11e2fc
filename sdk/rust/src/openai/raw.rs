//! Passing on the body of a caller who speaks this dialect too, byte for byte but for what has to change.

use super::request::{how_to_reason, refuse, refuse_several};
use super::{Options, ReasoningField, RequiredTool, ThinkingField};
use crate::chat::{Reasoning, Request};
use crate::json::{Splice, elements};
use crate::provider::Error;

/// The body as the vendor shall read it.
pub(super) fn body(request: &Request, raw: &str, options: &Options) -> Result<Vec<u8>, Error> {
    refuse(request, options)?;
    let mut body = open(request, raw)?;
    if let Some(n) = body.get("n") {
        refuse_several(n)?;
    }
    body.rename(options.max_tokens_field.other(), options.max_tokens_field.name());
    body.rename("seed", options.seed_field.name());
    if body.get_text("tool_choice").as_deref() == Some("required") && options.required_tool != RequiredTool::default() {
        body.put("tool_choice", options.required_tool.name());
    }
    if !options.parallel_tool_calls {
        body.remove("parallel_tool_calls");
    }
    reasoning(&mut body, options.reasoning)?;
    match options.stream_options {
        true => stream_options(&mut body, request.streaming)?,
        false => drop(body.remove("stream_options")),
    }
    thinking(&mut body, options.replay_thinking)?;
    Ok(body.into_bytes())
}

/// The body with the model that was chosen for it, streamed or not as the host wants it.
pub(super) fn open<'a>(request: &Request, raw: &'a str) -> Result<Splice<'a>, Error> {
    let mut body = Splice::of("the request's body", raw)?;
    if body.get_text("model").as_deref() != Some(&request.model) {
        body.put("model", &request.model);
    }
    if request.streaming != (body.get("stream") == Some("true")) {
        body.put("stream", request.streaming);
    }
    Ok(body)
}

/// How much to think, in the vendor's words, unless the caller has used them.
fn reasoning(body: &mut Splice<'_>, field: ReasoningField) -> Result<(), Error> {
    let Some(word) = body.get_text("reasoning_effort").filter(|_| field != ReasoningField::Effort) else {
        return Ok(());
    };
    let members = how_to_reason(&Reasoning::Effort(word.into_owned()), field);
    if members.iter().any(|(name, _)| *name != "reasoning_effort" && body.has(name)) {
        return Ok(());
    }
    if !members.iter().any(|(name, _)| *name == "reasoning_effort") {
        body.remove("reasoning_effort");
    }
    for (name, value) in members.iter().filter(|(name, _)| *name != "reasoning_effort") {
        body.set(name, value)?;
    }
    Ok(())
}

/// A stream always asks for usage, whatever else the caller wants of it.
fn stream_options(body: &mut Splice<'_>, streaming: bool) -> Result<(), Error> {
    match body.get("stream_options") {
        // Of a stream that is none now. Where the caller never asked for one, the vendor says what it thinks of that.
        _ if !streaming && body.get("stream") == Some("true") => drop(body.remove("stream_options")),
        _ if !streaming => {}
        None | Some("null") => drop(body.set("stream_options", r#"{"include_usage":true}"#)?),
        Some(wishes) => {
            let mut wishes = Splice::of("`stream_options`", wishes)?;
            if wishes.get("include_usage") != Some("true") {
                let wishes = String::from_utf8(wishes.put("include_usage", true).clone().into_bytes());
                body.set("stream_options", &wishes.unwrap_or_default())?;
            }
        }
    }
    Ok(())
}

/// Earlier reasoning goes back only in the field that the vendor has for it: some refuse a message with a field that they
/// don't know. Callers have it from our answers, or from another vendor.
fn thinking(body: &mut Splice<'_>, field: Option<ThinkingField>) -> Result<(), Error> {
    const OURS: &str = ThinkingField::ReasoningContent.name();
    let Some(messages) = body.get("messages").filter(|_| field != Some(ThinkingField::ReasoningContent)) else {
        return Ok(());
    };
    if !messages.contains(OURS) {
        return Ok(());
    }
    let mut list = Vec::with_capacity(messages.len());
    let mut from = 0;
    for place in elements("`messages`", messages)? {
        let mut message = Splice::of("a message", messages.get(place.clone()).unwrap_or_default())?;
        if !message.has(OURS) {
            continue;
        }
        match field {
            Some(ThinkingField::Reasoning) => message.rename(OURS, ThinkingField::Reasoning.name()),
            _ => message.remove(OURS),
        };
        list.extend_from_slice(messages.as_bytes().get(from..place.start).unwrap_or_default());
        list.extend_from_slice(&message.into_bytes());
        from = place.end;
    }
    list.extend_from_slice(messages.as_bytes().get(from..).unwrap_or_default());
    let list = String::from_utf8(list).unwrap_or_default();
    body.set("messages", &list)?;
    Ok(())
}
