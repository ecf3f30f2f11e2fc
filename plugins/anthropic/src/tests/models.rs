//! The list of models, page by page.

use mortise_sdk::provider::{ErrorKind, Model, Operation, Output};
use mortise_sdk::testing::Run;
use serde_json::{Value, json};

use crate::client::Anthropic;

fn list() -> Run {
    Run::new::<Anthropic>(Operation::ListModels, r#"{"beta": ["b"]}"#)
}

fn page(data: Value, last: &str, more: bool) -> Vec<u8> {
    json!({"data": data, "first_id": "x", "last_id": last, "has_more": more}).to_string().into_bytes()
}

fn entry(id: &str) -> Value {
    json!({"type": "model", "id": id, "display_name": "D", "created_at": "1970-01-01T00:00:00Z"})
}

fn models(run: &Run) -> Vec<Model> {
    match run.outputs() {
        [Output::Models(models)] => models.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_the_vendor_tells_of_a_model() {
    let mut run = list();
    assert_eq!((run.sent().method.as_str(), run.sent().path.as_str()), ("GET", "/models?limit=1000"));
    assert!(run.sent().headers.iter().any(|header| header.name == "anthropic-version"));
    let told = json!({
        "type": "model", "id": "claude-opus-4-6", "display_name": "Claude Opus 4.6", "created_at": "2026-02-04T00:00:00Z",
        "max_input_tokens": 1_000_000, "max_tokens": 128_000,
        "capabilities": {"image_input": {"supported": true}, "thinking": {"supported": true, "types": {}}},
    });
    run.respond(200, &page(json!([told, entry("claude-old")]), "claude-old", false));
    assert!(run.finished());
    let opus = Model {
        name: Some("Claude Opus 4.6".into()),
        created: Some(1_770_163_200),
        owner: Some("anthropic".into()),
        context_window: Some(1_000_000),
        max_output: Some(128_000),
        vision: Some(true),
        reasoning: Some(true),
        ..Model::new("claude-opus-4-6")
    };
    // The vendor says 1970 where it doesn't know.
    let old = Model { name: Some("D".into()), owner: Some("anthropic".into()), ..Model::new("claude-old") };
    assert_eq!(models(&run), [opus, old]);
}

#[test]
fn all_pages_are_asked_for() {
    let mut run = list();
    run.respond(200, &page(json!([entry("a"), entry("b c")]), "b c", true));
    assert_eq!(run.sent().path, "/models?limit=1000&after_id=b%20c");
    assert!(run.outputs().is_empty() && run.error().is_none());
    run.respond(200, &page(json!([entry("d")]), "d", false));
    assert!(run.finished());
    let ids: Vec<_> = models(&run).into_iter().map(|model| model.id).collect();
    assert_eq!((ids, run.requests()), (vec!["a".to_owned(), "b c".into(), "d".into()], 2));
}

#[test]
fn a_vendor_that_never_comes_to_an_end_is_left() {
    let mut run = list();
    while !run.finished() {
        run.respond(200, &page(json!([entry("a")]), "a", true));
        assert!(run.requests() <= 16);
    }
    assert_eq!(models(&run).len(), 16);
    // An empty page promises nothing.
    let mut run = list();
    run.respond(200, &page(json!([]), "a", true));
    assert!(run.finished());
}

#[test]
fn what_is_no_list_is_an_error() {
    for body in ["", "{}", "[]", r#"{"data": [{}]}"#] {
        let mut run = list();
        run.respond(200, body.as_bytes());
        assert_eq!(run.error().map(|error| error.kind), Some(ErrorKind::Upstream), "{body}");
    }
    let mut run = list();
    run.respond(200, &page(json!([entry("a")]), "a", true));
    run.respond(401, br#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#);
    assert_eq!(run.error().unwrap().kind, ErrorKind::Unauthenticated);
}

#[test]
fn times_are_read_as_they_are_written() {
    let created = |time: &str| {
        let mut run = list();
        let mut told = entry("a");
        told["created_at"] = json!(time);
        run.respond(200, &page(json!([told]), "a", false));
        models(&run)[0].created
    };
    assert_eq!(created("2000-02-29T12:34:56Z"), Some(951_827_696));
    assert_eq!(created("2024-12-31T23:59:59.999Z"), Some(1_735_689_599));
    assert_eq!(created("2025-01-01T02:00:00+02:00"), Some(1_735_689_600));
    assert_eq!(created("2024-12-31T22:30:00-01:30"), Some(1_735_689_600));
    for odd in ["", "yesterday", "2024-12-31", "2024-12-31T00:00:00", "é024-12-31T00:00:00Z", "1969-12-31T00:00:00Z"] {
        assert_eq!(created(odd), None, "{odd}");
    }
}
