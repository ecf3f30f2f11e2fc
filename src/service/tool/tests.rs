//! Tests of the toolbox, with tools that are no guests.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use super::*;
use crate::model::plugin::Origin;
use crate::model::tool::{Annotations, Spec};
use crate::plugin::catalog::{self, Health, Plugin, Published};
use crate::plugin::grant::Grants;
use crate::plugin::manifest::{Manifest, PluginKind};
use crate::plugin::{Calling, Tool};

/// Answers with the arguments that it was given.
#[derive(Default)]
struct Parrot {
    specs: Vec<Spec>,
    calls: Mutex<Vec<ToolCall>>,
    answer: Option<String>,
}

struct Well;

impl Health for Well {
    fn traps(&self) -> u64 {
        0
    }
    fn instances(&self) -> usize {
        0
    }
    fn quarantine(&self) -> Option<String> {
        None
    }
}

impl Tool for Parrot {
    fn specs(&self) -> &[Spec] {
        &self.specs
    }

    fn call(&self, call: ToolCall) -> Calling {
        let said = self.answer.clone().unwrap_or_else(|| call.arguments.clone());
        self.calls.lock().unwrap().push(call);
        Box::pin(async { Ok(Ok(Output { parts: vec![ResultPart::Text(said)], structured: None })) })
    }
}

fn spec(name: &str, schema: &str) -> Spec {
    Spec {
        name: name.into(),
        title: None,
        description: "Does it".into(),
        category: "testing".into(),
        input_schema: schema.into(),
        output_schema: None,
        annotations: Annotations::default(),
    }
}

const READ: &str = r#"{"type":"object","properties":{"path":{"type":"string"},"limit":{"type":"integer","minimum":1}},
    "required":["path"],"additionalProperties":false}"#;

fn toolbox(plugins: Vec<(&str, Origin, Arc<Parrot>)>) -> Toolbox {
    let catalog = Arc::new(Catalog::default());
    let mut entries = BTreeMap::new();
    for (id, origin, tool) in plugins {
        let published = Published {
            manifest: Manifest::new(id, "1.0.0", PluginKind::Tool),
            origin,
            digest: String::new(),
            grants: Grants::default(),
            plugin: Plugin::Tool(tool),
            health: Arc::new(Well),
        };
        let entry = catalog::Entry { published: Some(Arc::new(published)), origin, file: None, last_error: None };
        entries.insert(id.to_owned(), entry);
    }
    catalog.update(|snapshot| snapshot.entries = entries);
    Toolbox::new(catalog, Arc::default(), std::env::temp_dir())
}

fn reader() -> Arc<Parrot> {
    Arc::new(Parrot { specs: vec![spec("read_file", READ)], ..Parrot::default() })
}

fn call(name: &str, arguments: &str) -> Call {
    Call {
        name: name.into(),
        arguments: arguments.into(),
        caller: Caller::anonymous(IpAddr::from([127, 0, 0, 1]), "chat"),
        workspace: None,
        session: None,
        run: None,
        call_id: "call-1".into(),
        progress: None,
    }
}

