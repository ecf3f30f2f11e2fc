//! The least value that fits a JSON Schema.

use serde_json::{Map, Value};

/// Deeper than this a schema is taken to refer to itself.
const DEEPEST: usize = 16;

/// The least value that fits the schema: constants, defaults and first values as given; otherwise empty strings, zeros, false,
/// and required properties only. Patterns and formats are beyond it.
pub(crate) fn least(schema: &Value) -> Value {
    fit(schema, schema, 0)
}

fn fit(schema: &Value, root: &Value, depth: usize) -> Value {
    if depth > DEEPEST {
        return Value::Null;
    }
    if let Some(value) = schema.get("const").or_else(|| schema.get("default")) {
        return value.clone();
    }
    if let Some(first) = schema.get("enum").and_then(|values| values.get(0)) {
        return first.clone();
    }
    if let Some(path) = schema.get("$ref").and_then(Value::as_str) {
        let target = path.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return target.map_or(Value::Null, |target| fit(target, root, depth + 1));
    }
    for choice in ["anyOf", "oneOf"] {
        if let Some(first) = schema.get(choice).and_then(|choices| choices.get(0)) {
            return fit(first, root, depth + 1);
        }
    }
    if let Some(all) = schema.get("allOf").and_then(Value::as_array) {
        return fit_all(all, root, depth);
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
        Some(kind) => kind.as_str(),
        None if schema.get("properties").is_some() => Some("object"),
        None if schema.get("items").is_some() => Some("array"),
        None => None,
    };
    let number = |key: &str| schema.get(key).cloned();
    match kind {
        Some("object") => Value::Object(required(schema, root, depth)),
        Some("array") => {
            let count = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0).min(64);
            let item = schema.get("items").unwrap_or(&Value::Null);
            Value::Array((0..count).map(|_| fit(item, root, depth + 1)).collect())
        }
        Some("string") => {
            let length = schema.get("minLength").and_then(Value::as_u64).unwrap_or(0).min(1024);
            Value::String("x".repeat(length as usize))
        }
        Some("integer" | "number") => number("minimum").unwrap_or_else(|| Value::from(0)),
        Some("boolean") => Value::Bool(false),
        _ => Value::Null,
    }
}

fn required(schema: &Value, root: &Value, depth: usize) -> Map<String, Value> {
    let names = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let property = |name: &str| schema.get("properties").and_then(|properties| properties.get(name));
    names.map(|name| (name.to_owned(), fit(property(name).unwrap_or(&Value::Null), root, depth + 1))).collect()
}

/// Objects are put together; otherwise the first one counts.
fn fit_all(all: &[Value], root: &Value, depth: usize) -> Value {
    let mut together = Map::new();
    for schema in all {
        match fit(schema, root, depth + 1) {
            Value::Object(object) => together.extend(object),
            other if together.is_empty() && !other.is_null() => return other,
            _ => {}
        }
    }
    Value::Object(together)
}
