//! What a provider does beside chatting: describing itself, listing, counting, embedding.

use mortise_sdk::chat::{Field, Message, Request, Tool, Usage};
use mortise_sdk::provider::{Credential, EmbedRequest, ErrorKind, Model, Operation, Output, Vector};
use mortise_sdk::testing::{self, Run};
use serde_json::json;

use super::plain;
use crate::client::Gemini;

#[test]
fn it_says_where_gemini_is() {
    let info = testing::describe::<Gemini>("{}").unwrap();
    assert_eq!(info.base_url.as_deref(), Some("https://generativelanguage.googleapis.com/v1beta"));
    assert_eq!(info.key_variable.as_deref(), Some("GEMINI_API_KEY"));
    assert_eq!(info.credential, Credential::Header("x-goog-api-key".into()));
    assert!(info.dialects.is_empty(), "every request is rewritten");
    let wrong = testing::describe::<Gemini>(r#"{"safety": {"A": 1}}"#).unwrap_err();
    assert!(wrong.message.starts_with("settings: `safety.A`"), "{}", wrong.message);
}

#[test]
fn models_come_in_pages() {
    let mut run = Run::new::<Gemini>(Operation::ListModels, "{}");
    assert_eq!((run.sent().method.as_str(), run.sent().path.as_str()), ("GET", "/models?pageSize=1000"));
    run.respond(200, json!({"models": [
        {"name": "models/gemini-x", "displayName": "Gemini X", "version": "1", "inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536,
         "supportedGenerationMethods": ["generateContent", "countTokens"], "thinking": true},
        {"name": "models/veo", "inputTokenLimit": 480, "supportedGenerationMethods": ["predictLongRunning"]},
    ], "nextPageToken": "a/b+c=="}).to_string().as_bytes());
    assert_eq!(run.sent().path, "/models?pageSize=1000&pageToken=a%2Fb%2Bc%3D%3D");
    run.respond(200, json!({"models": [
        {"name": "models/embed", "inputTokenLimit": 2048, "outputTokenLimit": 1, "supportedGenerationMethods": ["embedContent"]},
    ]}).to_string().as_bytes());
    assert!(run.finished());
    let google = || Some("google".to_owned());
    let first = Model {
        name: Some("Gemini X".into()),
        owner: google(),
        context_window: Some(1_048_576),
        max_output: Some(65_536),
        reasoning: Some(true),
        ..Model::new("gemini-x")
    };
    let second = Model { owner: google(), context_window: Some(2048), tools: Some(false), ..Model::new("embed") };
    assert_eq!(run.outputs(), [Output::Models(vec![first]), Output::Models(vec![second])]);
}

#[test]
fn a_list_that_never_ends_is_left() {
    let mut run = Run::new::<Gemini>(Operation::ListModels, "{}");
    for _ in 0..20 {
        assert_eq!(run.error(), None);
        run.respond(200, br#"{"models": [], "nextPageToken": "again"}"#);
    }
    assert!(run.finished());
    assert_eq!(run.requests(), 20);
}

#[test]
fn tokens_are_counted_of_the_whole_request() {
    let messages = vec![Message::system("be brief"), Message::user("hi")];
    let request = Request { tools: vec![Tool::new("f", "{}")], max_tokens: Some(5), messages, ..plain() };
    let mut run = Run::new::<Gemini>(Operation::CountTokens(request), "{}");
    assert_eq!(run.sent().path, "/models/gemini-2.5-flash:countTokens");
    assert_eq!(
        run.sent_json(),
        json!({"generateContentRequest": {
            "model": "models/gemini-2.5-flash",
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
            "systemInstruction": {"parts": [{"text": "be brief"}]},
            "tools": [{"functionDeclarations": [{"name": "f"}]}],
            "generationConfig": {"maxOutputTokens": 5},
        }})
    );
    run.respond(200, br#"{"totalTokens": 31, "promptTokensDetails": []}"#);
    assert_eq!(run.outputs(), [Output::Tokens(31)]);
    assert!(run.finished());
}

fn embed(inputs: usize, extra: Vec<Field>) -> Run {
    let inputs = (0..inputs).map(|number| format!("text {number}")).collect();
    let request = EmbedRequest { model: "gemini-embedding-001".into(), inputs, dimensions: Some(2), user: None, extra };
    Run::new::<Gemini>(Operation::Embed(request), "{}")
}

#[test]
fn texts_become_vectors() {
    let mut run = embed(2, Vec::new());
    let one = |text: &str| json!({"model": "models/gemini-embedding-001", "content": {"parts": [{"text": text}]}, "outputDimensionality": 2});
    assert_eq!(run.sent().path, "/models/gemini-embedding-001:batchEmbedContents");
    assert_eq!(run.sent_json(), json!({"requests": [one("text 0"), one("text 1")]}));
    run.respond(
        200,
        br#"{"embeddings": [{"values": [0.5, -1]}, {"values": [1, 2]}], "usageMetadata": {"promptTokenCount": 4}}"#,
    );
    let vector = |index, values: [f32; 2]| Output::Vector(Vector { index, values: values.to_vec() });
    let usage = Output::Usage(Usage { input: 4, ..Usage::default() });
    assert_eq!(run.outputs(), [vector(0, [0.5, -1.0]), vector(1, [1.0, 2.0]), usage]);
    assert!(run.finished());
}

#[test]
fn many_texts_are_sent_by_hundreds() {
    let mut run = embed(230, Vec::new());
    for count in [100, 100, 30] {
        assert_eq!(run.sent_json()["requests"].as_array().unwrap().len(), count);
        let vectors: Vec<_> = (0..count).map(|_| json!({"values": [1]})).collect();
        run.respond(200, json!({"embeddings": vectors}).to_string().as_bytes());
    }
    assert!(run.finished());
    let indices = run.outputs().iter().map(|output| match output {
        Output::Vector(vector) => vector.index,
        other => panic!("{other:?}"),
    });
    assert_eq!(indices.collect::<Vec<_>>(), (0..230).collect::<Vec<u32>>());
}

#[test]
fn a_missing_vector_and_a_strange_field_are_errors() {
    let mut run = embed(2, Vec::new());
    run.respond(200, br#"{"embeddings": [{"values": [1]}]}"#);
    assert_eq!(run.error().unwrap().message, "the vendor sent 1 vectors for 2 inputs");
    let refused = embed(1, vec![Field::new("input_type", "\"query\"")]);
    assert_eq!(refused.error().unwrap().kind, ErrorKind::Unsupported);
}
