//! The one table that turns an error into a status and codes.

use http::StatusCode;

use crate::model::{Error, Fault as Whose, Kind};

/// An error as the HTTP API tells it.
pub struct Fault<'e> {
    /// The error.
    pub error: &'e Error,
    /// The status of the answer.
    pub status: StatusCode,
    /// The code in native bodies.
    pub code: &'static str,
    /// The type in OpenAI's bodies.
    pub openai_type: &'static str,
    /// The code in OpenAI's bodies.
    pub openai_code: Option<&'static str>,
    /// The type in Anthropic's bodies.
    pub anthropic_type: &'static str,
}

// === impl Fault ===

impl<'e> Fault<'e> {
    /// `error` as the API tells it.
    pub fn of(error: &'e Error) -> Self {
        let (status, code, openai_type, openai_code, anthropic_type) = row(error.kind(), error.fault());
        Self { error, status: coded(status), code, openai_type, openai_code, anthropic_type }
    }

    /// The status where Anthropic's API answers: it has one of its own for being overloaded.
    pub fn anthropic_status(&self) -> StatusCode {
        if self.anthropic_type == ANTHROPIC_OVERLOADED { coded(529) } else { self.status }
    }

    /// Seconds after which another attempt makes sense, rounded up; of a request that is wrong no attempt does, whatever its
    /// vendor says.
    pub fn retry_after(&self) -> Option<u64> {
        if ![StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&self.status) {
            return None;
        }
        self.error.retry_after().map(|after| after.as_secs() + u64::from(after.subsec_nanos() > 0))
    }

    /// The vendor's own error, if it is valid JSON.
    pub fn raw(&self) -> Option<serde_json::Value> {
        serde_json::from_str(self.error.raw()?).ok()
    }
}

fn coded(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

const ANTHROPIC_OVERLOADED: &str = "overloaded_error";

/// Status, native code, OpenAI's type, OpenAI's code, Anthropic's type.
type Row = (u16, &'static str, &'static str, Option<&'static str>, &'static str);

#[rustfmt::skip]
fn row(kind: Kind, whose: Whose) -> Row {
    const INVALID: &str = "invalid_request_error";
    const PROVIDER: &str = "PROVIDER_ERROR";
    const FAILED: &str = "api_error";
    match (kind, whose) {
        (Kind::MissingField, _)                   => (400, "MISSING_FIELD", INVALID, Some("missing_required_parameter"), INVALID),
        (Kind::InvalidValue, _)                   => (400, "INVALID_VALUE", INVALID, Some("invalid_value"), INVALID),
        (Kind::Unsupported, _)                    => (400, "INVALID_VALUE", INVALID, Some("unsupported_parameter"), INVALID),
        (Kind::ContextTooLong, _)                 => (400, "INVALID_VALUE", INVALID, Some("context_length_exceeded"), INVALID),
        (Kind::Refused, _)                        => (400, PROVIDER, INVALID, Some("content_filter"), INVALID),
        (Kind::Unauthenticated, Whose::Upstream)  => (401, PROVIDER, "authentication_error", Some("invalid_api_key"), "authentication_error"),
        (Kind::Unauthenticated, _)                => (401, "AUTHENTICATION_FAILED", "authentication_error", Some("invalid_api_key"), "authentication_error"),
        (Kind::Forbidden, Whose::Upstream)        => (403, PROVIDER, "permission_error", None, "permission_error"),
        (Kind::Forbidden, _)                      => (403, "FORBIDDEN", "permission_error", None, "permission_error"),
        (Kind::NotFound, _)                       => (404, "NOT_FOUND", INVALID, Some("not_found"), "not_found_error"),
        (Kind::ProviderNotFound, _)               => (404, "PROVIDER_NOT_FOUND", INVALID, Some("provider_not_found"), "not_found_error"),
        (Kind::ModelNotFound, _)                  => (404, "MODEL_NOT_FOUND", INVALID, Some("model_not_found"), "not_found_error"),
        (Kind::MethodNotAllowed, _)               => (405, "METHOD_NOT_ALLOWED", INVALID, Some("method_not_allowed"), INVALID),
        (Kind::Conflict, _)                       => (409, "CONFLICT", INVALID, Some("conflict"), INVALID),
        (Kind::TooLarge, _)                       => (413, "PAYLOAD_TOO_LARGE", INVALID, Some("request_too_large"), "request_too_large"),
        (Kind::UnsupportedMediaType, _)           => (415, "UNSUPPORTED_MEDIA_TYPE", INVALID, Some("unsupported_media_type"), INVALID),
        (Kind::UpgradeRequired, _)                => (426, "UPGRADE_REQUIRED", INVALID, Some("upgrade_required"), INVALID),
        (Kind::RateLimited, _)                    => (429, "RATE_LIMITED", "rate_limit_error", Some("rate_limit_exceeded"), "rate_limit_error"),
        (Kind::OverBudget, _)                     => (429, "BUDGET_EXCEEDED", "insufficient_quota", Some("insufficient_quota"), "rate_limit_error"),
        (Kind::Timeout, Whose::Caller)            => (408, "TIMEOUT", INVALID, Some("timeout"), INVALID),
        (Kind::Timeout, _)                        => (504, "TIMEOUT", "server_error", Some("timeout"), "timeout_error"),
        (Kind::Overloaded, Whose::Upstream)       => (503, PROVIDER, "server_error", Some("overloaded"), ANTHROPIC_OVERLOADED),
        (Kind::Overloaded, _)                     => (503, "OVERLOADED", "server_error", Some("overloaded"), ANTHROPIC_OVERLOADED),
        (Kind::Unavailable, _)                    => (503, PROVIDER, "server_error", Some("provider_unavailable"), FAILED),
        (Kind::Upstream, _)                       => (502, PROVIDER, "server_error", Some("provider_error"), FAILED),
        (Kind::Plugin, _)                         => (502, PROVIDER, "server_error", Some("plugin_error"), FAILED),
        (Kind::Tool, _)                           => (422, "TOOL_EXECUTION_FAILED", INVALID, Some("tool_execution_failed"), INVALID),
        (Kind::Storage, _)                        => (503, "OVERLOADED", "server_error", Some("storage_unavailable"), FAILED),
        (Kind::Internal, _)                       => (500, "INTERNAL_ERROR", "server_error", Some("internal_error"), FAILED),
    }
}
