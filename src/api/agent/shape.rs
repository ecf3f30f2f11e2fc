//! How errors of the agent surface look.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::http::fault::Fault;
use crate::model::id::RequestId;
use crate::model::{Fault as Whose, Kind};

/// Why a request was refused, and what to do.
#[derive(Serialize, JsonSchema)]
pub(in crate::api) struct AgentError<'a> {
    /// What is wrong, for people.
    detail: &'a str,
    /// What is wrong, for programs.
    #[schemars(extend("pattern" = "^[A-Z][A-Z_]*$"))]
    code: &'a str,
    /// When it happened.
    timestamp: &'a str,
    /// Names the request, in the server's log too.
    request_id: &'a str,
    /// Seconds after which another attempt makes sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

/// The error body.
pub(in crate::api) fn write(fault: &Fault<'_>, id: &RequestId, timestamp: &str) -> Value {
    let code = match (fault.error.kind(), fault.error.fault()) {
        (Kind::MissingField | Kind::InvalidValue | Kind::Unsupported, _) => "VALIDATION_ERROR",
        (Kind::Unauthenticated, whose) if whose != Whose::Upstream => "UNAUTHORIZED",
        _ => fault.code,
    };
    json!(AgentError {
        detail: fault.error.public(),
        code,
        timestamp,
        request_id: id.as_str(),
        retry_after: fault.retry_after(),
    })
}
