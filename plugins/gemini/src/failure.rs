//! What Google says about its refusals beyond a status and a message.

use mortise_sdk::http::Head;
use mortise_sdk::provider::{Error, ErrorKind};
use serde_json::Value;

/// An answer with another status than success.
pub(crate) fn from_response(head: &Head, body: &[u8]) -> Error {
    refine(Error::from_response(head, body))
}

/// An error in the middle of a stream, where it stands in a chunk's place.
pub(crate) fn from_chunk(text: &str) -> Error {
    refine(Error::from_vendor(text))
}

fn refine(mut error: Error) -> Error {
    let raw = error.raw.as_deref().and_then(|raw| serde_json::from_str::<Value>(raw).ok()).unwrap_or_default();
    let raw = raw.get(0).unwrap_or(&raw);
    let details = || raw.pointer("/error/details").and_then(Value::as_array).into_iter().flatten();
    let text = |detail: &Value, name: &str| detail.get(name).and_then(Value::as_str).map(str::to_owned);
    if error.message.contains("exceeds the maximum number of tokens") {
        error.kind = ErrorKind::ContextTooLong;
    }
    // A wrong key comes with status 400.
    if details().any(|detail| text(detail, "reason").as_deref() == Some("API_KEY_INVALID")) {
        error.kind = ErrorKind::Unauthenticated;
    }
    let delay = details().find_map(|detail| text(detail, "retryDelay")).and_then(|delay| milliseconds(&delay));
    error.retry_after_ms = error.retry_after_ms.or(delay);
    error
}

/// A duration such as `17s` or `1.5s`.
fn milliseconds(text: &str) -> Option<u32> {
    let seconds: f64 = text.strip_suffix('s')?.parse().ok()?;
    // Conversion saturates.
    (seconds.is_finite() && seconds >= 0.0).then_some((seconds * 1000.0).ceil() as u32)
}
