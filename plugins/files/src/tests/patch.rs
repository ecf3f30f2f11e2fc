//! `apply_patch`, in both forms.

use mortise_sdk::tool::ErrorKind;
use serde_json::json;

use super::Desk;

const POEM: &[u8] = b"one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n";

fn patch(desk: &Desk, patch: &str) -> Result<String, String> {
    let answer = desk.call("apply_patch", json!({"patch": patch}));
    answer.map(|answer| answer.text).map_err(|error| error.message)
}

#[test]
fn a_unified_diff_adds_changes_moves_and_deletes() {
    let desk = Desk::new(&[("poem.txt", POEM), ("old/name.txt", b"a\nb\n"), ("gone.txt", b"x\n"), ("empty", b"")]);
    let said = patch(
        &desk,
        "diff --git a/poem.txt b/poem.txt\nindex 1..2 100644\n--- a/poem.txt\n+++ b/poem.txt\n@@ -1,3 +1,2 @@ title\n one\n-two\n three\n\
         @@ -9,2 +8,3 @@\n nine\n-ten\n+TEN\n+eleven\n\
         diff --git a/old/name.txt b/new/name.txt\nsimilarity index 50%\nrename from old/name.txt\nrename to new/name.txt\n\
         --- a/old/name.txt\n+++ b/new/name.txt\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n\
         diff --git a/gone.txt b/gone.txt\ndeleted file mode 100644\n--- a/gone.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n\
         diff --git a/made.txt b/made.txt\nnew file mode 100644\n--- /dev/null\n+++ b/made.txt\n@@ -0,0 +1,2 @@\n+m\n+n\n\\ No newline at end of file\n",
    );
    assert_eq!(
        said.unwrap(),
        "changed poem.txt\nchanged new/name.txt (moved from old/name.txt)\ndeleted gone.txt\nadded made.txt\n"
    );
    assert_eq!(desk.text("poem.txt"), "one\nthree\nfour\nfive\nsix\nseven\neight\nnine\nTEN\neleven\n");
    assert_eq!((desk.text("new/name.txt").as_str(), desk.text("made.txt").as_str()), ("a\nc\n", "m\nn"));
    assert!(!desk.names().contains(&"gone.txt".to_owned()));
}

#[test]
fn wrong_numbers_and_lost_blanks_do_no_harm() {
    for diff in [
        // The lines stand elsewhere.
        "--- a/poem.txt\n+++ b/poem.txt\n@@ -50,3 +50,3 @@\n four\n-five\n+FIVE\n six\n",
        // The counts are wrong, in either direction.
        "--- poem.txt\n+++ poem.txt\n@@ -4,9 +4,9 @@\n four\n-five\n+FIVE\n six\n\n",
        "--- poem.txt\n+++ poem.txt\n@@ -4,1 +4,1 @@\n four\n-five\n+FIVE\n six\n",
        // No numbers at all.
        "--- poem.txt\n+++ poem.txt\n@@ @@\n four\n-five\n+FIVE\n",
        "--- poem.txt\n+++ poem.txt\n@@ ... @@\n-five\n+FIVE\n",
        "```diff\n--- poem.txt\n+++ poem.txt\n@@\n-five\n+FIVE\n```\n",
        // Blanks at the ends.
        "--- poem.txt\n+++ poem.txt\n@@ -4,3 +4,3 @@\n four \n-five\t\n+FIVE\n six\n",
        // Line ends of another system.
        "--- poem.txt\r\n+++ poem.txt\r\n@@ -4,3 +4,3 @@\r\n four\r\n-five\r\n+FIVE\r\n six\r\n",
    ] {
        let desk = Desk::new(&[("poem.txt", POEM)]);
        assert_eq!(patch(&desk, diff), Ok("changed poem.txt\n".to_owned()), "{diff}");
        assert_eq!(desk.text("poem.txt"), String::from_utf8_lossy(POEM).replace("five", "FIVE"), "{diff}");
    }
}

#[test]
fn removed_lines_that_look_like_headers_are_lines() {
    let desk = Desk::new(&[("a.sql", b"-- a\n-- b\nselect 1;\n")]);
    patch(&desk, "--- a.sql\n+++ a.sql\n@@ -1,3 +1,3 @@\n--- a\n+++ x\n -- b\n select 1;\n").unwrap();
    assert_eq!(desk.text("a.sql"), "++ x\n-- b\nselect 1;\n");
}

#[test]
fn the_nearest_of_equal_places_is_taken() {
    let text = "a\nx\nb\n".repeat(5);
    let desk = Desk::new(&[("a.txt", text.as_bytes())]);
    patch(&desk, "--- a.txt\n+++ a.txt\n@@ -10,3 +10,3 @@\n a\n-x\n+y\n b\n").unwrap();
    assert_eq!(desk.text("a.txt"), format!("{}a\ny\nb\na\nx\nb\n", "a\nx\nb\n".repeat(3)));
}

