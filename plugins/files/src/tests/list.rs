//! `list_directory`, `move` and `delete`.

use mortise_sdk::tool::ErrorKind;
use serde_json::json;

use super::Desk;

fn desk() -> Desk {
    Desk::new(&[("b.txt", b"12345"), ("a/c/d.txt", b""), ("a/e.txt", b"1"), (".git/config", b""), ("z", b"")])
}

#[test]
fn a_directory_is_listed_in_order() {
    let desk = desk();
    let top = desk.call("list_directory", json!({})).unwrap();
    assert_eq!(top.text, ".git/\na/\nb.txt (5 bytes)\nz (0 bytes)\n");
    let deep = desk.call("list_directory", json!({"path": ".", "depth": 3})).unwrap();
    assert_eq!(deep.text, ".git/\na/\na/c/\na/c/d.txt (0 bytes)\na/e.txt (1 bytes)\nb.txt (5 bytes)\nz (0 bytes)\n");
    assert_eq!(deep.json["entries"][4], json!({"path": "a/e.txt", "kind": "file", "size": 1}));
    let some = desk.call("list_directory", json!({"path": ".", "depth": 3, "limit": 2})).unwrap();
    assert_eq!(some.text, ".git/\na/\n[only the first 2 entries; list a directory further down, or raise limit]");
    assert_eq!(some.json["truncated"], true);
    let error = desk.call("list_directory", json!({"directory": "b.txt"})).unwrap_err();
    assert!(error.message.starts_with("can't list `b.txt`: "), "{}", error.message);
    assert_eq!(desk.call("list_directory", json!({"path": "nowhere"})).unwrap_err().kind, ErrorKind::NotFound);
}

#[test]
fn things_are_moved_but_never_over_others_unasked() {
    let desk = desk();
    let moved = desk.call("move", json!({"source": "b.txt", "destination": "new/b.txt"})).unwrap();
    assert_eq!(moved.text, "moved b.txt to new/b.txt");
    desk.call("move", json!({"path": "a", "destination": "new/a"})).unwrap();
    assert_eq!(desk.text("new/a/e.txt"), "1");
    for (source, destination, says) in [
        ("z", "z", "both are the same"),
        ("new", "new/a/in", "the one lies in the other"),
        ("z", "new/a", "there is a directory"),
        ("z", "new/b.txt", "there is a file already; set overwrite"),
        ("nowhere", "x", "no such file"),
        ("z", "../z", "outside of the workspace"),
        (".", "x", "the workspace itself"),
    ] {
        let error = desk.call("move", json!({"source": source, "destination": destination})).unwrap_err();
        assert!(error.message.contains(says), "{}", error.message);
    }
    desk.call("move", json!({"source": "z", "destination": "new/b.txt", "overwrite": true})).unwrap();
    assert_eq!(desk.text("new/b.txt"), "");
}

#[test]
fn deleting_a_tree_must_be_asked_for() {
    let desk = desk();
    desk.call("delete", json!({"path": "z"})).unwrap();
    let error = desk.call("delete", json!({"file_path": "a"})).unwrap_err();
    assert_eq!(error.message, "`a` is a directory with something in it; set recursive to delete all");
    desk.call("delete", json!({"file_path": "a", "recursive": true})).unwrap();
    desk.call("delete", json!({"file_path": ".git/config"})).unwrap();
    desk.call("delete", json!({"file_path": ".git"})).unwrap();
    assert_eq!(desk.names(), ["b.txt"]);
    for path in [".", "/workspace", "b.txt/.."] {
        let error = desk.call("delete", json!({"file_path": path, "recursive": true})).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidArguments);
    }
}

#[cfg(unix)]
#[test]
fn a_link_is_deleted_and_not_what_it_leads_to() {
    let desk = desk();
    std::os::unix::fs::symlink("a", desk.path().join("link")).unwrap();
    assert_eq!(desk.call("list_directory", json!({"depth": 9})).unwrap().json["entries"][6]["kind"], "link");
    desk.call("delete", json!({"file_path": "link", "recursive": true})).unwrap();
    assert_eq!(desk.text("a/e.txt"), "1");
}
