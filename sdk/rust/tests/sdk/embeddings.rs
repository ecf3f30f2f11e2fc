//! Texts to vectors.

use mortise_sdk::chat::{Field, Usage};
use mortise_sdk::provider::{EmbedRequest, ErrorKind, Operation, Output, Vector};
use mortise_sdk::testing::Run;
use serde_json::json;

use crate::vendor::Vendor;

fn begin() -> Run {
    let request = EmbedRequest {
        model: "e".into(),
        inputs: vec!["one".into(), "two \"2\"".into()],
        dimensions: Some(2),
        user: Some("u".into()),
        extra: vec![Field::new("input_type", "\"query\"")],
    };
    Run::new::<Vendor>(Operation::Embed(request), "{}")
}

#[test]
fn the_request_holds_everything() {
    let run = begin();
    assert_eq!(run.sent().path, "/embeddings");
    assert_eq!(
        run.sent_json(),
        json!({"model": "e", "input": ["one", "two \"2\""], "dimensions": 2, "user": "u", "input_type": "query"})
    );
}

#[test]
fn numbers_and_base64_become_vectors() {
    let mut run = begin();
    run.respond(
        200,
        br#"{"object":"list","data":[
            {"object":"embedding","index":1,"embedding":[0.5,-1]},
            {"object":"embedding","index":0,"embedding":"AACAPwAAAMA="}
        ],"model":"e","usage":{"prompt_tokens":4,"total_tokens":4}}"#,
    );
    let usage = Usage { input: 4, ..Usage::default() };
    assert_eq!(
        run.outputs(),
        [
            Output::Vector(Vector { index: 1, values: vec![0.5, -1.0] }),
            Output::Vector(Vector { index: 0, values: vec![1.0, -2.0] }),
            Output::Usage(usage),
        ]
    );
    assert!(run.finished());
}

#[test]
fn a_missing_or_broken_vector_is_an_error() {
    for body in [
        r#"{"data":[]}"#,
        r#"{"data":[{"embedding":"!!"},{"embedding":[1]}]}"#,
        r#"{"data":[{"embedding":"AAA="},{"embedding":[1]}]}"#,
        "{}",
        "x",
    ] {
        let mut run = begin();
        run.respond(200, body.as_bytes());
        assert_eq!(run.error().expect(body).kind, ErrorKind::Upstream);
        assert!(!run.finished());
    }
}
