//! What Ollama's refusals mean, which are a sentence.

use mortise_sdk::http::Head;
use mortise_sdk::provider::{Error, ErrorKind};

/// An answer with another status than success.
pub(crate) fn from_response(head: &Head, body: &[u8]) -> Error {
    refine(Error::from_response(head, body))
}

/// An error in the middle of a stream, or in an answer that says that all is well.
pub(crate) fn from_line(text: &str) -> Error {
    refine(Error::from_vendor(text))
}

fn refine(mut error: Error) -> Error {
    let says = |words: &str| error.message.contains(words);
    // `"x" does not support tools`, and the like of images and thinking.
    if error.kind == ErrorKind::InvalidRequest && says("does not support") {
        error.kind = ErrorKind::Unsupported;
    } else if says("not found") && says("model") {
        error.kind = ErrorKind::UnknownModel;
        if !error.message.contains("pull") {
            error.message.push_str("; pull it on the machine that runs Ollama");
        }
    } else if says("exceeds the context length") || says("exceed_context_size") {
        error.kind = ErrorKind::ContextTooLong;
    } else if says("server busy") {
        error.kind = ErrorKind::Overloaded;
    }
    error
}
