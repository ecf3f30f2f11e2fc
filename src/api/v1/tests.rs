//! Tests of the native dialect: that the API document tells what is read.

use serde_json::json;

use super::tools::CallRequest;
use super::wire::ChatRequest;
use crate::api::tests::agree;

#[test]
fn the_document_tells_what_is_read() {
    agree("ToolCallRequest", &json!({}), |body| CallRequest::read(body).map(|_| Vec::new()));
    agree("ChatRequest", &json!({"message": "x"}), |body| ChatRequest::read(body).map(|_| Vec::new()));
}
