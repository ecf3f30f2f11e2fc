//! Members change, bytes stay.

use mortise_sdk::json::{Splice, elements};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value};

fn spliced(text: &str, edit: impl for<'s, 't> FnOnce(&'s mut Splice<'t>) -> &'s mut Splice<'t>) -> String {
    let mut splice = Splice::of("it", text).unwrap();
    edit(&mut splice);
    String::from_utf8(splice.into_bytes()).unwrap()
}

#[test]
fn what_is_not_named_stays_as_it_is() {
    let text = " {\t\"a\" :1.50, \"b\":\r\n{\"a\":[1,{\"a\":\"}\\\"]\"}]} ,\"c\\u0064\":\"é\\\\\" , \"e\":null }\n ";
    assert_eq!(spliced(text, |splice| splice), text);
    assert_eq!(
        spliced(text, |splice| splice.put("a", 2).put("new", "\n")),
        text.replace("1.50", "2").replace("null }", "null,\"new\":\"\\n\" }")
    );
    assert_eq!(spliced(text, |splice| splice.rename("cd", "f")), text.replace("\"c\\u0064\"", "\"f\""));
    assert_eq!(spliced(text, |splice| splice.remove("e")), text.replace(" , \"e\":null", ""));
    assert_eq!(spliced(text, |splice| splice.remove("a")), text.replace("\t\"a\" :1.50,", ""));
}

