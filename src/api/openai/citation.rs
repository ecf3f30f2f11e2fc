//! Sources of what a model said, whoever's dialect they come in, as OpenAI's clients read them.

use serde_json::{Value, json};

/// A remark on a text, as a vendor made it.
pub(super) struct Citation(Value);

// === impl Citation ===

impl Citation {
    /// Reads a remark on the characters from `start` to `end`; nothing where OpenAI has no words for it.
    pub(super) fn read(text: &str, start: usize, end: usize) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        match value.get("type")?.as_str()? {
            "url_citation" => Some(Self(match value.get("url_citation") {
                Some(nested) => flat(nested, start, end)?,
                None => flat(&value, start, end)?,
            })),
            // Anthropic's, of a search in the web.
            "web_search_result_location" => Some(Self(flat(&value, start, end)?)),
            "file_citation" | "container_file_citation" | "file_path" => Some(Self(value)),
            _ => None,
        }
    }

    /// As `responses` have it.
    pub(super) fn into_flat(self) -> Value {
        self.0
    }

    /// As `chat/completions` have it.
    pub(super) fn into_nested(self) -> Value {
        let Self(mut value) = self;
        if value.get("type").and_then(Value::as_str) != Some("url_citation") {
            return value;
        }
        if let Some(fields) = value.as_object_mut() {
            fields.shift_remove("type");
        }
        json!({"type": "url_citation", "url_citation": value})
    }
}

fn flat(source: &Value, start: usize, end: usize) -> Option<Value> {
    let place = |name: &str, otherwise: usize| source.get(name).and_then(Value::as_u64).unwrap_or(otherwise as u64);
    Some(json!({
        "type": "url_citation",
        "start_index": place("start_index", start),
        "end_index": place("end_index", end),
        "url": source.get("url")?.as_str()?,
        "title": source.get("title").and_then(Value::as_str).unwrap_or_default(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialects_source_becomes_openais() {
        let flat = json!({"type": "url_citation", "start_index": 2, "end_index": 9, "url": "https://a", "title": "A"});
        let nested = json!({"type": "url_citation", "url_citation": {
            "start_index": 2, "end_index": 9, "url": "https://a", "title": "A",
        }});
        let anthropic =
            json!({"type": "web_search_result_location", "url": "https://a", "title": "A", "cited_text": "x"});
        for source in [&flat, &nested, &anthropic] {
            let read = || Citation::read(&source.to_string(), 2, 9).unwrap();
            assert_eq!((read().into_flat(), read().into_nested()), (flat.clone(), nested.clone()), "{source}");
        }
        for other in ["{}", "[]", "{", r#"{"type":"char_location"}"#, r#"{"type":"url_citation"}"#] {
            assert!(Citation::read(other, 0, 1).is_none(), "{other}");
        }
    }
}
