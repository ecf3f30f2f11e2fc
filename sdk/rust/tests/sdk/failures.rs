//! What a vendor's refusal becomes.

use mortise_sdk::http::{Head, Header};
use mortise_sdk::provider::{Error, ErrorKind};

fn refused(status: u16, body: &str) -> Error {
    Error::from_response(&Head { status, headers: Vec::new() }, body.as_bytes())
}

#[test]
fn statuses_and_words_become_kinds() {
    use ErrorKind::*;
    let table = [
        (400, r#"{"error":{"message":"bad","type":"invalid_request_error"}}"#, InvalidRequest),
        (400, r#"{"error":{"message":"x","code":"context_length_exceeded"}}"#, ContextTooLong),
        (400, r#"{"error":{"message":"This model's maximum context length is 8192 tokens"}}"#, ContextTooLong),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 > 8"}}"#,
            ContextTooLong,
        ),
        (400, r#"{"error":{"message":"x","code":"content_filter"}}"#, Refused),
        (401, r#"{"error":{"message":"x","type":"invalid_request_error","code":"invalid_api_key"}}"#, Unauthenticated),
        (401, r#"{"error":{"message":"x","type":"invalid_request_error"}}"#, Unauthenticated),
        (402, r#"{"error":{"message":"Insufficient Balance"}}"#, Forbidden),
        (403, r#"{"error":{"message":"x","type":"permission_error"}}"#, Forbidden),
        (404, r#"{"error":{"message":"x","type":"invalid_request_error","code":"model_not_found"}}"#, UnknownModel),
        (404, "<html>nginx</html>", Upstream),
        (413, r#"{"error":{"type":"request_too_large","message":"x"}}"#, TooLarge),
        (422, r#"{"detail":[{"msg":"field required"}]}"#, InvalidRequest),
        (429, r#"{"error":{"message":"x","type":"tokens","code":"rate_limit_exceeded"}}"#, RateLimited),
        (429, r#"[{"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED"}}]"#, RateLimited),
        (500, r#"{"error":{"message":"x","type":"server_error"}}"#, Upstream),
        (502, "", Upstream),
        (503, r#"{"error":"busy"}"#, Overloaded),
        (503, r#"{"error":{"message":"slow down","type":"server_error"}}"#, Overloaded),
        (529, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, Overloaded),
        (301, "", Upstream),
    ];
    for (status, body, kind) in table {
        assert_eq!(refused(status, body).kind, kind, "{status} {body}");
    }
}

#[test]
fn the_vendor_s_message_reaches_the_caller() {
    let table = [
        (r#"{"error":{"message":"no such thing"}}"#, "no such thing"),
        (r#"{"error":"busy"}"#, "busy"),
        (r#"{"message":"sorry"}"#, "sorry"),
        (r#"{"detail":"not here"}"#, "not here"),
        (r#"{"detail":[{"msg":"field required"}]}"#, "field required"),
        (r#"{"error":{"message":"  "}}"#, "the vendor gave no message"),
        (r#"{"error":{"code":7}}"#, "the vendor answered with status 400"),
        ("<html>secret</html>", "the vendor answered with status 400"),
    ];
    for (body, message) in table {
        assert_eq!(refused(400, body).message, message, "{body}");
    }
}

#[test]
fn the_vendor_s_own_error_is_kept_as_json() {
    let raw = |body: &str| refused(500, body).raw;
    assert_eq!(raw(" {\"error\":\"busy\"}\n").as_deref(), Some(r#"{"error":"busy"}"#));
    assert_eq!(raw("<b>\"no\"</b>").as_deref(), Some(r#""<b>\"no\"</b>""#));
    assert_eq!(raw(""), None);
    assert!(raw(&"é".repeat(9000)).unwrap().chars().count() < 2100, "a page of HTML is cut");
}

#[test]
fn the_time_to_wait_is_read() {
    let after = |name: &str, value: &str| {
        let head = Head { status: 429, headers: vec![Header::new(name, value)] };
        Error::from_response(&head, b"").retry_after_ms
    };
    assert_eq!(after("Retry-After", "2"), Some(2000));
    assert_eq!(after("retry-after", " 0.5 "), Some(500));
    assert_eq!(after("retry-after-ms", "1500"), Some(1500));
    assert_eq!(after("retry-after", "99999999999"), Some(u32::MAX));
    for nonsense in ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "soon", "NaN", "inf"] {
        assert_eq!(after("retry-after", nonsense), None, "{nonsense}");
    }
}

#[test]
fn an_error_within_a_stream_has_no_status() {
    let kind = |json: &str| Error::from_vendor(json).kind;
    assert_eq!(kind(r#"{"error":{"message":"x","code":429}}"#), ErrorKind::RateLimited);
    assert_eq!(kind(r#"{"error":{"message":"x","type":"overloaded_error"}}"#), ErrorKind::Overloaded);
    assert_eq!(kind(r#"{"error":{"message":"x","type":"invalid_request_error"}}"#), ErrorKind::InvalidRequest);
    assert_eq!(kind(r#"{"error":{"message":"x"}}"#), ErrorKind::Upstream);
    assert_eq!(kind(r#"{"error":{}}"#), ErrorKind::Upstream);
    let error = Error::from_vendor("not json");
    assert_eq!((error.kind, error.raw), (ErrorKind::Upstream, None));
}
