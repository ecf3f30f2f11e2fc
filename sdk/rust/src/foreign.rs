//! What another vendor has said or another dialect has: which of it may be left out, and why.

use crate::chat::{Field, Thinking};
use crate::provider::Error;

/// Hints about caching, for vendors that cache by themselves.
const HINTS: [&str; 3] = ["cache_control", "prompt_cache_key", "prompt_cache_retention"];

/// The other vendor's bookkeeping, which changes no answer.
const BOOKKEEPING: [&str; 4] = ["metadata", "store", "safety_identifier", "service_tier"];

/// Usage is always told to the host, which knows whether the caller wants it; what is streamed is the host's affair too. And
/// nobody edits contexts on the vendor's side.
const HOST: [&str; 2] = ["stream_options", "context_management"];

/// A wish for exactness: the model is given the schema either way.
const SCHEMAS: [&str; 2] = ["strict", "eager_input_streaming"];

/// What is there but asks for nothing.
fn is_idle(field: &Field) -> bool {
    let value = field.value.trim();
    matches!(value, "null" | "false" | "[]" | "{}" | "\"\"")
        || match field.name.as_str() {
            "n" => value == "1",
            "modalities" => value.replace(' ', "") == "[\"text\"]",
            "verbosity" => value == "\"medium\"",
            _ => false,
        }
}

/// Whether a thought was proven by a vendor other than Anthropic, which alone could read the proof. Where only one model can, its
/// plugin marks it (`gemini:MODEL:…`, `rs_…:…`); Anthropic's are base64, which has no colon.
pub fn is_anothers(thinking: &Thinking) -> bool {
    let proof = if thinking.redacted { Some(&thinking.text) } else { thinking.signature.as_ref() };
    proof.is_some_and(|proof| proof.contains(':'))
}

/// Refuses a field of a `place` (the request, a message, a tool) that means something and can't be said to `vendor`.
pub fn check(vendor: &str, place: &str, field: &Field) -> Result<(), Error> {
    let name = field.name.as_str();
    let known = [HINTS.as_slice(), &BOOKKEEPING, &HOST, &SCHEMAS].iter().any(|list| list.contains(&name));
    if known || is_idle(field) {
        return Ok(());
    }
    Err(Error::unsupported(match name {
        "n" => "`n` must be 1: ask several times for several answers".to_owned(),
        _ => format!("the field `{name}` of the {place} means nothing to {vendor}: leave it out"),
    }))
}
