//! Answers in JSON.

use mortise_sdk::chat::{JsonSchema, Request, ResponseFormat};
use serde_json::{Value, json};

use super::{answer, error, request, with_tools};
use crate::schema::least;

#[test]
fn the_least_that_fits() {
    let table = [
        (json!({"type": "string"}), json!("")),
        (json!({"type": "string", "minLength": 2}), json!("xx")),
        (json!({"type": "integer"}), json!(0)),
        (json!({"type": "number", "minimum": 1.5}), json!(1.5)),
        (json!({"type": "boolean"}), json!(false)),
        (json!({"type": "null"}), json!(null)),
        (json!({"type": ["string", "null"]}), json!("")),
        (json!({"enum": ["red", "blue"]}), json!("red")),
        (json!({"const": 7}), json!(7)),
        (json!({"type": "array", "items": {"type": "string"}}), json!([])),
        (json!({"type": "array", "items": {"type": "integer"}, "minItems": 2}), json!([0, 0])),
        (json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}), json!(0)),
        (json!({}), json!(null)),
        (json!(true), json!(null)),
        (
            json!({
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "inner": {"$ref": "#/$defs/inner"},
                    "optional": {"type": "string"}
                },
                "required": ["name", "inner"],
                "$defs": {"inner": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}}
            }),
            json!({"name": "", "inner": {"n": 0}}),
        ),
        (
            json!({"allOf": [
                {"properties": {"a": {"type": "string"}}, "required": ["a"]},
                {"properties": {"b": {"type": "boolean"}}, "required": ["b"]}
            ]}),
            json!({"a": "", "b": false}),
        ),
    ];
    for (schema, value) in table {
        assert_eq!(least(&schema), value, "{schema}");
    }
}

#[test]
fn a_schema_that_refers_to_itself_has_an_end() {
    let schema = json!({"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]});
    assert!(least(&schema).to_string().len() < 1000);
}

#[test]
fn json_takes_the_place_of_the_text() {
    let format = |format, text: &str| -> Value {
        let answer = answer(Request { response_format: Some(format), ..request(text) });
        serde_json::from_str(&answer.text).unwrap()
    };
    assert_eq!(format(ResponseFormat::JsonObject, "say \"hi\" [[stop length]]"), json!({"echo": "say \"hi\""}));
    let schema = |schema: &str| {
        let schema = schema.to_owned();
        ResponseFormat::JsonSchema(JsonSchema { name: None, description: None, schema, strict: None })
    };
    assert_eq!(format(schema(r#"{"type": "object"}"#), "x"), json!({}));
    assert_eq!(answer(Request { response_format: Some(ResponseFormat::Text), ..request("x") }).text, "x");
    let broken = Request { response_format: Some(schema("{")), ..request("x") };
    assert!(error(broken).message.starts_with("the schema of the response format"));
    let called = answer(Request { response_format: Some(ResponseFormat::JsonObject), ..with_tools("[[tool clock]]") });
    assert_eq!((called.text.as_str(), called.calls.len()), ("", 1));
}