#[test]
fn the_first_the_last_all_and_none() {
    fn all<'s, 't>(splice: &'s mut Splice<'t>) -> &'s mut Splice<'t> {
        splice.remove("a").remove("b").remove("c")
    }
    assert_eq!(spliced(r#"{"a":1,"b":2,"c":3}"#, all), "{}");
    assert_eq!(spliced(r#"{"a":1, "x":0, "c":3}"#, all), r#"{ "x":0}"#);
    assert_eq!(spliced("{ }", all), "{ }");
    assert_eq!(spliced("{}", |splice| splice.put("a", true).put("b", "x")), r#"{"a":true,"b":"x"}"#);
    assert_eq!(spliced(r#"{"a":1}"#, |splice| splice.remove("a").put("a", 2)), r#"{"a":2}"#);
}

#[test]
fn a_name_that_stands_twice_is_changed_twice_and_the_last_one_is_read() {
    let text = r#"{"a":1,"b":2,"\u0061":3}"#;
    assert_eq!(Splice::of("it", text).unwrap().get("a"), Some("3"));
    assert_eq!(spliced(text, |splice| splice.put("a", 0)), r#"{"a":0,"b":2,"\u0061":0}"#);
    assert_eq!(spliced(text, |splice| splice.remove("a")), r#"{"b":2}"#);
    assert_eq!(spliced(text, |splice| splice.rename("a", "z")), r#"{"z":1,"b":2,"z":3}"#);
    assert_eq!(spliced(text, |splice| splice.rename("a", "b")), r#"{"b":2}"#, "who has the name keeps it");
}

#[test]
fn values_are_read_as_they_stand() {
    let splice = Splice::of("it", r#"{"a": "x\ny", "b": [1, 2] , "c":-0.0}"#).unwrap();
    assert_eq!((splice.get("b"), splice.get("c"), splice.get("d")), (Some("[1, 2]"), Some("-0.0"), None));
    assert_eq!((splice.get_text("a").as_deref(), splice.get_text("b")), (Some("x\ny"), None));
    assert!(splice.has("a") && !splice.has("x"));
}

#[test]
fn what_is_no_object_is_named() {
    for text in
        ["", "[]", "{", r#"{"a"}"#, r#"{"a":1,}"#, r#"{"a":1 "b":2}"#, r#"{"a":"}"#, r#"{a:1}"#, "{}{}", r#"{"a":}"#]
    {
        let error = Splice::of("the body", text).expect_err(text);
        assert_eq!(error.message, "the body is not a JSON object");
    }
    let mut splice = Splice::of("it", "{}").unwrap();
    assert!(splice.set("x", "{oops").unwrap_err().message.starts_with("`x` is not valid JSON"));
}

#[test]
fn elements_stand_where_they_stand() {
    let text = r#" [1 , "a,]" ,[2,{"b":3}] ] "#;
    let found: Vec<&str> = elements("it", text).unwrap().into_iter().map(|place| &text[place]).collect();
    assert_eq!(found, ["1", "\"a,]\"", "[2,{\"b\":3}]"]);
    assert!(elements("it", "[ ]").unwrap().is_empty());
    for text in ["{}", "[1,]", "[1", "[1}", ""] {
        assert_eq!(elements("`messages`", text).expect_err(text).message, "`messages` is not a JSON array");
    }
}

/// An object as nobody would write it: any blanks, any escapes, names that come again, deep values.
#[derive(Clone, Debug)]
struct Written {
    members: Vec<(String, String, String)>,
    text: String,
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // What is exact in any reader.
        any::<i32>().prop_map(|quarters| Value::from(f64::from(quarters) / 4.0)),
        "(?s).{0,12}".prop_map(Value::from),
        "[\\\\\"{}\\[\\],: ]{0,9}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec(("(?s).{0,4}", inner), 0..4)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn blank() -> impl Strategy<Value = String> {
    "[ \t\r\n]{0,2}"
}

/// A name, and one of the ways to write it.
fn name() -> impl Strategy<Value = (String, String)> {
    let names = prop_oneof![3 => "[a-e]", 1 => "(?s).{0,5}"];
    (names, any::<bool>()).prop_map(|(name, escaped)| {
        let plain = Value::from(name.as_str()).to_string();
        let units = name.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
        (name, if escaped { format!("\"{units}\"") } else { plain })
    })
}

fn written() -> impl Strategy<Value = Written> {
    let member = (name(), value(), any::<bool>(), blank(), blank(), blank(), blank());
    (vec(member, 0..7), blank(), blank()).prop_map(|(members, before, after)| {
        let mut text = format!("{before}{{");
        let mut known = Vec::new();
        for (position, ((name, key), value, pretty, a, b, c, d)) in members.into_iter().enumerate() {
            let value = if pretty { format!("{value:#}") } else { value.to_string() };
            let member = format!("{key}{b}:{c}{value}");
            text += if position > 0 { "," } else { "" };
            text += &format!("{a}{member}{d}");
            known.push((name, value, member));
        }
        text += &format!("}}{after}");
        Written { members: known, text }
    })
}

#[derive(Clone, Debug)]
enum Edit {
    Set(String, Value),
    Rename(String, String),
    Remove(String),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        ("[a-g]", value()).prop_map(|(name, value)| Edit::Set(name, value)),
        ("[a-g]", "[a-g]").prop_map(|(from, to)| Edit::Rename(from, to)),
        "[a-g]".prop_map(Edit::Remove),
    ];
    vec(edit, 0..5)
}

/// The same edit on the parsed value.
fn expected(value: &mut Map<String, Value>, edit: &Edit) {
    match edit {
        Edit::Set(name, new) => drop(value.insert(name.clone(), new.clone())),
        Edit::Remove(name) => drop(value.remove(name)),
        Edit::Rename(from, to) if from == to => {}
        Edit::Rename(from, to) => {
            if let Some(old) = value.remove(from) {
                value.entry(to.clone()).or_insert(old);
            }
        }
    }
}

proptest! {
    #[test]
    fn a_spliced_text_is_the_edited_value(written in written(), edits in edits()) {
        let mut splice = Splice::of("it", &written.text).unwrap();
        let mut value: Map<String, Value> = serde_json::from_str(&written.text).unwrap();
        let mut touched: Vec<&str> = Vec::new();
        for edit in &edits {
            expected(&mut value, edit);
            match edit {
                Edit::Set(name, new) => { splice.set(name, &new.to_string()).unwrap(); touched.push(name) }
                Edit::Rename(from, to) => { splice.rename(from, to); touched.extend([from.as_str(), to.as_str()]) }
                Edit::Remove(name) => { splice.remove(name); touched.push(name) }
            }
        }
        let bytes = splice.into_bytes();
        let text = std::str::from_utf8(&bytes).unwrap();
        prop_assert_eq!(serde_json::from_str::<Map<String, Value>>(text).unwrap(), value, "{}", text);
        let mut rest = text;
        for (name, value, member) in &written.members {
            if !touched.contains(&name.as_str()) {
                let at = rest.find(member.as_str());
                prop_assert!(at.is_some(), "the member {:?} with {} is gone from {}", name, value, text);
                rest = &rest[at.unwrap() + member.len()..];
            }
        }
        if touched.iter().all(|name| !written.members.iter().any(|(known, ..)| known == name)) {
            let kept = written.text.trim_end().strip_suffix('}').unwrap().trim_end();
            prop_assert!(text.starts_with(kept), "{} does not begin as {}", text, written.text);
        }
        if edits.is_empty() {
            prop_assert_eq!(text, &written.text);
        }
    }

    #[test]
    fn any_text_is_scanned_without_harm(text in "[{}\\[\\]\":,\\\\a1 é]{0,24}") {
        let valid = serde_json::from_str::<Map<String, Value>>(&text).is_ok();
        let splice = Splice::of("it", &text);
        prop_assert!(splice.is_ok() || !valid);
        if let Ok(splice) = splice {
            prop_assert_eq!(splice.into_bytes(), text.as_bytes());
        }
        prop_assert_eq!(elements("it", &text).is_ok() || serde_json::from_str::<Vec<Value>>(&text).is_err(), true);
    }
}

#[test]
fn a_deep_value_needs_no_stack() {
    let deep = format!("{{\"a\":{}{},\"b\":1}}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert_eq!(Splice::of("it", &deep).unwrap().get("b"), Some("1"));
}
