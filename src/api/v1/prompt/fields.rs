//! What fields of a prompt's requests have in common.

use serde_json::json;

use crate::http::Fields;
use crate::model::{Error, Kind, Result};

/// A text that must be there and say something.
pub(super) fn text(body: &mut Fields, name: &str) -> Result<String> {
    match body.take::<String>(name)? {
        Some(text) if !text.trim().is_empty() => Ok(text),
        _ => Err(needed(body, name, "is")),
    }
}

pub(super) fn flag(body: &mut Fields, name: &str) -> Result<bool> {
    Ok(body.take(name)?.unwrap_or(false))
}

pub(super) fn several(body: &mut Fields, name: &str, most: usize) -> Result<Vec<Fields>> {
    match body.take_objects(name)? {
        Some(objects) if objects.len() > most => Err(body.wrong(name, &too_many(most))),
        Some(objects) if !objects.is_empty() => Ok(objects),
        _ => Err(needed(body, name, "are")),
    }
}

pub(super) fn too_many(most: usize) -> String {
    format!("there may be {most} at most (prompt.max_tasks)")
}

/// What is there and says nothing is missing too.
pub(super) fn needed(body: &Fields, name: &str, verb: &str) -> Error {
    let path = body.path_of(name);
    Error::caller(Kind::MissingField, format!("{path} {verb} required"))
        .with_details(json!({"required_fields": [name]}))
        .with_param(path)
}

/// Refuses fields of other names: one that is misspelt would be without effect, unnoticed.
pub(super) fn known(body: Fields, names: &[&str]) -> Result<()> {
    let path = body.path_of("");
    match body.into_extra().first() {
        None => Ok(()),
        Some(field) => {
            let name = format!("{path}{}", field.name);
            let what = format!("Unknown field: {name}; known are {}", names.join(", "));
            Err(Error::caller(Kind::InvalidValue, what).with_param(name))
        }
    }
}
