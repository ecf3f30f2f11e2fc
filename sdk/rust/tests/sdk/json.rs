//! Written JSON is what serde would have written.

use mortise_sdk::json::{Array, Object, Scalar, Text, check};
use proptest::prelude::*;
use serde_json::{Value, json};

fn object(write: impl FnOnce(&mut Object<'_>)) -> Value {
    let mut bytes = Vec::new();
    write(&mut Object::open(&mut bytes));
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn objects_and_arrays_nest() {
    let value = object(|o| {
        o.put("a", 1).put("b", true).put("c", Scalar::Null).put_some("none", None::<&str>);
        o.object("d").put("e", 0.5);
        let mut list = o.array("f");
        list.put("x").object().put("y", i64::MIN);
        list.array().put(f64::NAN);
        list.raw("a part", " [1, 2] ").unwrap();
    });
    assert_eq!(
        value,
        json!({"a": 1, "b": true, "c": null, "d": {"e": 0.5}, "f": ["x", {"y": i64::MIN}, [null], [1, 2]]})
    );
    let mut bytes = Vec::new();
    drop(Array::open(&mut bytes));
    assert_eq!(bytes, b"[]");
}

#[test]
fn text_that_is_no_json_is_named() {
    for text in ["", "{", "1 2", "nul"] {
        let error = check("`parameters`", text).unwrap_err();
        assert!(error.message.starts_with("`parameters` is not valid JSON: "), "{}", error.message);
    }
    assert_eq!(check("it", " {\"a\":1} ").unwrap(), "{\"a\":1}");
}

#[test]
fn text_is_borrowed_where_it_can_be() {
    let plain: Text<'_> = serde_json::from_str("\"plain\"").unwrap();
    assert!(matches!(plain.0, std::borrow::Cow::Borrowed("plain")));
    let escaped: Text<'_> = serde_json::from_str("\"a\\nb\"").unwrap();
    assert_eq!(escaped.0, "a\nb");
    assert!(serde_json::from_str::<Text<'_>>("1").is_err());
}

proptest! {
    #[test]
    fn strings_are_written_as_serde_writes_them(text in "(?s).*", pieces in prop::collection::vec("(?s).{0,9}", 0..5)) {
        let mut bytes = Vec::new();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        Array::open(&mut bytes).put(&text).put(pieces.as_slice());
        prop_assert_eq!(&bytes, &serde_json::to_vec(&(&text, pieces.concat())).unwrap());
    }

    #[test]
    fn numbers_are_written_as_serde_writes_them(float in any::<f64>(), integer in any::<i64>()) {
        let mut bytes = Vec::new();
        Array::open(&mut bytes).put(float).put(integer);
        prop_assert_eq!(&bytes, &serde_json::to_vec(&(float, integer)).unwrap());
    }
}
