//! What this provider adds to the dialect, which itself is tested in the SDK.

use mortise_sdk::chat::{Event, Field, Message, Request, StopReason};
use mortise_sdk::provider::{Credential, EmbedRequest, ErrorKind, Operation};
use mortise_sdk::testing::{self, Run};
use serde_json::json;

use crate::client::AzureOpenAi;

const DATED: &str = r#"{"api_version": "2024-10-21"}"#;

fn chat(settings: &str) -> Run {
    let request = Request { streaming: true, ..Request::new("my deployment/1", vec![Message::user("hi")]) };
    Run::new::<AzureOpenAi>(Operation::Chat(request), settings)
}

fn embed(settings: &str) -> Run {
    let inputs = vec!["a".into()];
    let request = EmbedRequest { model: "e".into(), inputs, dimensions: None, user: None, extra: Vec::new() };
    Run::new::<AzureOpenAi>(Operation::Embed(request), settings)
}

#[test]
fn the_operator_says_where_the_resource_is() {
    let info = testing::describe::<AzureOpenAi>("{}").unwrap();
    assert!(info.base_url.unwrap().ends_with(".invalid"), "a name that nobody can have");
    assert_eq!(info.credential, Credential::Header("api-key".into()));
    assert_eq!(info.key_variable.as_deref(), Some("AZURE_OPENAI_API_KEY"));
    assert_eq!(info.dialects, ["openai", "openai-responses"]);
    let info = testing::describe::<AzureOpenAi>(r#"{"deployments": ["gpt-4o"], "responses": false}"#).unwrap();
    assert_eq!((info.models[0].id.as_str(), info.dialects.as_slice()), ("gpt-4o", &["openai".to_owned()][..]));
}

#[test]
fn in_version_1_the_deployment_is_the_model() {
    let run = chat("{}");
    assert_eq!(run.sent().path, "/openai/v1/chat/completions");
    assert_eq!(run.sent_json()["model"], "my deployment/1");
    assert_eq!(embed("{}").sent().path, "/openai/v1/embeddings");
    assert_eq!(Run::new::<AzureOpenAi>(Operation::ListModels, "{}").sent().path, "/openai/v1/models");
    assert_eq!(chat(r#"{"api": "responses"}"#).sent().path, "/openai/v1/responses");
}

#[test]
fn in_a_dated_version_it_stands_in_the_path() {
    let path = "/openai/deployments/my%20deployment%2F1/chat/completions?api-version=2024-10-21";
    assert_eq!(chat(DATED).sent().path, path);
    assert_eq!(embed(DATED).sent().path, "/openai/deployments/e/embeddings?api-version=2024-10-21");
    let models = Run::new::<AzureOpenAi>(Operation::ListModels, DATED);
    assert_eq!(models.sent().path, "/openai/models?api-version=2024-10-21");
    let responses = chat(r#"{"api_version": "2025-03-01-preview", "api": "responses"}"#);
    assert_eq!(responses.sent().path, "/openai/responses?api-version=2025-03-01-preview");
    for wrong in ["", "1&x=2", "a/b"] {
        let settings = json!({"api_version": wrong}).to_string();
        assert_eq!(testing::describe::<AzureOpenAi>(&settings).unwrap_err().kind, ErrorKind::InvalidRequest, "{wrong}");
    }
}

#[test]
fn a_filtered_prompt_is_refused_with_the_vendor_s_reason() {
    let mut run = chat("{}");
    run.respond(
        400,
        br#"{"error":{"message":"The response was filtered due to the prompt triggering the content management policy.",
            "type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{
            "code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true,"severity":"high"}}}}}"#,
    );
    let error = run.error().unwrap();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains("content management policy"), "{}", error.message);
    assert!(error.raw.as_deref().unwrap().contains("ResponsibleAIPolicyViolation"));
}

#[test]
fn a_filtered_answer_says_so_and_what_was_found() {
    let mut run = chat("{}");
    run.head(200, &[("content-type", "text/event-stream")]);
    for chunk in [
        r#"{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]}"#,
        r#"{"choices":[{"delta":{"content":"a","role":"assistant"},"index":0,"content_filter_results":{"hate":{}}}],"id":"c","model":"m"}"#,
        r#"{"choices":[{"delta":{},"index":0,"finish_reason":"content_filter","content_filter_results":{"hate":{"filtered":true}}}],"id":"c"}"#,
        "[DONE]",
    ] {
        run.body(format!("data: {chunk}\n\n").as_bytes());
    }
    assert!(run.finished(), "{:?}", run.error());
    let answer = run.answer();
    assert_eq!((answer.id.as_deref(), answer.text.as_str()), (Some("c"), "a"));
    assert_eq!(answer.stop.unwrap().reason, StopReason::Refusal);
    let first = Event::Extra(Field::new("prompt_filter_results", r#"[{"prompt_index":0}]"#));
    assert_eq!(run.events()[1], first, "what comes before the answer is said once it has begun");
    let last = Field::new("content_filter_results", r#"{"hate":{"filtered":true}}"#);
    assert_eq!(answer.extra.last(), Some(&last));
}

#[test]
fn a_wrong_setting_is_named() {
    let error = testing::describe::<AzureOpenAi>(r#"{"version": "1"}"#).unwrap_err();
    assert!(error.message.starts_with("settings: `version`: unknown field"), "{}", error.message);
}
