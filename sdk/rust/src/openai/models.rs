//! The vendor's list of models.

use serde::Deserialize;
use serde_json::Number;

use super::{Options, with_headers};
use crate::http::{Frame, Request};
use crate::provider::{Error, Exchange, Model, once};

#[derive(Deserialize)]
struct List {
    data: Vec<Entry>,
}

/// What OpenAI says of a model, and what other vendors add under names of their own. Numbers are read leniently: none of
/// them is worth losing the list for.
#[derive(Deserialize)]
struct Entry {
    id: String,
    name: Option<String>,
    created: Option<Number>,
    owned_by: Option<String>,
    context_window: Option<Number>,
    context_length: Option<Number>,
    max_model_len: Option<Number>,
    max_completion_tokens: Option<Number>,
}

pub(super) fn list(options: &Options) -> Box<dyn Exchange> {
    once(with_headers(Request::get(options.paths.of("/models")), options), |frame, out| {
        out.emit(entries(frame)?.into_iter().map(Model::from).collect::<Vec<_>>());
        Ok(())
    })
}

/// Some vendors send the list without anything around it.
fn entries(frame: &Frame) -> Result<Vec<Entry>, Error> {
    match frame.data.trim_ascii_start().first() {
        Some(b'[') => frame.json(),
        _ => frame.json::<List>().map(|list| list.data),
    }
}

impl From<Entry> for Model {
    fn from(entry: Entry) -> Self {
        // Zero means that the vendor doesn't know.
        let number = |value: Option<Number>| value.and_then(|value| value.as_u64()).filter(|value| *value != 0);
        let small = |value| number(value).and_then(|value| u32::try_from(value).ok());
        Self {
            name: entry.name,
            created: number(entry.created),
            owner: entry.owned_by,
            context_window: small(entry.context_window.or(entry.context_length).or(entry.max_model_len)),
            max_output: small(entry.max_completion_tokens),
            ..Self::new(entry.id)
        }
    }
}
