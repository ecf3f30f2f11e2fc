//! Objects of an answer, field by field.

use mortise_sdk::fields::Fields;
use mortise_sdk::provider::ErrorKind;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

#[test]
fn what_nobody_took_is_still_there() {
    let text = r#"{"a": 1, "b": null, "c\n": {"d": [1.50]}, "e": "\u00e9", "f": true}"#;
    let mut fields: Fields<'_> = serde_json::from_str(text).unwrap();
    assert_eq!(fields.take::<u64>("a").unwrap(), Some(1));
    assert_eq!(fields.take::<u64>("a").unwrap(), None, "it was taken");
    assert_eq!(fields.take::<u64>("b").unwrap(), None, "a null is the same as no field");
    assert_eq!(fields.take_text("e").unwrap().as_deref(), Some("é"));
    fields.skip(&["f", "none"]);
    assert_eq!(fields.rest().collect::<Vec<_>>(), [("c\n", r#"{"d": [1.50]}"#)]);
    assert_eq!(fields.take_raw("c\n"), Some(r#"{"d": [1.50]}"#));
    assert!(fields.is_empty());
}

#[test]
fn what_is_something_else_is_an_error_that_repeats_nothing() {
    let mut fields: Fields<'_> = serde_json::from_str(r#"{"a": "secret"}"#).unwrap();
    let error = fields.take::<u64>("a").unwrap_err();
    assert_eq!((error.kind, error.message.contains("secret")), (ErrorKind::Upstream, false));
    for text in ["[1]", "null", "1", "\"a\"", "{\"a\":"] {
        assert!(serde_json::from_str::<Fields<'_>>(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn the_rest_is_the_object(names in prop::collection::btree_set("\\PC{0,6}", 0..6)) {
        let object: Map<String, Value> = names.iter().map(|name| (name.clone(), json!({ "of": name }))).collect();
        let text = Value::Object(object.clone()).to_string();
        let fields: Fields<'_> = serde_json::from_str(&text).unwrap();
        let rest = fields.rest().map(|(name, value)| (name.to_owned(), serde_json::from_str(value).unwrap()));
        prop_assert_eq!(rest.collect::<Map<_, _>>(), object);
    }
}
