//! Texts to vectors.

use serde::Deserialize;

use super::chunk::{Counts, text_of};
use super::usage::Tally;
use super::{Options, with_headers};
use crate::http;
use crate::json::Object;
use crate::provider::{EmbedRequest, Error, Exchange, Vector, once};

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Vec<Item<'a>>,
    #[serde(borrow)]
    usage: Option<Counts<'a>>,
}

#[derive(Deserialize)]
struct Item<'a> {
    index: Option<u32>,
    #[serde(borrow)]
    embedding: &'a serde_json::value::RawValue,
}

pub(super) fn embed(request: &EmbedRequest, options: &Options) -> Result<Box<dyn Exchange>, Error> {
    let mut bytes = Vec::new();
    let mut body = Object::open(&mut bytes);
    body.put("model", &request.model);
    let mut inputs = body.array("input");
    for input in &request.inputs {
        inputs.put(input);
    }
    drop(inputs);
    body.put_some("dimensions", request.dimensions);
    body.put_some("user", request.user.as_deref());
    for field in &request.extra {
        body.raw(&field.name, &field.value)?;
    }
    drop(body);
    let expected = request.inputs.len();
    Ok(once(
        with_headers(http::Request::post(options.paths.of_model("/embeddings", &request.model), bytes), options),
        move |frame, out| {
            let answer: Answer<'_> = frame.json()?;
            if answer.data.len() != expected {
                let count = answer.data.len();
                return Err(Error::upstream(format!("the vendor sent {count} vectors for {expected} inputs")));
            }
            for (position, item) in (0..).zip(answer.data) {
                out.emit(Vector { index: item.index.unwrap_or(position), values: values(item.embedding)? });
            }
            if let Some(usage) = answer.usage.and_then(|counts| Tally::default().add(&counts)) {
                out.emit(usage);
            }
            Ok(())
        },
    ))
}

/// Numbers, or the same in base64, four bytes each, the least first.
fn values(embedding: &serde_json::value::RawValue) -> Result<Vec<f32>, Error> {
    if !embedding.get().starts_with('"') {
        return serde_json::from_str(embedding.get()).map_err(|_| Error::unreadable());
    }
    let text = text_of(embedding).ok_or_else(Error::unreadable)?;
    let bytes = from_base64(&text).ok_or_else(Error::unreadable)?;
    let numbers = bytes.chunks_exact(4);
    if !numbers.remainder().is_empty() {
        return Err(Error::unreadable());
    }
    Ok(numbers.filter_map(|four| four.try_into().ok().map(f32::from_le_bytes)).collect())
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut bits, mut count) = (0_u32, 0);
    for character in text.bytes() {
        let six = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}
