//! How Anthropic's errors look.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::http::fault::Fault;
use crate::model::id::RequestId;
use crate::model::{Error, Kind};

/// Why a request was refused, or an answer broke off.
#[derive(Serialize, JsonSchema)]
pub(super) struct AnthropicError<'a> {
    /// `error`.
    #[schemars(extend("const" = "error"))]
    r#type: &'static str,
    /// What is wrong.
    error: ErrorView<'a>,
    /// Names the request; the header `request-id` says the same.
    request_id: String,
}

/// What is wrong.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AnthropicErrorBody")]
struct ErrorView<'a> {
    /// What sort of mistake it is.
    r#type: &'a str,
    /// What is wrong, for people; the path of the field first, where it is one.
    message: String,
    /// The vendor's own error.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_error: Option<Value>,
}

/// `{"type":"error","error":{type,message},"request_id"}`, with the vendor's own error beside.
pub(super) fn write(fault: &Fault<'_>, id: &RequestId, _: &str) -> Value {
    json!(view(fault, id))
}

/// The same, before it is written.
pub(super) fn view<'a>(fault: &Fault<'a>, id: &RequestId) -> AnthropicError<'a> {
    AnthropicError {
        r#type: "error",
        error: ErrorView { r#type: fault.anthropic_type, message: message(fault.error), provider_error: fault.raw() },
        request_id: request_id(id),
    }
}

/// The request's id as the vendor writes one; what stands behind the prefix is the same as in the log.
pub(super) fn request_id(id: &RequestId) -> String {
    id.as_str().replacen("req-", "req_", 1)
}

/// The error's words as this vendor's clients know them: `messages.0.role: Field required`.
fn message(error: &Error) -> String {
    let Some(path) = error.param() else { return error.public().to_owned() };
    let place = path.replace('[', ".").replace(']', "");
    let value = [format!("Invalid value for {path}: "), format!("Unsupported value for {path}: ")];
    match error.kind() {
        Kind::MissingField => format!("{place}: Field required"),
        _ => match value.iter().find_map(|prefix| error.public().strip_prefix(prefix.as_str())) {
            Some(what) => format!("{place}: {what}"),
            None => error.public().to_owned(),
        },
    }
}
