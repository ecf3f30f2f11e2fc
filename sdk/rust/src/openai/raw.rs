//! Passing on the body of a caller who speaks this dialect too, byte for byte but for what has to change.

use super::request::refuse_unknown_sampling;
use super::{Options, ThinkingField};
use crate::chat::Request;
use crate::json::{Splice, elements};
use crate::provider::Error;

/// The body as the vendor shall read it.
pub(super) fn body(request: &Request, raw: &str, options: &Options) -> Result<Vec<u8>, Error> {
    refuse_unknown_sampling(request, options)?;
    let mut body = Splice::of("the request's body", raw)?;
    if body.get_text("model").as_deref() != Some(&request.model) {
        body.put("model", &request.model);
    }
    let (wanted, other) = options.max_tokens_field.names();
    body.rename(other, wanted);
    stream(&mut body, request.streaming)?;
    thinking(&mut body, options.replay_thinking)?;
    Ok(body.into_bytes())
}

/// A stream always asks for usage, whatever else the caller wants of it.
fn stream(body: &mut Splice<'_>, streaming: bool) -> Result<(), Error> {
    if streaming != (body.get("stream") == Some("true")) {
        body.put("stream", streaming);
    }
    match body.get("stream_options") {
        _ if !streaming => drop(body.remove("stream_options")),
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
            Some(field) => message.rename(OURS, field.name()),
            None => message.remove(OURS),
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
