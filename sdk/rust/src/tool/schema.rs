//! JSON Schemas of types, in the plain form that every vendor takes.

use schemars::generate::{Contract, SchemaSettings};
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// The schema of a type, as text.
pub(super) fn of<T: JsonSchema>(contract: Contract) -> String {
    let mut settings = SchemaSettings::draft2020_12();
    settings.contract = contract;
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    Plain.transform(&mut schema);
    schema.remove("title");
    schema.remove("description");
    if !schema.as_object().is_some_and(|object| object.contains_key("properties")) {
        schema.insert("properties".to_owned(), Value::Object(serde_json::Map::new()));
    }
    serde_json::to_string(&schema).unwrap_or_default()
}

/// Takes out what vendors stumble over: a member that may be left out needs no `null` besides, and the width of a number
/// is no format that a model knows.
struct Plain;

impl Transform for Plain {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else { return };
        let required: Vec<String> = match object.get("required") {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        if let Some(Value::Object(properties)) = object.get_mut("properties") {
            for (_, property) in properties.iter_mut().filter(|(name, _)| !required.contains(name)) {
                not_null(property);
            }
        }
        let numeric = |format: &str| {
            ["uint", "int", "float", "double"].iter().any(|kind| {
                format.strip_prefix(kind).is_some_and(|width| width.chars().all(|digit| digit.is_ascii_digit()))
            })
        };
        if object.get("format").and_then(Value::as_str).is_some_and(numeric) {
            object.remove("format");
        }
    }
}

/// Takes `null` out of what a property may be.
fn not_null(property: &mut Value) {
    let Some(object) = property.as_object_mut() else { return };
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
        if let [Value::Object(only)] = choices.as_mut_slice() {
            let only = std::mem::take(only);
            object.remove("anyOf");
            for (name, value) in only {
                object.entry(name).or_insert(value);
            }
        }
    }
}
