//! What a provider does beside chatting: describing itself, listing, embedding.

use mortise_sdk::chat::Usage;
use mortise_sdk::provider::{Credential, EmbedRequest, ErrorKind, Model, Operation, Output, Vector};
use mortise_sdk::testing::{self, Run};
use serde_json::json;

use super::plain;
use crate::client::Ollama;

#[test]
fn it_wants_a_key_only_where_the_operator_says_so() {
    let info = testing::describe::<Ollama>("{}").unwrap();
    assert_eq!(info.base_url.as_deref(), Some("http://localhost:11434"));
    assert_eq!((info.credential, info.key_variable), (Credential::None, None));
    let info = testing::describe::<Ollama>(r#"{"api_key": true}"#).unwrap();
    assert_eq!(info.credential, Credential::Bearer);
    let wrong = testing::describe::<Ollama>(r#"{"option": {}}"#).unwrap_err();
    assert!(wrong.message.starts_with("settings: `option`: unknown field"), "{}", wrong.message);
}

#[test]
fn models_are_those_that_are_there() {
    let mut run = Run::new::<Ollama>(Operation::ListModels, "{}");
    assert_eq!((run.sent().method.as_str(), run.sent().path.as_str()), ("GET", "/api/tags"));
    run.respond(200, br#"{"models": [
        {"name": "qwen3:8b", "model": "qwen3:8b", "modified_at": "2026-01-01T00:00:00Z", "size": 5, "details": {"family": "qwen3"}},
        {"name": "old:latest"}
    ]}"#);
    assert_eq!(run.outputs(), [Output::Models(vec![Model::new("qwen3:8b"), Model::new("old:latest")])]);
    assert!(run.finished());
    assert_eq!(run.requests(), 1, "nothing is pulled");
}

#[test]
fn texts_become_vectors() {
    let request = EmbedRequest {
        model: "all-minilm".into(),
        inputs: vec!["one".into(), "two".into()],
        dimensions: Some(2),
        user: None,
        extra: Vec::new(),
    };
    let embed = || Run::new::<Ollama>(Operation::Embed(request.clone()), r#"{"options": {"num_ctx": 512}}"#);
    let mut run = embed();
    assert_eq!(run.sent().path, "/api/embed");
    assert_eq!(
        run.sent_json(),
        json!({"model": "all-minilm", "input": ["one", "two"], "truncate": false, "dimensions": 2, "options": {"num_ctx": 512}})
    );
    run.respond(200, br#"{"model": "all-minilm", "embeddings": [[0.5, -1], [1, 2]], "prompt_eval_count": 8}"#);
    let vector = |index, values: [f32; 2]| Output::Vector(Vector { index, values: values.to_vec() });
    let usage = Output::Usage(Usage { input: 8, ..Usage::default() });
    assert_eq!(run.outputs(), [vector(0, [0.5, -1.0]), vector(1, [1.0, 2.0]), usage]);
    let mut short = embed();
    short.respond(200, br#"{"embeddings": [[1]]}"#);
    assert_eq!(short.error().unwrap().message, "the vendor sent 1 vectors for 2 inputs");
}

#[test]
fn it_counts_no_tokens() {
    let run = Run::new::<Ollama>(Operation::CountTokens(plain()), "{}");
    assert_eq!(run.error().unwrap().kind, ErrorKind::Unsupported);
}
