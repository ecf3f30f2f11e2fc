//! Signatures that the model wants back: marked with who made them, so that nobody else gets them.

use mortise_sdk::chat::{Field, ToolCall};
use mortise_sdk::fields::Fields;
use mortise_sdk::json::Object;

/// What Google documents for calls that a thinking Gemini didn't make itself.
pub(crate) const SKIP: &str = "skip_thought_signature_validator";

/// The field of a call that holds its signature, as Google's OpenAI-compatible API names it.
const FIELD: &str = "extra_content";

/// The mark of one model's signatures. No signature has a colon in it: they are base64.
#[derive(Debug)]
pub(crate) struct Mark(String);

// === impl Mark ===

impl Mark {
    pub(crate) fn of(model: &str) -> Self {
        Self(format!("gemini:{model}:"))
    }

    pub(crate) fn put(&self, signature: &str) -> String {
        format!("{}{signature}", self.0)
    }

    /// The signature itself, if it is this model's.
    pub(crate) fn take<'a>(&self, marked: &'a str) -> Option<&'a str> {
        marked.strip_prefix(self.0.as_str()).filter(|signature| !signature.is_empty())
    }
}

/// A call's signature as a field of the call.
pub(crate) fn field(signature: &str) -> Field {
    let mut bytes = Vec::new();
    Object::open(&mut bytes).object("google").put("thought_signature", signature);
    Field::new(FIELD, String::from_utf8_lossy(&bytes))
}

/// The signature that a call came with.
pub(crate) fn of_call(call: &ToolCall) -> Option<String> {
    let field = call.extra.iter().find(|field| field.name == FIELD)?;
    let mut content: Fields<'_> = serde_json::from_str(&field.value).ok()?;
    let mut google = content.take::<Fields<'_>>("google").ok()??;
    let signature = google.take_text("thought_signature").ok()??;
    (!signature.is_empty()).then(|| signature.into_owned())
}