fn text(output: &Output) -> &str {
    match output.parts.as_slice() {
        [ResultPart::Text(text)] => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn arguments_are_checked_before_the_tool_sees_them() {
    let parrot = reader();
    let toolbox = toolbox(vec![("files", Origin::Bundled, parrot.clone())]);
    for (arguments, words) in [
        ("{}", "\"path\" is a required property"),
        ("[]", "one JSON object"),
        ("{\"path\": ", "no JSON"),
        ("{\"path\": 7}", "`path`: 7 is not of type \"string\""),
        ("{\"path\": \"a\", \"limit\": 0}", "`limit`"),
        ("{\"path\": \"a\", \"depth\": 1}", "depth"),
    ] {
        let failure = toolbox.call(call("read_file", arguments)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidArguments, "{arguments}");
        assert!(failure.message.contains(words), "{arguments}: {}", failure.message);
        assert!(failure.message.ends_with("it takes path (string, required), limit (integer)"), "{}", failure.message);
    }
    assert!(parrot.calls.lock().unwrap().is_empty());
    let arguments = "{\"path\":  \"a\"}";
    let output = toolbox.call(call("read_file", arguments)).await.unwrap();
    assert_eq!(text(&output), arguments, "what is right is handed on as it came");
}

#[tokio::test]
async fn a_path_goes_by_two_names() {
    let toolbox = toolbox(vec![("files", Origin::Bundled, reader())]);
    let output = toolbox.call(call("read_file", r#"{"file_path":"a"}"#)).await.unwrap();
    assert_eq!(text(&output), r#"{"path":"a"}"#);
    let failure = toolbox.call(call("read_file", r#"{"file_path":"a","path":"b"}"#)).await.unwrap_err();
    assert!(failure.message.contains("file_path"), "{}", failure.message);
}

#[tokio::test]
async fn other_names_are_put_right_and_what_says_nothing_is_left_out() {
    let schema = r#"{"type":"object","properties":{"file_path":{"type":"string","x-aliases":["path","file"]},
        "limit":{"type":"integer"}},"required":["file_path"],"additionalProperties":false}"#;
    let parrot = Parrot { specs: vec![spec("read_file", schema)], ..Parrot::default() };
    let toolbox = toolbox(vec![("files", Origin::Bundled, Arc::new(parrot))]);
    for arguments in [r#"{"path":"a"}"#, r#"{"file":"a","limit":null}"#, r#"{"file_path":"a","offset":null}"#] {
        let output = toolbox.call(call("read_file", arguments)).await.unwrap();
        assert_eq!(text(&output), r#"{"file_path":"a"}"#);
    }
    let entries = toolbox.specs();
    let shown = entries.get("read_file").unwrap();
    assert!(!shown.schema.to_string().contains("aliases") && !shown.spec.input_schema.contains("aliases"));
}

#[tokio::test]
async fn of_two_tools_of_one_name_the_bundled_one_keeps_it() {
    let box_of = |named: &str| {
        Arc::new(Parrot {
            answer: Some(named.into()),
            ..Parrot { specs: vec![spec("read_file", READ)], ..Parrot::default() }
        })
    };
    let toolbox = toolbox(vec![
        ("a-files", Origin::Directory, box_of("a")),
        ("files", Origin::Bundled, box_of("bundled")),
        ("b-files", Origin::Directory, box_of("b")),
    ]);
    let entries = toolbox.specs();
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["a_files_read_file", "b_files_read_file", "read_file"]);
    for (name, said) in [("read_file", "bundled"), ("a_files_read_file", "a"), ("b_files_read_file", "b")] {
        let output = toolbox.call(call(name, r#"{"path":"x"}"#)).await.unwrap();
        assert_eq!(text(&output), said);
    }
}

#[tokio::test]
async fn an_unknown_tool_names_the_nearest() {
    let toolbox = toolbox(vec![("files", Origin::Bundled, reader())]);
    let failure = toolbox.call(call("read_files", "{}")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound);
    assert!(failure.message.contains("did you mean read_file?"), "{}", failure.message);
}

#[tokio::test]
async fn a_long_answer_is_cut_and_says_so() {
    let long = "ä".repeat(LONGEST_TEXT);
    let parrot = Parrot { specs: vec![spec("read_file", READ)], answer: Some(long), ..Parrot::default() };
    let toolbox = toolbox(vec![("files", Origin::Bundled, Arc::new(parrot))]);
    let output = toolbox.call(call("read_file", r#"{"path":"x"}"#)).await.unwrap();
    assert!(text(&output).len() < LONGEST_TEXT + 100);
    assert!(text(&output).ends_with("more bytes are left out; ask for less at once]"));
}

#[tokio::test]
async fn what_is_published_later_is_found() {
    let toolbox = toolbox(Vec::new());
    assert_eq!(toolbox.specs().iter().count(), 0);
    let other = self::toolbox(vec![("files", Origin::Bundled, reader())]);
    let entries = other.catalog.snapshot().entries.clone();
    toolbox.catalog.update(|snapshot| snapshot.entries = entries);
    assert!(toolbox.specs().get("read_file").is_some());
}
