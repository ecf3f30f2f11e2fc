//! Fields of other vendors' dialects: which of them can be honoured here, which are hints, and which are refused by name.

use mortise_sdk::chat::Field;
use mortise_sdk::provider::Error;

use crate::config::BETA;

/// A hint to cache, which callers of other dialects use for this vendor too.
pub(crate) const CACHE: &str = "cache_control";

/// Fields of a call that are this vendor's. Others are signatures of other vendors, which read only their own.
pub(crate) const ON_CALLS: [&str; 3] = ["caller", "toolset_name", CACHE];

/// Fields of a request that change nothing in the answer: what to keep of it elsewhere, how to cache, what to tell beside it.
const HINTS: [&str; 9] = [
    BETA,
    "client_metadata",
    "include",
    "metadata",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "stream_options",
];

/// Fields of a request that ask for nothing if they have this value.
const DEFAULTS: [(&str, &[&str]); 10] = [
    ("background", &["false"]),
    ("logit_bias", &["{}"]),
    ("logprobs", &["false"]),
    ("modalities", &["[\"text\"]"]),
    ("n", &["1"]),
    ("safety_identifier", &["\"\""]),
    ("store", &["false"]),
    ("top_logprobs", &["0"]),
    ("truncation", &["\"disabled\""]),
    ("verbosity", &["\"medium\""]),
];

/// Fields of a message that tell of an earlier answer and mean nothing to a model.
const REMARKS: [&str; 3] = ["annotations", "audio", "reasoning_details"];

/// What becomes of a field of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is left out.
    Hint,
    /// It is written under its own name, with this value.
    Written(String),
    /// It names the caller's end user.
    User(String),
}

/// What becomes of a field of the request that the chat model has no name for.
pub(crate) fn in_request(field: &Field, same_dialect: bool) -> Result<Fate, Error> {
    let name = field.name.as_str();
    let value: String = field.value.split_whitespace().collect();
    match name {
        BETA => Ok(Fate::Hint),
        _ if same_dialect || name == CACHE => Ok(Fate::Written(field.value.clone())),
        _ if value == "null" || HINTS.contains(&name) => Ok(Fate::Hint),
        _ if DEFAULTS.iter().any(|(known, values)| *known == name && values.contains(&value.as_str())) => {
            Ok(Fate::Hint)
        }
        "service_tier" => match value.as_str() {
            "\"auto\"" => Ok(Fate::Written(value)),
            // What one pays for without asking for more.
            "\"default\"" | "\"standard_only\"" => Ok(Fate::Written("\"standard_only\"".into())),
            _ => Err(Error::unsupported("`service_tier` must be `auto` or `default` for this vendor")),
        },
        "safety_identifier" => match serde_json::from_str(&field.value) {
            Ok(user) => Ok(Fate::User(user)),
            Err(_) => Err(Error::invalid("`safety_identifier` must be a string")),
        },
        _ => Err(unknown(name, "request")),
    }
}

/// A field of a message that the chat model has no name for is a remark or an error.
pub(crate) fn in_message(field: &Field) -> Result<(), Error> {
    match field.value.trim() == "null" || REMARKS.contains(&field.name.as_str()) {
        true => Ok(()),
        false => Err(unknown(&field.name, "message")),
    }
}

/// The error for a field that can't be passed on.
pub(crate) fn unknown(name: &str, place: &str) -> Error {
    Error::unsupported(format!("the field `{name}` of the {place} means nothing to this vendor: leave it out"))
}
