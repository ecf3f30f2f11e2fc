//! `read_file` and `write_file`.

use mortise_sdk::tool::ErrorKind;
use serde_json::json;

use super::Desk;

#[test]
fn a_file_is_read_whole_or_in_part() {
    let desk = Desk::new(&[("a/b.txt", b"one\ntwo\nthree\n")]);
    let whole = desk.call("read_file", json!({"path": "a/b.txt"})).unwrap();
    assert_eq!(whole.text, "one\ntwo\nthree\n");
    assert_eq!((&whole.json["total_lines"], &whole.json["truncated"]), (&json!(3), &json!(false)));
    let part = desk.call("read_file", json!({"file_path": "/workspace/a/b.txt", "offset": 2, "limit": 1})).unwrap();
    assert_eq!(part.text, "two\n\n[lines 2 to 2 of 3; go on with offset 3]");
    assert_eq!((&part.json["content"], &part.json["truncated"]), (&json!("two\n"), &json!(true)));
    let numbered = desk.call("read_file", json!({"file_path": "a/b.txt", "offset": 3, "line_numbers": true})).unwrap();
    assert_eq!(numbered.text, "     3\tthree\n\n[lines 3 to 3 of 3]");
    let error = desk.call("read_file", json!({"file_path": "a/b.txt", "offset": 9})).unwrap_err();
    assert_eq!(error.message, "`a/b.txt` has 3 lines; offset 9 is behind them");
}

#[test]
fn encodings_are_told_and_kept() {
    let utf16: Vec<u8> = "\u{feff}grün\r\nrot\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = "\u{feff}grün\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let desk = Desk::new(&[
        ("le.txt", &utf16),
        ("be.txt", &big),
        ("bom.txt", b"\xEF\xBB\xBFgr\xC3\xBCn\n"),
        ("mixed.txt", b"gr\xC3\xBCn\r\nrot\n"),
    ]);
    for (name, encoding, newline, content) in [
        ("le.txt", "utf-16le", "crlf", "grün\nrot\n"),
        ("be.txt", "utf-16be", "lf", "grün\n"),
        ("bom.txt", "utf-8-bom", "lf", "grün\n"),
        ("mixed.txt", "utf-8", "mixed", "grün\r\nrot\n"),
    ] {
        let found = desk.call("read_file", json!({"file_path": name})).unwrap().json;
        assert_eq!((&found["encoding"], &found["newline"]), (&json!(encoding), &json!(newline)), "{name}");
        assert_eq!(found["content"], content, "{name}");
        let before = desk.bytes(name);
        for (old, new) in [("grün", "blau\nund weiß"), ("blau\nund weiß", "grün")] {
            desk.call("edit_file", json!({"file_path": name, "old_string": old, "new_string": new})).unwrap();
        }
        assert_eq!(desk.bytes(name), before, "{name}");
    }
}

#[test]
fn what_is_no_text_is_refused_in_words() {
    let desk = Desk::new(&[
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0"),
        ("zero", b"ab\0cd"),
        ("latin1.txt", b"gr\xFCn"),
        ("odd.txt", b"\xFF\xFEa"),
        ("empty", b""),
    ]);
    for (name, message) in [
        ("a.png", "`a.png` is no text: it is a PNG image of 10 bytes"),
        ("zero", "`zero` is no text: it is binary data of 5 bytes"),
        (
            "latin1.txt",
            "`latin1.txt` is neither UTF-8 nor UTF-16 with a byte order mark (byte 2 is no UTF-8); convert it first",
        ),
        ("odd.txt", "`odd.txt` begins as UTF-16 but is none; convert it to UTF-8 first"),
        (".", "the path is the workspace itself; name a file in it"),
        ("nowhere", "can't read `nowhere`: there is no such file or directory"),
    ] {
        assert_eq!(desk.call("read_file", json!({"file_path": name})).unwrap_err().message, message);
    }
    let empty = desk.call("read_file", json!({"file_path": "empty"})).unwrap();
    assert_eq!((empty.text.as_str(), &empty.json["total_lines"]), ("[the file is empty]", &json!(0)));
}

