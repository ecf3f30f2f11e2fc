//! Tests of `edit_file`.

use serde_json::json;

use super::Desk;
use crate::edit::replace;

#[test]
fn the_only_occurrence_is_replaced() {
    let desk = Desk::new(&[("a.rs", b"fn a() {}\nfn b() {}\n")]);
    let answer =
        desk.call("edit_file", json!({"path": "a.rs", "old_str": "fn b() {}", "new_str": "fn c() {}\n"})).unwrap();
    assert_eq!(answer.text, "edited a.rs at line 2");
    assert_eq!(answer.json, json!({"file_path": "a.rs", "replacements": 1, "lines": [2]}));
    assert_eq!(desk.text("a.rs"), "fn a() {}\nfn c() {}\n\n");
}

#[test]
fn every_occurrence_if_asked() {
    let desk = Desk::new(&[("a.txt", b"x\ny x\nx")]);
    let arguments = json!({"file_path": "a.txt", "old_string": "x", "new_string": "long\ner", "replace_all": true});
    let answer = desk.call("edit_file", arguments).unwrap();
    assert_eq!(answer.json["lines"], json!([1, 3, 5]));
    assert_eq!(desk.text("a.txt"), "long\ner\ny long\ner\nlong\ner");
}

#[test]
fn an_error_says_what_stands_there() {
    let text = "fn main() {\n    let a = 1;\n    print(a);\n}\n\nfn other() {\n    let a = 1;\n}\n";
    for (old, new, says) in [
        ("", "x", "old_string is empty; write_file writes a whole file"),
        ("a", "a", "old_string and new_string are the same"),
        (
            "let a = 1;",
            "x",
            "old_string stands 2 times (lines 2, 7); give more lines around the one that is meant, or set replace_all",
        ),
        (
            "fn main() {\n  let a = 1;\n",
            "x",
            "old_string differs from the file only in blanks; lines 1 to 2 are:\nfn main() {\n    let a = 1;",
        ),
        (
            "fn main() {\n    let a = 1;\n    show(a);\n}",
            "x",
            "old_string is not in the file; its beginning stands at line 1, but it differs from line 3 on; lines 1 to 4 are:\n\
             fn main() {\n    let a = 1;\n    print(a);\n}",
        ),
        ("fn nowhere()", "x", "old_string is not in the file; read it again and copy the text as it is"),
    ] {
        assert_eq!(replace(text, old, new, false).unwrap_err(), says);
    }
    let desk = Desk::new(&[("a.rs", text.as_bytes())]);
    let error = desk.call("edit_file", json!({"file_path": "a.rs", "old_string": "b", "new_string": "b"})).unwrap_err();
    assert_eq!(error.message, "a.rs is unchanged: old_string and new_string are the same");
    assert_eq!(desk.text("a.rs"), text);
}
