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
}

// === impl Fault ===

impl<'e> Fault<'e> {
    /// `error` as the API tells it.
    pub fn of(error: &'e Error) -> Self {
        let (status, code, openai_type, openai_code) = row(error.kind(), error.fault());
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { error, status, code, openai_type, openai_code }
    }

    /// Seconds after which another attempt makes sense, rounded up.
    pub fn retry_after(&self) -> Option<u64> {
        self.error.retry_after().map(|after| after.as_secs() + u64::from(after.subsec_nanos() > 0))
    }

    /// The vendor's own error, if it is valid JSON.
    pub fn raw(&self) -> Option<serde_json::Value> {
        serde_json::from_str(self.error.raw()?).ok()
    }
}

/// Status, native code, OpenAI's type, OpenAI's code.
type Row = (u16, &'static str, &'static str, Option<&'static str>);

#[rustfmt::skip]
fn row(kind: Kind, whose: Whose) -> Row {
    const INVALID: &str = "invalid_request_error";
    const PROVIDER: &str = "PROVIDER_ERROR";
    match (kind, whose) {
        (Kind::MissingField, _)                   => (400, "MISSING_FIELD", INVALID, Some("missing_required_parameter")),
        (Kind::InvalidValue, _)                   => (400, "INVALID_VALUE", INVALID, Some("invalid_value")),
        (Kind::Unsupported, _)                    => (400, "INVALID_VALUE", INVALID, Some("unsupported_parameter")),
        (Kind::ContextTooLong, _)                 => (400, "INVALID_VALUE", INVALID, Some("context_length_exceeded")),
        (Kind::Refused, _)                        => (400, PROVIDER, INVALID, Some("content_filter")),
        (Kind::Unauthenticated, Whose::Upstream)  => (401, PROVIDER, "authentication_error", Some("invalid_api_key")),
        (Kind::Unauthenticated, _)                => (401, "AUTHENTICATION_FAILED", "authentication_error", Some("invalid_api_key")),
        (Kind::Forbidden, Whose::Upstream)        => (403, PROVIDER, "permission_error", None),
        (Kind::Forbidden, _)                      => (403, "FORBIDDEN", "permission_error", None),
        (Kind::NotFound, _)                       => (404, "NOT_FOUND", INVALID, Some("not_found")),
        (Kind::ProviderNotFound, _)               => (404, "PROVIDER_NOT_FOUND", INVALID, Some("provider_not_found")),
        (Kind::ModelNotFound, _)                  => (404, "MODEL_NOT_FOUND", INVALID, Some("model_not_found")),
        (Kind::MethodNotAllowed, _)               => (405, "METHOD_NOT_ALLOWED", INVALID, Some("method_not_allowed")),
        (Kind::TooLarge, _)                       => (413, "PAYLOAD_TOO_LARGE", INVALID, Some("request_too_large")),
        (Kind::UnsupportedMediaType, _)           => (415, "UNSUPPORTED_MEDIA_TYPE", INVALID, Some("unsupported_media_type")),
        (Kind::RateLimited, _)                    => (429, "RATE_LIMITED", "rate_limit_error", Some("rate_limit_exceeded")),
        (Kind::Timeout, Whose::Caller)            => (408, "TIMEOUT", INVALID, Some("timeout")),
        (Kind::Timeout, _)                        => (504, "TIMEOUT", "server_error", Some("timeout")),
        (Kind::Overloaded, Whose::Upstream)       => (503, PROVIDER, "server_error", Some("overloaded")),
        (Kind::Overloaded, _)                     => (503, "OVERLOADED", "server_error", Some("overloaded")),
        (Kind::Unavailable, _)                    => (503, PROVIDER, "server_error", Some("provider_unavailable")),
        (Kind::Upstream, _)                       => (502, PROVIDER, "server_error", Some("provider_error")),
        (Kind::Plugin, _)                         => (502, PROVIDER, "server_error", Some("plugin_error")),
        (Kind::Internal, _)                       => (500, "INTERNAL_ERROR", "server_error", Some("internal_error")),
    }
}
