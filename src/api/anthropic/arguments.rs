//! Arguments of calls: an object in this dialect, whatever a model wrote elsewhere.
//!
//! What is no object goes out as `{"INVALID_JSON": "what the model wrote"}`, which is the vendor's own way to tell so, and comes
//! back as it was.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// How far arguments have come that arrive piece by piece.
#[derive(Debug, Default)]
pub(super) struct Progress {
    begun: bool,
    /// Whether the first thing in them opened an object.
    object: bool,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invalid {
    #[serde(rename = "INVALID_JSON")]
    text: String,
}

// === impl Progress ===

impl Progress {
    /// Takes the next piece in.
    pub(super) fn add(&mut self, piece: &str) {
        for byte in piece.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            if !self.begun && !byte.is_ascii_whitespace() {
                (self.begun, self.object) = (true, byte == b'{');
            }
        }
    }

    /// Whether what came is, or will be, an object.
    pub(super) fn is_object(&self) -> bool {
        self.object
    }

    /// Whether a whole object has come.
    pub(super) fn is_whole(&self) -> bool {
        self.object && self.depth == 0 && !self.in_string
    }
}

/// What a model wrote, as an object.
pub(super) fn outward(arguments: &str) -> Cow<'_, str> {
    match arguments.trim() {
        "" | "null" => "{}".into(),
        object if is_object(object) && wrapped(object).is_none() => arguments.into(),
        _ => serde_json::json!({"INVALID_JSON": arguments}).to_string().into(),
    }
}

/// An object, as a model wrote it.
pub(super) fn inward(object: String) -> String {
    wrapped(&object).unwrap_or(object)
}

/// What `object` is wrapped around, if that has to be wrapped.
fn wrapped(object: &str) -> Option<String> {
    if !object.contains("INVALID_JSON") {
        return None;
    }
    let Invalid { text } = serde_json::from_str(object).ok()?;
    let plain = is_object(text.trim()) && wrapped(&text).is_none();
    (!plain && !matches!(text.trim(), "" | "null")).then_some(text)
}

fn is_object(text: &str) -> bool {
    text.starts_with('{') && serde_json::from_str::<&RawValue>(text).is_ok()
}
