//! Changing members and nothing else.

use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::splice::{member, splice};

fn spliced(object: &str, members: &[(&str, &str)]) -> String {
    String::from_utf8(splice("it", object, members).unwrap()).unwrap()
}

#[test]
fn only_the_named_members_change() {
    let object = "{ \"model\" : \"a\" ,\n\"n\":1.50, \"deep\": {\"model\": \"}\\\"\"} , \"mod\\u0065l\":[1, 2] }";
    assert_eq!(
        spliced(object, &[("model", "\"b\"")]),
        "{ \"model\" : \"b\" ,\n\"n\":1.50, \"deep\": {\"model\": \"}\\\"\"} , \"mod\\u0065l\":\"b\" }"
    );
    assert_eq!(spliced("{}", &[("a", "1"), ("b", "2")]), "{\"a\":1,\"b\":2}");
    assert_eq!(spliced(" {\"a\":true} ", &[("a", "1"), ("b", "2")]), "{\"a\":1,\"b\":2}");
    assert_eq!(spliced("{\"a\":-1e5}", &[]), "{\"a\":-1e5}");
}

#[test]
fn members_are_found() {
    let object = "{\"a\":  {\"b\": 1} , \"c\":\"\\\\\", \"a\":null}";
    assert_eq!((member(object, "a"), member(object, "c")), (Some("null"), Some("\"\\\\\"")));
    assert_eq!((member(object, "b"), member("[]", "a"), member("", "a")), (None, None, None));
}

#[test]
fn what_is_no_object_is_refused() {
    for text in ["", "[1]", "7", "{\"a\":}", "{\"a\":1"] {
        assert!(splice("it", text, &[("a", "1")]).is_err(), "{text}");
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c{}\\[\\]\",:\\\\ é]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c\"\\\\é]{0,3}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Whatever the object, and however it is laid out: parsing it afterwards is setting the member in what was parsed before.
    #[test]
    fn splicing_is_setting(
        members in prop::collection::btree_map("[a-c\"\\\\é]{0,3}", json(), 0..5),
        key in "[a-c]{1,2}",
        new in json(),
        pretty in any::<bool>(),
    ) {
        let mut object: Map<String, Value> = members.into_iter().collect();
        let text = if pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) }.unwrap();
        let known = object.get(&key).map(|value| serde_json::from_str::<Value>(member(&text, &key).unwrap()).unwrap() == *value);
        prop_assert_ne!(known, Some(false));
        object.insert(key.clone(), new.clone());
        let spliced = spliced(&text, &[(&key, &new.to_string())]);
        prop_assert_eq!(serde_json::from_str::<Value>(&spliced).unwrap(), Value::Object(object));
    }
}
