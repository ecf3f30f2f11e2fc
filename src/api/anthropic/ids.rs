//! Ids of tool calls: this dialect's are letters, digits, `_` and `-`, other vendors' may be anything.
//!
//! An id that doesn't fit goes out in base64 behind a prefix, and comes back as it was. Nothing is remembered: what a caller
//! sends back is all that there is. An id that fits stays as it is, unless it looks as if it had been changed.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const PREFIX: &str = "toolu-b64-";

/// The id as the caller sees it.
pub(super) fn outward(id: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !id.is_empty() && id.bytes().all(plain) && !id.starts_with(PREFIX) {
        return Cow::Borrowed(id);
    }
    Cow::Owned(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(id)))
}

/// The id as the provider gave it.
pub(super) fn inward(id: String) -> String {
    let inner = id.strip_prefix(PREFIX).and_then(|code| URL_SAFE_NO_PAD.decode(code).ok());
    match inner.and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(inner) if outward(&inner) == id => inner,
        _ => id,
    }
}