#[test]
fn the_other_form_finds_its_places_by_what_stands_around() {
    let source = "class A:\n    def run(self):\n        return 1\n\nclass B:\n    def run(self):\n        return 1\n";
    let desk = Desk::new(&[("m.py", source.as_bytes()), ("gone.py", b"x"), ("last.txt", b"a\nb\na\n")]);
    let said = patch(
        &desk,
        "*** Begin Patch\n*** Update File: m.py\n*** Move to: pkg/m.py\n@@ class B:\n@@     def run(self):\n-        return 1\n+        return 2\n\
         *** Add File: new/n.py\n+import m\n+\n*** Delete File: gone.py\n\
         *** Update File: last.txt\n@@\n-a\n+c\n*** End of File\n*** End Patch\n",
    );
    assert_eq!(
        said.unwrap(),
        "changed pkg/m.py (moved from m.py)\nadded new/n.py\ndeleted gone.py\nchanged last.txt\n"
    );
    assert_eq!(desk.text("pkg/m.py"), format!("{}2\n", source.strip_suffix("1\n").unwrap()));
    assert_eq!((desk.text("new/n.py").as_str(), desk.text("last.txt").as_str()), ("import m\n\n", "a\nb\nc\n"));
    assert_eq!(desk.names(), ["last.txt", "new", "new/n.py", "pkg", "pkg/m.py"]);
}

#[test]
fn all_of_it_or_nothing() {
    let desk = Desk::new(&[("a.txt", b"a\n"), ("b.txt", b"b\n"), ("c.bin", b"\0")]);
    let good = "*** Begin Patch\n*** Update File: a.txt\n-a\n+A\n";
    for (rest, says) in [
        (
            "*** Update File: b.txt\n-x\n+y\n*** End Patch",
            "nothing is changed: b.txt: hunk 1 does not fit; it wants these lines:\n  x\nnone of them is in the file; read it again",
        ),
        (
            "*** Add File: b.txt\n+x\n*** End Patch",
            "nothing is changed: b.txt: the patch adds it, but there is such a file already",
        ),
        (
            "*** Update File: d.txt\n-x\n+y\n*** End Patch",
            "nothing is changed: can't read `d.txt`: there is no such file or directory",
        ),
        (
            "*** Update File: c.bin\n-x\n+y\n*** End Patch",
            "nothing is changed: `c.bin` is no text: it is binary data of 1 bytes",
        ),
        ("*** Delete File: d.txt\n*** End Patch", "nothing is changed: d.txt: there is no such file"),
        (
            "*** Update File: b.txt\n*** Move to: c.bin\n-b\n+y\n*** End Patch",
            "nothing is changed: b.txt: it is moved to c.bin, but there is such a file already",
        ),
        (
            "*** Delete File: a.txt\n*** Update File: a.txt\n-A\n+b\n*** End Patch",
            "nothing is changed: a.txt: the patch has deleted it before",
        ),
        (
            "*** Update File: b.txt\n@@ nowhere\n-b\n+y\n*** End Patch",
            "nothing is changed: b.txt: the line `@@ nowhere` is not in the file behind line 0",
        ),
    ] {
        assert_eq!(patch(&desk, &format!("{good}{rest}")).unwrap_err(), says);
        assert_eq!((desk.text("a.txt").as_str(), desk.text("b.txt").as_str()), ("a\n", "b\n"));
    }
    assert_eq!(desk.names(), ["a.txt", "b.txt", "c.bin"]);
}

#[test]
fn what_is_no_patch_is_refused() {
    let desk = Desk::new(&[("a", b"a\n")]);
    for (text, says) in [
        ("", "the patch changes no file"),
        ("hello", "the patch changes no file"),
        ("*** Begin Patch\n*** Update File: a\n-a\n", "the patch breaks off: `*** End Patch` is missing"),
        ("*** Begin Patch\n*** Update File: a\n*** End Patch", "a: the patch changes nothing in it"),
        ("*** Begin Patch\n*** Frobnicate: a\n*** End Patch", "`*** Frobnicate: a` stands where"),
        (
            "*** Begin Patch\n*** Update File: a\n@@\nb\n*** End Patch",
            "`b`: a line of a hunk begins with a blank, `-` or `+`",
        ),
        ("@@ -1 +1 @@\n-a\n+b\n", "line 1: a hunk before any file"),
        ("--- a\n+++ a\n@@ -x +y @@\n-a\n+b\n", "line 3: a hunk must begin like `@@ -1,3 +1,4 @@`"),
        ("--- a\n+++ a\n@@ -1 +1 @@\n", "line 3: the hunk is empty"),
        ("diff --git a/a b/a\nGIT binary patch\nliteral 1\n", "line 2: a binary patch can't be applied"),
        ("--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n+x\n", "a file of the patch has no name"),
        ("--- a\n+++ a\n@@ -18446744073709551615,1 +1 @@\n-b\n+c\n", "nothing is changed: a: hunk 1 does not fit"),
    ] {
        let error = desk.call("apply_patch", json!({"patch": text})).unwrap_err();
        assert!(error.message.starts_with(says), "{text}: {}", error.message);
        assert!([ErrorKind::InvalidArguments, ErrorKind::Failed].contains(&error.kind));
    }
}
