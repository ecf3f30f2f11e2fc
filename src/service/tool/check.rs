//! Arguments: read, put right where that is plain, checked against the schema, and judged in words for a model.

use serde_json::{Map, Value};

use super::Entry;
use crate::model::chat::Json;
use crate::model::tool::{Failure, FailureKind};

/// Mistakes that are told at once.
const MOST_TOLD: usize = 5;
/// How much of a mistake's words is told: they may quote the value.
const LONGEST_WORDS: usize = 300;

/// The arguments in `text` as the tool may have them.
///
/// # Errors
/// Says what is wrong with them, and what the tool takes.
pub(super) fn arguments(entry: &Entry, text: &str) -> Result<Json, Failure> {
    let text = if text.trim().is_empty() { "{}" } else { text };
    let read: Result<Value, _> = serde_json::from_str(text);
    let mut value = match read {
        Ok(Value::Object(members)) => Value::Object(aliased(entry, members)),
        Ok(_) => return Err(wrong(entry, "they must be one JSON object")),
        Err(error) => return Err(wrong(entry, &format!("they are no JSON: {error}"))),
    };
    if entry.validator.is_valid(&value) {
        return Ok(if value_changed(text, &value) { value.take().to_string() } else { text.to_owned() });
    }
    let mistakes: Vec<String> = entry.validator.iter_errors(&value).take(MOST_TOLD).map(|error| told(&error)).collect();
    Err(wrong(entry, &mistakes.join("; ")))
}

/// Whether `value` isn't what `text` says any more: only a name may have been put right.
fn value_changed(text: &str, value: &Value) -> bool {
    serde_json::from_str::<Value>(text).map_or(true, |before| before != *value)
}

/// `members` by the names that the schema knows, and without those that say nothing: models write null for what they leave out.
fn aliased(entry: &Entry, mut members: Map<String, Value>) -> Map<String, Value> {
    members.retain(|name, value| !value.is_null() || entry.requires(name));
    for (alias, meant) in &entry.aliases {
        if !members.contains_key(meant)
            && let Some(value) = members.shift_remove(alias)
        {
            members.insert(meant.clone(), value);
        }
    }
    members
}

fn told(error: &jsonschema::ValidationError<'_>) -> String {
    let mut words = error.to_string();
    if words.len() > LONGEST_WORDS {
        words.truncate(words.floor_char_boundary(LONGEST_WORDS));
        words.push('…');
    }
    let path = error.instance_path().to_string();
    let path = path.trim_start_matches('/').replace('/', ".");
    if path.is_empty() { words } else { format!("`{path}`: {words}") }
}

fn wrong(entry: &Entry, what: &str) -> Failure {
    let takes = match entry.properties() {
        Some(properties) if !properties.is_empty() => {
            let names: Vec<String> = properties.iter().map(|(name, schema)| described(entry, name, schema)).collect();
            format!("it takes {}", names.join(", "))
        }
        _ => "it takes none".to_owned(),
    };
    let message = format!("the arguments of `{}` can't be used: {what}; {takes}", entry.name);
    Failure::new(FailureKind::InvalidArguments, message)
}

/// `limit (integer)`, `path (string, required)`.
fn described(entry: &Entry, name: &str, schema: &Value) -> String {
    let kind = match schema.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => "any".to_owned(),
    };
    let required = if entry.requires(name) { ", required" } else { "" };
    format!("{name} ({kind}{required})")
}
