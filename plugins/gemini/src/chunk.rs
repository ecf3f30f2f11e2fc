//! The API's JSON, borrowed from its frame: a stream's chunk and a whole answer alike.

use std::borrow::Cow;

use mortise_sdk::fields::Fields;
use mortise_sdk::provider::Error;
use serde_json::value::RawValue;

/// One part of what the model said.
pub(crate) enum Part<'a> {
    Text {
        text: Cow<'a, str>,
        thought: bool,
        signature: Option<Cow<'a, str>>,
    },
    Call {
        id: Cow<'a, str>,
        name: Cow<'a, str>,
        arguments: &'a str,
        signature: Option<Cow<'a, str>>,
    },
    /// Anything else, whole.
    Other(&'a str),
}

/// The parts of a candidate, which may be none.
pub(crate) fn parts<'a>(candidate: &mut Fields<'a>) -> Result<Vec<Part<'a>>, Error> {
    let mut content = candidate.take::<Fields<'a>>("content")?.unwrap_or_default();
    let parts = content.take::<Vec<&'a RawValue>>("parts")?.unwrap_or_default();
    parts.into_iter().map(|part| part_of(part.get())).collect()
}

fn part_of(json: &str) -> Result<Part<'_>, Error> {
    let mut part: Fields<'_> = serde_json::from_str(json).map_err(|_| Error::unreadable())?;
    let signature = part.take_text("thoughtSignature")?.filter(|signature| !signature.is_empty());
    let thought = part.take::<bool>("thought")?.unwrap_or(false);
    if let Some(mut call) = part.take::<Fields<'_>>("functionCall")? {
        let name = call.take_text("name")?.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Error::upstream("the vendor sent a tool call without a name"))?;
        if call.take::<bool>("willContinue")?.unwrap_or(false) || call.take_raw("partialArgs").is_some() {
            return Err(Error::upstream("the vendor sent a tool call in pieces, which nobody asked for"));
        }
        let arguments = call.take_raw("args").unwrap_or("{}");
        return Ok(Part::Call { id: call.take_text("id")?.unwrap_or_default(), name, arguments, signature });
    }
    match part.take_text("text")? {
        Some(text) => Ok(Part::Text { text, thought, signature }),
        // A signature may come by itself.
        None if part.is_empty() => Ok(Part::Text { text: Cow::Borrowed(""), thought, signature }),
        None => Ok(Part::Other(json)),
    }
}
