//! How OpenAI's errors look.

use serde_json::{Value, json};

use crate::http::fault::Fault;
use crate::model::id::RequestId;

/// `{"error":{message,type,param,code}}`, with the request's id and the vendor's own error beside.
pub(super) fn write(fault: &Fault<'_>, id: &RequestId, _: &str) -> Value {
    // Nothing else in this shape says when to try again.
    let message = match fault.retry_after() {
        Some(after) => format!("{}; try again in {after} s", fault.error.public()),
        None => fault.error.public().to_owned(),
    };
    let mut error = json!({
        "message": message,
        "type": fault.openai_type,
        "param": fault.error.param(),
        "code": fault.openai_code,
        "request_id": id.as_str(),
    });
    if let (Some(raw), Some(error)) = (fault.raw(), error.as_object_mut()) {
        error.insert("provider_error".into(), raw);
    }
    json!({"error": error})
}
