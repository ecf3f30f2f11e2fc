//! Reading a vendor's refusal: its status, its words, how long to wait.
//!
//! The vendors differ less than they think. Their errors are one of `{"error": {"message", "type", "code", "status"}}`
//! (OpenAI, Anthropic, Gemini, also in a list of one), `{"error": "…"}` (Ollama), `{"message": "…"}` and
//! `{"detail": …}` (frameworks). Where the vendor's word for an error is more exact than the status, the word counts.

use serde_json::Value;

use super::{Error, ErrorKind};
use crate::http::Head;

/// How much of a body that is no JSON is kept.
const KEPT: usize = 2048;

/// The vendors' words, in the order in which they are looked for.
const WORDS: &[(&str, ErrorKind)] = &[
    ("context_length_exceeded", ErrorKind::ContextTooLong),
    ("model_not_found", ErrorKind::UnknownModel),
    ("content_filter", ErrorKind::Refused),
    ("content_policy_violation", ErrorKind::Refused),
    ("image_content_policy_violation", ErrorKind::Refused),
    ("invalid_prompt", ErrorKind::InvalidRequest),
    ("invalid_api_key", ErrorKind::Unauthenticated),
    ("authentication_error", ErrorKind::Unauthenticated),
    ("unauthenticated", ErrorKind::Unauthenticated),
    ("permission_error", ErrorKind::Forbidden),
    ("permission_denied", ErrorKind::Forbidden),
    ("request_too_large", ErrorKind::TooLarge),
    ("rate_limit_exceeded", ErrorKind::RateLimited),
    ("rate_limit_error", ErrorKind::RateLimited),
    ("insufficient_quota", ErrorKind::RateLimited),
    ("resource_exhausted", ErrorKind::RateLimited),
    ("too_many_requests", ErrorKind::RateLimited),
    ("overloaded_error", ErrorKind::Overloaded),
    ("engine_overloaded", ErrorKind::Overloaded),
    ("service_unavailable", ErrorKind::Overloaded),
    ("unavailable", ErrorKind::Overloaded),
    ("not_found_error", ErrorKind::UnknownModel),
    ("invalid_request_error", ErrorKind::InvalidRequest),
    ("invalid_argument", ErrorKind::InvalidRequest),
    ("api_error", ErrorKind::Upstream),
    ("server_error", ErrorKind::Upstream),
    ("internal", ErrorKind::Upstream),
];

/// Parts of messages that tell a conversation too long for its model, where no word does.
const TOO_LONG: &[&str] = &[
    "maximum context length",
    "context window",
    "context length",
    "context limit",
    "prompt is too long",
    "input is too long",
];

impl Error {
    /// What a response other than a success means.
    pub fn from_response(head: &Head, body: &[u8]) -> Self {
        let status = head.status;
        let text = String::from_utf8_lossy(body);
        let value = serde_json::from_str::<Value>(&text).ok();
        let mut error = match value.as_ref().and_then(said) {
            Some(said) => said.into_error(Some(status)),
            None => Self::new(kind_of(status, false), format!("the vendor answered with status {status}")),
        };
        if value.is_some() {
            error.raw = Some(text.trim().to_owned());
        } else if !text.trim().is_empty() {
            error.raw = Some(Value::String(text.chars().take(KEPT).collect()).to_string());
        }
        error.retry_after_ms = retry_after(head);
        error
    }

    /// What an error that the vendor put into a successful response means. `text` holds it as JSON; what can't be read as one is
    /// kept all the same.
    pub fn from_vendor(text: &str) -> Self {
        let value = serde_json::from_str::<Value>(text).ok();
        let error = match value.as_ref().and_then(said) {
            Some(said) => said.into_error(None),
            None => Self::upstream("the vendor reported an error without a message"),
        };
        if value.is_some() { error.with_raw(text.trim()) } else { error }
    }
}

/// What a vendor said about its refusal.
struct Said<'a> {
    message: &'a str,
    words: [Option<&'a Value>; 3],
}

fn said(value: &Value) -> Option<Said<'_>> {
    let value = value.as_array().and_then(|list| list.first()).unwrap_or(value);
    let error = value.get("error").unwrap_or(value);
    let detail =
        || value.get("detail").map(|detail| detail.get(0).and_then(|first| first.get("msg")).unwrap_or(detail));
    let message = match error {
        Value::String(message) => message.as_str(),
        _ => error.get("message").or_else(|| value.get("message")).or_else(detail)?.as_str()?,
    };
    Some(Said { message, words: [error.get("code"), error.get("type"), error.get("status")] })
}

impl Said<'_> {
    fn into_error(self, status: Option<u16>) -> Error {
        // A number among the words is a status (Gemini, OpenRouter).
        let numbers = self.words.iter().flatten().find_map(|word| word.as_u64().and_then(|n| u16::try_from(n).ok()));
        let status = status.or(numbers.filter(|status| *status >= 400));
        let by_status = status.map_or(ErrorKind::Upstream, |status| kind_of(status, true));
        let by_word = self.words.iter().flatten().filter_map(|word| word.as_str()).find_map(kind_of_word);
        let kind = match (by_word, by_status) {
            (_, ErrorKind::InvalidRequest | ErrorKind::TooLarge | ErrorKind::Upstream) if self.tells_too_long() => {
                ErrorKind::ContextTooLong
            }
            // «Invalid request» is what vendors call any fault of the caller; the status is more exact.
            (Some(ErrorKind::InvalidRequest), kind) if status.is_some() => kind,
            // So is a 503 than «server error», which is what they call it beside one.
            (Some(ErrorKind::Upstream), ErrorKind::Overloaded) => ErrorKind::Overloaded,
            (Some(kind), _) => kind,
            (None, kind) => kind,
        };
        let message = if self.message.trim().is_empty() { "the vendor gave no message" } else { self.message };
        Error::new(kind, message)
    }

    fn tells_too_long(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        TOO_LONG.iter().any(|part| message.contains(part))
    }
}

fn kind_of_word(word: &str) -> Option<ErrorKind> {
    WORDS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known)).map(|(_, kind)| *kind)
}

/// `spoken`: the vendor said something that can be read. A 404 without that is a wrong address, not an unknown model.
fn kind_of(status: u16, spoken: bool) -> ErrorKind {
    match status {
        401 => ErrorKind::Unauthenticated,
        402 | 403 => ErrorKind::Forbidden,
        404 if spoken => ErrorKind::UnknownModel,
        404 | 408 => ErrorKind::Upstream,
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::RateLimited,
        503 | 529 => ErrorKind::Overloaded,
        400..=499 => ErrorKind::InvalidRequest,
        _ => ErrorKind::Upstream,
    }
}

/// Milliseconds from `retry-after-ms` or `retry-after`. The host makes seconds of a date: a guest has no clock.
fn retry_after(head: &Head) -> Option<u32> {
    let number = |name| head.header(name).and_then(|value| value.trim().parse::<f64>().ok());
    let milliseconds = number("retry-after-ms").or_else(|| number("retry-after").map(|seconds| seconds * 1000.0))?;
    // Conversion saturates; a negative time is none at all.
    (milliseconds.is_finite() && milliseconds >= 0.0).then_some(milliseconds as u32)
}
