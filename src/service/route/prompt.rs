//! How many tokens a prompt probably has: four bytes each, and media by what they usually cost.

use crate::model::chat::{Media, Message, Part, Request, ResultPart, Tool};

/// Bytes of a token, where nothing better is known.
const BYTES: usize = 4;
/// Tokens of an image or a document.
const MEDIA: usize = 1000;

/// Tokens of the prompt of `request`.
pub(in crate::service) fn count(request: &Request) -> u64 {
    let tool = |tool: &Tool| tool.name.len() + tool.description.as_ref().map_or(0, String::len) + tool.parameters.len();
    let tools = request.tools.iter().map(tool);
    let native = request.native_tools.iter().map(String::len);
    tokens(request.messages.iter().map(message).chain(tools).chain(native).sum())
}

/// Tokens of so many bytes of text.
pub(in crate::service) fn tokens(bytes: usize) -> u64 {
    bytes.div_ceil(BYTES) as u64
}

/// Bytes of a message.
fn message(message: &Message) -> usize {
    let part = |part: &Part| match part {
        Part::Text(text) | Part::Refusal(text) | Part::Other(text) => text.len(),
        Part::Media(media) => self::media(media),
        Part::Thinking(thinking) => thinking.text.len(),
        Part::Call(call) => call.name.len() + call.arguments.len(),
        Part::Outcome(outcome) => {
            let part = |part: &ResultPart| match part {
                ResultPart::Text(text) => text.len(),
                ResultPart::Media(media) => self::media(media),
            };
            outcome.parts.iter().map(part).sum()
        }
        Part::CachePoint(_) => 0,
    };
    message.parts.iter().map(part).sum()
}

fn media(_: &Media) -> usize {
    MEDIA * BYTES
}
