//! How OpenAI's errors look.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::http::fault::Fault;
use crate::model::id::RequestId;

/// Why a request was refused.
#[derive(Serialize, JsonSchema)]
pub(super) struct OpenAiError<'a> {
    /// All of it.
    error: ErrorView<'a>,
}

/// What is wrong, and with what.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OpenAiErrorBody")]
struct ErrorView<'a> {
    /// What is wrong, for people.
    message: &'a str,
    /// What sort of mistake it is.
    r#type: &'a str,
    /// The field that is wrong.
    param: Option<&'a str>,
    /// What is wrong, for programs.
    code: Option<&'a str>,
    /// Names the request, in the server's log too.
    request_id: &'a str,
    /// The vendor's own error.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_error: Option<Value>,
}

/// `{"error":{message,type,param,code}}`, with the request's id and the vendor's own error beside.
pub(super) fn write(fault: &Fault<'_>, id: &RequestId, _: &str) -> Value {
    // Nothing else in this shape says when to try again.
    let message = match fault.retry_after() {
        Some(after) => format!("{}; try again in {after} s", fault.error.public()),
        None => fault.error.public().to_owned(),
    };
    json!(OpenAiError {
        error: ErrorView {
            message: &message,
            r#type: fault.openai_type,
            param: fault.error.param(),
            code: fault.openai_code,
            request_id: id.as_str(),
            provider_error: fault.raw(),
        },
    })
}
