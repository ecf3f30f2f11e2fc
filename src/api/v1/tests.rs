//! Tests of the native dialect: that the API document tells what is read.

use serde_json::json;

use super::prompt::request::{ChainRequest, CompareRequest, ParallelRequest, PromptRequest};
use super::tools::CallRequest;
use super::wire::ChatRequest;
use crate::api::tests::agree;

#[test]
fn the_document_tells_what_is_read() {
    agree("PromptRequest", &json!({"backend": "b", "prompt": "x"}), |body| {
        PromptRequest::read(body).map(|_| Vec::new())
    });
    let task = json!([{"backend": "b", "prompt": "x"}]);
    agree("ParallelRequest", &json!({"tasks": task}), |body| ParallelRequest::read(body, 9).map(|_| Vec::new()));
    agree("ChainRequest", &json!({"steps": task}), |body| ChainRequest::read(body, 9).map(|_| Vec::new()));
    let compare = json!({"backends": ["b"], "prompt": "x"});
    agree("CompareRequest", &compare, |body| CompareRequest::read(body, 9).map(|_| Vec::new()));
    agree("ToolCallRequest", &json!({}), |body| CallRequest::read(body).map(|_| Vec::new()));
    agree("ChatRequest", &json!({"message": "x"}), |body| ChatRequest::read(body).map(|_| Vec::new()));
}
