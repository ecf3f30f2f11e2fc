//! The vendor's list of models.

use mortise_sdk::provider::{ErrorKind, Model, Operation, Output};
use mortise_sdk::testing::{self, Run};

use crate::vendor::Vendor;

fn listed(body: &str) -> Run {
    let mut run = Run::new::<Vendor>(Operation::ListModels, "{}");
    assert_eq!((run.sent().method.as_str(), run.sent().path.as_str()), ("GET", "/models"));
    run.respond(200, body.as_bytes());
    run
}

#[test]
fn what_the_vendor_says_of_a_model_is_kept() {
    let run = listed(
        r#"{"object":"list","data":[
            {"id":"a","object":"model","created":1686935002,"owned_by":"openai"},
            {"id":"b","created":0,"owned_by":"Meta","active":true,"context_window":131072,"max_completion_tokens":32768},
            {"id":"c","name":"C","context_length":8192,"pricing":{"prompt":"0"}},
            {"id":"d","max_model_len":4096,"created":1.5}
        ]}"#,
    );
    let expected = vec![
        Model { created: Some(1_686_935_002), owner: Some("openai".into()), ..Model::new("a") },
        Model {
            owner: Some("Meta".into()),
            context_window: Some(131_072),
            max_output: Some(32_768),
            ..Model::new("b")
        },
        Model { name: Some("C".into()), context_window: Some(8192), ..Model::new("c") },
        Model { context_window: Some(4096), ..Model::new("d") },
    ];
    assert_eq!(run.outputs(), [Output::Models(expected)]);
    assert!(run.finished());
}

#[test]
fn a_bare_list_is_a_list_too() {
    assert_eq!(listed(r#" [{"id":"a"}]"#).outputs(), [Output::Models(vec![Model::new("a")])]);
}

#[test]
fn something_else_is_an_error() {
    assert_eq!(listed("<html>").error().unwrap().kind, ErrorKind::Upstream);
}

#[test]
fn the_operator_s_models_are_known_without_asking() {
    let info = testing::describe::<Vendor>(r#"{"models": ["x"]}"#).unwrap();
    assert_eq!(info.models, [Model::new("x")]);
}
