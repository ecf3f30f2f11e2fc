//! JSON lines: one value a line.

use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt};
use serde::Serialize;
use serde_json::{Value, json};

use crate::model::Result;

/// `value` as a line.
pub(super) fn line(value: &impl Serialize) -> Bytes {
    let mut text = serde_json::to_vec(value).unwrap_or_default();
    text.push(b'\n');
    text.into()
}

/// `pieces` as lines. What can't be read is told in the last one, so that nobody takes what there is for all.
pub(super) fn lines(pieces: impl Stream<Item = Result<Value>> + Send + 'static) -> impl Stream<Item = Bytes> + Send {
    let told = |piece: Result<Value>| match piece {
        Ok(value) => line(&value),
        Err(error) => {
            tracing::warn!(error = error.to_string(), "an export broke off");
            line(&json!({"kind": "error", "error": error.public()}))
        }
    };
    let mut broken = false;
    pieces
        .take_while(move |piece| {
            let before = std::mem::replace(&mut broken, piece.is_err());
            std::future::ready(!before)
        })
        .map(told)
}
