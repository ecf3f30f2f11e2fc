//! What the API document says of prompts beside others: less than of a single one.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::json;

use super::request::PromptRequest;

/// A prompt beside others, in the API document.
pub(super) struct OneOfMany;

impl JsonSchema for OneOfMany {
    fn schema_name() -> Cow<'static, str> {
        "OneOfMany".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = generator.subschema_for::<PromptRequest>();
        one_of_many(&mut schema);
        schema
    }
}

/// It takes nothing else.
pub(super) fn closed(schema: &mut Schema) {
    schema.insert("additionalProperties".into(), false.into());
}

/// Only a single prompt has a session, or is answered line by line.
pub(super) fn one_of_many(schema: &mut Schema) {
    let properties = schema.ensure_object().entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        properties.insert("session_id".into(), json!({"type": "null"}));
        properties.insert("output_format".into(), json!({"enum": ["default", "text", "json", null]}));
    }
}
