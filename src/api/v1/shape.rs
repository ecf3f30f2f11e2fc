//! How native errors look.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::http::fault::Fault;
use crate::model::Kind;
use crate::model::id::RequestId;

/// Why a request was refused, and what to do.
#[derive(Serialize, JsonSchema)]
pub(in crate::api) struct NativeError<'a> {
    /// Always false.
    success: bool,
    /// What is wrong, for people.
    error: &'a str,
    /// The same.
    detail: &'a str,
    /// What is wrong, for programs.
    #[schemars(extend("pattern" = "^[A-Z][A-Z_]*$"))]
    error_code: &'a str,
    /// Facts that go with the code: names of fields, the vendor's own error, limits.
    details: Map<String, Value>,
    /// When it happened.
    timestamp: &'a str,
    /// Names the request, in the server's log too.
    request_id: &'a str,
    /// Seconds after which another attempt makes sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

/// Whether a field is missing or wrong.
pub(in crate::api) fn is_validation(fault: &Fault<'_>) -> bool {
    matches!(fault.error.kind(), Kind::MissingField | Kind::InvalidValue | Kind::Unsupported)
}

/// The native error body: one superset of what the documents show.
pub(in crate::api) fn write(fault: &Fault<'_>, id: &RequestId, timestamp: &str) -> Value {
    write_with(fault, fault.code, id, timestamp)
}

/// The same with one code for whatever is wrong with a field.
pub(in crate::api) fn write_validated(fault: &Fault<'_>, id: &RequestId, timestamp: &str) -> Value {
    write_with(fault, if is_validation(fault) { "VALIDATION_ERROR" } else { fault.code }, id, timestamp)
}

fn write_with(fault: &Fault<'_>, code: &str, id: &RequestId, timestamp: &str) -> Value {
    let mut details = match fault.error.details() {
        Some(Value::Object(details)) => details.clone(),
        _ => Map::new(),
    };
    if let Some(raw) = fault.raw() {
        details.insert("provider_error".into(), raw);
    }
    if let Some(after) = fault.retry_after() {
        details.insert("retry_after".into(), after.into());
    }
    json!(NativeError {
        success: false,
        error: fault.error.public(),
        detail: fault.error.public(),
        error_code: code,
        details,
        timestamp,
        request_id: id.as_str(),
        retry_after: fault.retry_after(),
    })
}
