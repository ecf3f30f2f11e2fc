//! Arguments that nobody should send.

use mortise_sdk::tool::ErrorKind;
use serde_json::json;

use super::Desk;

#[test]
fn no_path_leads_out() {
    let desk = Desk::new(&[("a.txt", b"a")]);
    for path in ["../a.txt", "/etc/passwd", "a/../../b", "/workspace/../x", "/proc/self/environ", "//etc/passwd"] {
        let patch = format!("*** Begin Patch\n*** Add File: {path}\n+x\n*** End Patch");
        for (name, arguments) in [
            ("read_file", json!({"file_path": path})),
            ("write_file", json!({"file_path": path, "content": "x"})),
            ("edit_file", json!({"file_path": path, "old_string": "a", "new_string": "b"})),
            ("list_directory", json!({"path": path})),
            ("move", json!({"source": "a.txt", "destination": path})),
            ("move", json!({"source": path, "destination": "b.txt"})),
            ("delete", json!({"file_path": path})),
            ("apply_patch", json!({"patch": patch})),
        ] {
            let error = desk.call(name, arguments).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Denied, "{name} {path}: {}", error.message);
        }
    }
    assert_eq!(desk.names(), ["a.txt"]);
}

#[test]
fn wrong_arguments_are_named() {
    let desk = Desk::new(&[]);
    for (name, arguments, says) in [
        ("read_file", json!({}), "arguments: missing field `file_path`"),
        ("read_file", json!({"file_path": 3}), "arguments: `file_path`: invalid type: integer `3`, expected a string"),
        (
            "read_file",
            json!({"file_path": "a", "offset": -1}),
            "arguments: `offset`: invalid value: integer `-1`, expected usize",
        ),
        (
            "write_file",
            json!({"file_path": "a", "content": "b", "mode": 7}),
            "arguments: `mode`: unknown field `mode`, expected one of `file_path`, `path`, `content`",
        ),
        ("read_file", json!({"file_path": "a\u{0}b"}), "the path holds control characters"),
        ("read_file", json!({"file_path": ""}), "the path is empty; `.` is the root of the workspace"),
    ] {
        let error = desk.call(name, arguments).unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::InvalidArguments, says));
    }
    let error = desk.call("format_disk", json!({})).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(error.message.starts_with("there is no tool `format_disk` here; there are read_file, "));
}
