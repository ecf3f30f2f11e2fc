//! How native errors look.

use serde_json::{Map, Value, json};

use crate::http::fault::Fault;
use crate::model::id::RequestId;

/// The native error body: one superset of what the documents show.
pub(in crate::api) fn write(fault: &Fault<'_>, id: &RequestId, timestamp: &str) -> Value {
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
    let mut body = json!({
        "success": false,
        "error": fault.error.public(),
        "detail": fault.error.public(),
        "error_code": fault.code,
        "details": details,
        "timestamp": timestamp,
        "request_id": id.as_str(),
    });
    if let (Some(after), Some(body)) = (fault.retry_after(), body.as_object_mut()) {
        body.insert("retry_after".into(), after.into());
    }
    body
}