#[test]
fn long_files_are_shown_in_pieces_that_join() {
    let lines: String = (0..60_000).map(|line| format!("line {line}\n")).collect();
    let long = format!("{}\n", "ü".repeat(200_000));
    let desk = Desk::new(&[("long.txt", lines.as_bytes()), ("wide.txt", long.as_bytes())]);
    let mut joined = String::new();
    let mut offset = 1;
    loop {
        let piece =
            desk.call("read_file", json!({"file_path": "long.txt", "offset": offset, "limit": 50_000})).unwrap();
        joined.push_str(piece.json["content"].as_str().unwrap());
        assert!(piece.text.len() < 300 << 10);
        if piece.json["truncated"] == false {
            break;
        }
        offset = piece.json["end_line"].as_u64().unwrap() + 1;
    }
    assert_eq!(joined, lines);
    let wide = desk.call("read_file", json!({"file_path": "wide.txt"})).unwrap();
    assert!(wide.text.ends_with("[line 1 is longer; 137857 bytes of it are not shown]"), "{}", wide.text.len());
}

#[test]
fn a_file_is_written_whole() {
    let desk = Desk::new(&[("old.txt", b"old")]);
    let made = desk.call("write_file", json!({"path": "deep/down/new.txt", "content": "a\nb"})).unwrap();
    assert_eq!(made.text, "created deep/down/new.txt (2 lines, 3 bytes)");
    assert_eq!(made.json["created"], true);
    let wrote = desk.call("write_file", json!({"file_path": "old.txt", "content": ""})).unwrap();
    assert_eq!((wrote.text.as_str(), desk.text("old.txt")), ("wrote old.txt (0 lines, 0 bytes)", String::new()));
    let error = desk.call("write_file", json!({"file_path": "deep", "content": ""})).unwrap_err();
    assert_eq!(error.message, "can't write `deep`: it is a directory");
    let error = desk.call("write_file", json!({"file_path": "old.txt/x", "content": ""})).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Failed);
    let large = "x".repeat((8 << 20) + 1);
    let error = desk.call("write_file", json!({"file_path": "large.txt", "content": large})).unwrap_err();
    assert!(error.message.contains("more than the 8388608 that can be read or written"), "{}", error.message);
    assert_eq!(desk.names(), ["deep", "deep/down", "deep/down/new.txt", "old.txt"]);
}

#[cfg(unix)]
#[test]
fn scripts_stay_executable_and_links_stay_links() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let desk = Desk::new(&[("run.sh", b"#!/bin/sh\necho one\n"), ("target.txt", b"one\n")]);
    let script = desk.path().join("run.sh");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    symlink("target.txt", desk.path().join("link.txt")).unwrap();
    for name in ["run.sh", "link.txt"] {
        desk.call("edit_file", json!({"file_path": name, "old_string": "one", "new_string": "two"})).unwrap();
    }
    assert_eq!(script.metadata().unwrap().permissions().mode() & 0o777, 0o755);
    assert!(desk.path().join("link.txt").is_symlink());
    assert_eq!((desk.text("run.sh").as_str(), desk.text("target.txt").as_str()), ("#!/bin/sh\necho two\n", "two\n"));
}

#[test]
fn what_a_server_that_ended_left_half_written_is_taken_away() {
    let desk = Desk::new(&[("d/.mortise-0.tmp", b"old half"), ("d/.mortise-1.tmp", b"new half")]);
    let old = std::fs::File::options().write(true).open(desk.path().join("d/.mortise-0.tmp")).unwrap();
    old.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    desk.call("write_file", json!({"path": "d/a.txt", "content": "whole"})).unwrap();
    assert_eq!(desk.names(), ["d", "d/.mortise-1.tmp", "d/a.txt"], "somebody may be writing the new one");
    assert_eq!(desk.text("d/a.txt"), "whole");
}
