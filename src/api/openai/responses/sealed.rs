//! What a client keeps for a model without reading it: it travels in `encrypted_content`, which every client sends back.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::api::openai::request::text as text_of;
use crate::model::chat::Field;

/// Before a thought that only its model can read.
const REDACTED: &str = "mortise.redacted.";
/// Before the vendor's fields of a call.
const CALL: &str = "mortise.call.";

/// What `encrypted_content` holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Sealed {
    /// The proof that the thought beside it is the model's own.
    Signature(String),
    /// A whole thought.
    Redacted(String),
    /// What the vendor wants to see again with the call of this id.
    Call { id: String, extra: Vec<Field> },
}

#[derive(Deserialize, Serialize)]
struct CallFields {
    id: String,
    extra: Vec<(String, Box<RawValue>)>,
}

// === impl Sealed ===

impl Sealed {
    pub(super) fn write(&self) -> String {
        match self {
            Self::Signature(text) => text.clone(),
            Self::Redacted(text) => format!("{REDACTED}{text}"),
            Self::Call { id, extra } => {
                let pair = |field: &Field| Some((field.name.clone(), RawValue::from_string(field.value.clone()).ok()?));
                let fields = CallFields { id: id.clone(), extra: extra.iter().filter_map(pair).collect() };
                format!("{CALL}{}", serde_json::to_string(&fields).unwrap_or_default())
            }
        }
    }

    pub(super) fn read(text: String) -> Self {
        if let Some(thought) = text.strip_prefix(REDACTED) {
            return Self::Redacted(thought.to_owned());
        }
        let fields = text.strip_prefix(CALL).and_then(|fields| serde_json::from_str::<CallFields>(fields).ok());
        match fields {
            Some(CallFields { id, extra }) => {
                let field = |(name, value): (String, Box<RawValue>)| Field { name, value: text_of(value) };
                Self::Call { id, extra: extra.into_iter().map(field).collect() }
            }
            None => Self::Signature(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_sealed_is_read_again(text in "\\PC{1,30}", id: String, name: String) {
            let extra = vec![Field { name, value: serde_json::Value::from(text.clone()).to_string() }];
            for sealed in [
                Sealed::Redacted(text.clone()),
                Sealed::Call { id: id.clone(), extra },
                Sealed::Signature(text.clone()),
            ] {
                prop_assert_eq!(Sealed::read(sealed.write()), sealed);
            }
        }
    }
}
