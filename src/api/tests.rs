//! Tests of what the endpoints say of themselves, and of schemas beside the readers that they describe.

use std::collections::BTreeSet;

use bytes::Bytes;
use jsonschema::Validator;
use serde_json::{Value, json};

use super::{document, endpoints};
use crate::http::Fields;
use crate::model::Result;

/// A validator of the document's component `name`.
fn component(name: &str) -> Validator {
    validator(&json!({"$ref": format!("#/components/schemas/{name}")}))
}

fn validator(schema: &Value) -> Validator {
    let mut schema = schema.clone();
    schema["components"] = document()["components"].clone();
    jsonschema::draft202012::new(&schema).unwrap()
}

/// Values of every sort: some of them fit each field, others don't.
fn values() -> Vec<Value> {
    let texts = ["", " \n", "x", "auto", "none", "required", "float", "base64", "http", "text", "workspace"];
    let numbers = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, -1.0, -2.0, -2.5, 4_294_967_295.0, 4_294_967_296.0, 1e19];
    let message = |more: Value| {
        let mut message = json!({"role": "assistant"});
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([message])
    };
    let part = |part: Value| json!([{"role": "user", "content": [part]}]);
    let call = json!({"id": "c", "function": {"name": "f"}});
    let mut values = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(7),
        json!(-1),
        json!([]),
        json!([""]),
        json!(["x"]),
        json!([1]),
        json!([null]),
        json!({}),
        json!([{}]),
        json!({"include_usage": true}),
        json!({"include_usage": 1}),
        json!({"type": "text"}),
        json!({"type": "json_object"}),
        json!({"type": "xml"}),
        json!({"type": "json_schema"}),
        json!({"type": "json_schema", "json_schema": {"schema": {}}}),
        json!({"type": "json_schema", "json_schema": {"schema": 1}}),
        json!({"type": "json_schema", "json_schema": {"schema": {}, "strict": 1}}),
        json!({"function": {"name": "f"}}),
        json!({"type": "custom", "custom": {"name": "f"}}),
        json!({"type": "custom", "function": {"name": "f"}}),
        json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]}}),
        json!({"type": "allowed_tools", "allowed_tools": {"mode": "none", "tools": []}}),
        json!([{"type": "custom", "custom": {"name": "f", "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}}}}]),
        json!([{"type": "custom", "custom": {}}]),
        json!({"type": "function", "function": {"name": "f"}}),
        json!({"type": "tool", "function": {"name": "f"}}),
        json!({"type": "function", "function": {}}),
        json!([{"type": "function", "function": {"name": "f"}}]),
        json!([{"type": "function", "function": {"name": ""}}]),
        json!([{"type": "function", "function": {"name": "f", "parameters": {}}}]),
        json!([{"function": {"name": "f"}}]),
        json!([{"type": "function", "function": {"name": "f", "parameters": "x"}}]),
        json!([{"type": "web"}]),
        json!([{"role": "user", "content": "x"}]),
        json!([{"role": "user"}]),
        json!([{"role": "user", "content": 1}]),
        json!([{"role": "user", "content": []}]),
        json!([{"role": "nobody", "content": "x"}]),
        json!([{"content": "x"}]),
        json!([{"role": "system", "content": "x", "name": "n", "more": 1}]),
        json!([{"role": "developer", "content": null}]),
        json!([{"role": "user", "content": "x", "name": 1}]),
        json!([{"role": "tool", "content": "x"}]),
        json!([{"role": "tool", "content": "x", "tool_call_id": "c"}]),
        json!([{"role": "tool", "content": [{"type": "text", "text": "x"}], "tool_call_id": "c"}]),
        json!([{"role": "tool", "content": [{"type": "video", "text": "x"}], "tool_call_id": "c"}]),
        message(json!({})),
        message(json!({"content": null})),
        message(json!({"content": "x"})),
        message(json!({"refusal": "x"})),
        message(json!({"refusal": 1})),
        message(json!({"tool_calls": []})),
        message(json!({"tool_calls": [call]})),
        message(json!({"tool_calls": [{"id": "c"}]})),
        message(json!({"tool_calls": [{"function": {"name": "f"}}]})),
        message(json!({"tool_calls": [call], "content": 1})),
        message(json!({"content": "x", "reasoning_content": 1})),
        message(json!({"tool_calls": [{"id": "c", "type": "web", "function": {"name": "f"}}]})),
        message(json!({"function_call": {}})),
        message(json!({"function_call": {"name": "f", "arguments": "{}"}})),
        message(json!({"tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "f", "input": "x"}}]})),
        message(json!({"tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "f"}}]})),
        message(
            json!({"content": "x", "reasoning_details": [{"type": "reasoning.text", "text": "x", "signature": "s"}]}),
        ),
        message(json!({"content": "x", "reasoning_details": [{"type": "reasoning.encrypted"}]})),
        message(json!({"function_call": null})),
        message(json!({"audio": {"id": "a"}})),
        part(json!({"type": "text", "text": "x", "more": 1})),
        part(json!({"type": "text"})),
        part(json!({"text": "x"})),
        part(json!({"type": "text", "text": "x", "cache_control": {"ttl": "1h"}})),
        part(json!({"type": "video", "video": 1})),
        part(json!({"type": "text", "text": "x", "cache_control": "1h"})),
        part(json!({"type": "video", "cache_control": 1})),
        part(json!({"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}})),
        part(json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}})),
        part(json!({"type": "image_url", "image_url": {"url": "data:image/png,AAAA"}})),
        part(json!({"type": "image_url", "image_url": {"url": "file:///a"}})),
        part(json!({"type": "image_url", "image_url": "x"})),
        part(json!({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}})),
        part(json!({"type": "input_audio", "input_audio": {"data": "AAAA"}})),
        part(json!({"type": "refusal", "refusal": "x"})),
        part(json!({"type": "file", "file": {"file_id": "f"}})),
        part(json!({"type": "file", "file": {"filename": "f"}})),
        part(json!({"type": "file", "file": {"file_data": "data:;base64,AAAA", "filename": "f"}})),
        part(json!({"type": "file", "file": {"file_data": "AAAA"}})),
        part(json!({"type": "file"})),
    ];
    let said = |content: Value| json!([{"role": "user", "content": content}]);
    values.extend([
        json!(false),
        json!({"effort": "low", "summary": null}),
        json!({"effort": 1}),
        json!({"verbosity": "low"}),
        json!({"verbosity": 1}),
        json!({"format": {"type": "text"}}),
        json!({"format": {"type": "xml"}}),
        json!({"format": {"type": "json_schema", "name": "n", "schema": {}, "strict": true}}),
        json!({"format": {"type": "json_schema", "name": "n"}}),
        json!({"type": "function", "name": "f"}),
        json!({"type": "function", "name": 1}),
        json!({"type": "custom", "name": "f", "namespace": "n"}),
        json!({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]}),
        json!({"type": "allowed_tools", "mode": "none", "tools": []}),
        json!({"type": "allowed_tools", "mode": "auto"}),
        json!({"type": "web_search"}),
        json!([{"type": "function", "name": "f", "description": "d", "parameters": {}}]),
        json!([{"type": "function", "name": "f", "parameters": "x"}]),
        json!([{"type": "function", "name": ""}]),
        json!([{"type": "custom", "name": "f", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}}]),
        json!([{"type": "custom", "name": "f", "format": 1}]),
        json!([{"type": "namespace", "name": "n", "tools": [{"type": "custom", "name": "f"}]}]),
        json!([{"type": "namespace", "name": "n"}]),
        json!([{"type": "reasoning", "summary": [{"type": "summary_text", "text": "x"}], "encrypted_content": "x"}]),
        json!([{"type": "reasoning", "summary": [{"type": "summary_text"}]}]),
        json!([{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}]),
        json!([{"type": "function_call", "call_id": "c"}]),
        json!([{"type": "function_call_output", "call_id": "c", "output": "x"}]),
        json!([{"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "x"}]}]),
        json!([{"type": "function_call_output", "call_id": "c"}]),
        json!([{"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "x"}]),
        json!([{"type": "custom_tool_call", "call_id": "c", "name": "f"}]),
        json!([{"type": "custom_tool_call_output", "call_id": "c", "output": "x"}]),
        json!([{"type": "additional_tools", "tools": [{"type": "web_search"}]}]),
        json!([{"type": "additional_tools"}]),
        json!([{"type": "item_reference", "id": "x"}]),
        json!([{"type": "message", "role": "developer", "content": "x"}]),
        said(
            json!([{"type": "input_text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}}]),
        ),
        said(json!([{"type": "input_text"}])),
        said(json!([{"type": "output_text", "text": "x", "annotations": []}])),
        said(json!([{"type": "input_image", "image_url": "https://example.com/a.png", "detail": "low"}])),
        said(json!([{"type": "input_image", "image_url": "file:///a"}])),
        said(json!([{"type": "input_image", "file_id": "f"}])),
        said(json!([{"type": "input_image"}])),
        said(json!([{"type": "input_file", "filename": "f", "file_data": "data:;base64,AAAA"}])),
        said(json!([{"type": "input_file", "file_url": "https://example.com/a.pdf"}])),
        said(json!([{"type": "input_file", "filename": "f"}])),
    ]);
    values.extend([json!([{"backend": "b", "prompt": "x"}]), json!([{"backend": "b", "prompt": " "}])]);
    values.extend(anthropic());
    values.extend(texts.map(Value::from));
    values.extend(numbers.map(Value::from));
    values
}

/// The same for the fields that only Anthropic's dialect has.
fn anthropic() -> Vec<Value> {
    let block = |block: Value| json!([{"role": "user", "content": [block]}]);
    let result = |content: Value| block(json!({"type": "tool_result", "tool_use_id": "c", "content": content}));
    let document = |source: Value| block(json!({"type": "document", "source": source}));
    let tool = |more: Value| {
        let mut tool = json!({"name": "f", "input_schema": {}});
        tool.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([tool])
    };
    vec![
        json!({"user_id": "u"}),
        json!({"user_id": 1}),
        json!({"effort": "high"}),
        json!({"effort": 1}),
        json!({"format": {"type": "json_schema"}}),
        json!({"format": {"type": "json_schema", "schema": {}}}),
        json!({"format": {"type": "xml"}}),
        json!({"format": {}}),
        json!({"type": "json_schema", "schema": {}}),
        json!({"type": "json_schema", "schema": 1}),
        json!({"type": "enabled"}),
        json!({"type": "enabled", "budget_tokens": 1024.0}),
        json!({"type": "enabled", "budget_tokens": -1}),
        json!({"type": "adaptive", "display": "omitted"}),
        json!({"type": 1}),
        json!({"type": "auto"}),
        json!({"type": "any", "disable_parallel_tool_use": true}),
        json!({"type": "none", "disable_parallel_tool_use": 1}),
        json!({"type": "tool"}),
        json!({"type": "tool", "name": "f"}),
        tool(json!({})),
        tool(json!({"type": "custom", "cache_control": {}})),
        tool(json!({"type": null, "description": "d"})),
        tool(json!({"type": 1})),
        tool(json!({"name": ""})),
        tool(json!({"description": 1})),
        tool(json!({"input_schema": []})),
        json!([{"type": "web_search_20250305", "name": "web_search"}]),
        json!([{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]),
        json!([{"type": "text"}]),
        json!([{"type": "x", "cache_control": 1}]),
        json!([{"role": "assistant", "content": ""}]),
        json!([{"role": "system", "content": [{"type": "text", "text": "x", "citations": 1}]}]),
        block(json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}})),
        block(json!({"type": "image", "source": {"type": "base64", "media_type": "image/png"}})),
        block(json!({"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}})),
        block(json!({"type": "image", "source": {"type": "url", "url": "file:///a"}})),
        block(json!({"type": "image", "source": {"type": "file", "file_id": "f"}})),
        block(json!({"type": "image", "source": {"type": "content"}})),
        block(json!({"type": "image", "source": {"type": "moon", "phase": 1}})),
        block(json!({"type": "image", "source": {}})),
        block(json!({"type": "image"})),
        document(json!({"type": "text", "data": "x"})),
        document(json!({"type": "text", "data": 1})),
        document(json!({"type": "content", "content": "x"})),
        document(json!({"type": "content", "content": [{"type": "text", "text": "x"}]})),
        document(json!({"type": "content", "content": [{"type": "text"}]})),
        document(json!({"type": "content", "content": [{"type": "thinking"}]})),
        document(json!({"type": "content"})),
        document(json!({"type": "url", "url": "https://example.com"})),
        block(
            json!({"type": "document", "source": {"type": "file", "file_id": "f"}, "title": "t", "citations": {"enabled": true}}),
        ),
        block(json!({"type": "document", "source": {"type": "file", "file_id": "f"}, "title": 1})),
        block(json!({"type": "document", "source": {"type": "file", "file_id": "f"}, "citations": {"enabled": 1}})),
        block(json!({"type": "thinking", "thinking": "t", "signature": null})),
        block(json!({"type": "thinking"})),
        block(json!({"type": "redacted_thinking", "data": "x"})),
        block(json!({"type": "redacted_thinking"})),
        block(json!({"type": "tool_use", "id": "c", "name": "f", "input": {}, "more": 1})),
        block(json!({"type": "tool_use", "id": "c", "name": "f", "input": []})),
        block(json!({"type": "tool_use", "id": "c", "name": "f"})),
        result(json!(null)),
        result(json!("x")),
        result(json!(1)),
        result(json!([{"type": "text", "text": "x"}])),
        result(json!([{"type": "text"}])),
        result(json!([{"type": "document", "source": {"type": "content"}}])),
        result(json!([{"type": "image", "source": {"type": "url", "url": "x"}}])),
        result(json!([{"type": "tool_reference"}])),
        result(json!([{}])),
        block(json!({"type": "tool_result", "tool_use_id": "c", "is_error": 1})),
        block(json!({"type": "tool_result"})),
        block(json!({"type": "server_tool_use", "id": 1})),
    ]
}

/// Holds a reader to the schema that the document shows of it: each field with each value, and without.
///
/// `read` gives the names that it didn't know. `minimal` holds the fields that must be there, and no other.
pub(super) fn agree(name: &str, minimal: &Value, read: impl Fn(Fields) -> Result<Vec<String>>) {
    let schema = document()["components"]["schemas"][name].clone();
    let validator = component(name);
    let read = |body: &Value| read(Fields::parse(&Bytes::from(body.to_string())).unwrap());
    assert!(validator.is_valid(minimal) && read(minimal).is_ok(), "{name}: {minimal}");

    let required: BTreeSet<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert_eq!(required, minimal.as_object().unwrap().keys().map(String::as_str).collect(), "{name}");
    for field in required {
        let mut body = minimal.clone();
        body.as_object_mut().unwrap().remove(field);
        assert!(read(&body).is_err(), "{name}: {field} is said to be required, but isn't");
    }
    for field in schema["properties"].as_object().unwrap().keys() {
        let (mut fit, mut unfit) = (0, 0);
        for value in values() {
            let mut body = minimal.clone();
            body[field] = value.clone();
            let (valid, answer) = (validator.is_valid(&body), read(&body));
            assert_eq!(valid, answer.is_ok(), "{name}: {field} = {value}: {answer:?}");
            fit += usize::from(valid && !value.is_null());
            unfit += usize::from(!valid);
            if let Ok(unknown) = answer {
                assert!(!unknown.contains(field), "{name}: {field} is in the document, and the reader doesn't know it");
            }
        }
        assert!(fit > 0 && unfit > 0, "{name}: {field}: {fit} values fit and {unfit} don't, which proves nothing");
    }
}

#[test]
fn every_endpoint_speaks_for_itself() {
    let mut ids = BTreeSet::new();
    for endpoint in endpoints() {
        let Some(operation) = &endpoint.operation else {
            assert_eq!(endpoint.path, "/docs/assets/{file}", "not in the document");
            continue;
        };
        let place = format!("{} {}", endpoint.method, endpoint.path);
        assert!(ids.insert(operation.id), "{place}: the operation id {} is another's too", operation.id);
        assert!(
            operation.summary.ends_with('.')
                && (operation.status == 204 || !operation.gives.is_empty() || operation.says.is_some()),
            "{place}"
        );
        let open: Vec<&str> = endpoint.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
        let told: Vec<&str> = operation.parameters.iter().map(|parameter| parameter.name).collect();
        assert_eq!(open.iter().map(|name| name.trim_start_matches('*')).collect::<Vec<_>>(), told, "{place}");
    }
}

#[test]
fn every_example_keeps_to_its_schema() {
    fn check(value: &Value, place: &str, seen: &mut usize) {
        if let (Some(schema), Some(example)) = (value.get("schema"), value.get("example")) {
            let validator = validator(schema);
            let faults: Vec<String> = validator.iter_errors(example).map(|error| error.to_string()).collect();
            assert!(faults.is_empty(), "{place}: {faults:?}");
            *seen += 1;
        }
        match value {
            Value::Object(members) => {
                members.iter().for_each(|(name, value)| check(value, &format!("{place}/{name}"), seen))
            }
            Value::Array(elements) => elements.iter().for_each(|value| check(value, place, seen)),
            _ => {}
        }
    }
    let mut seen = 0;
    check(&document(), "", &mut seen);
    assert!(seen > 40, "{seen} examples were found");
}

#[test]
fn requests_and_replies_share_no_name() {
    let document = document();
    let text = document.to_string();
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(!name.ends_with(char::is_numeric) || name == "Base64", "{name}: two types have one name");
        assert!(text.contains(&format!("\"#/components/schemas/{name}\"")), "{name} is of no use");
    }
}
