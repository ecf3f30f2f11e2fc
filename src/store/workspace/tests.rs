//! Tests of workspaces: that nothing outside is ever reached.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn workspaces(quota: u64) -> (tempfile::TempDir, Workspaces) {
    let home = tempfile::tempdir().unwrap();
    let workspaces = Workspaces::new(home.path(), quota);
    workspaces.create("a").unwrap();
    let root = workspaces.path("a");
    assert_eq!(fs::metadata(&root).unwrap().permissions().mode() & 0o777, 0o700);
    fs::create_dir(root.join("src")).unwrap();
    fs::write(root.join("src/main.rs"), "fn main() {}").unwrap();
    fs::write(root.join("run"), "#!/bin/sh").unwrap();
    fs::set_permissions(root.join("run"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(home.path().join("secret"), "secret").unwrap();
    symlink("src/main.rs", root.join("inside")).unwrap();
    symlink("../run", root.join("src/up")).unwrap();
    symlink("../../secret", root.join("out")).unwrap();
    symlink("/etc/passwd", root.join("absolute")).unwrap();
    symlink(".", root.join("here")).unwrap();
    symlink("here/../../secret", root.join("around")).unwrap();
    symlink(home.path(), root.join("directory")).unwrap();
    (home, workspaces)
}

#[test]
fn copies_hold_what_is_inside_and_nothing_else() {
    let (_home, workspaces) = workspaces(1 << 20);
    assert_eq!(workspaces.size("a").unwrap(), Size { bytes: 21, files: 2 });
    fs::write(workspaces.path("a").join("src/.mortise-0.tmp"), "half").unwrap();
    assert_eq!(workspaces.size("a").unwrap(), Size { bytes: 25, files: 3 }, "it takes room");
    assert_eq!(workspaces.copy("a", "b").unwrap(), Size { bytes: 21, files: 2 });
    let root = workspaces.path("b");
    assert_eq!(fs::read_to_string(root.join("src/main.rs")).unwrap(), "fn main() {}");
    assert_eq!(fs::metadata(root.join("run")).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::read_link(root.join("inside")).unwrap(), Path::new("src/main.rs"));
    assert_eq!(fs::read_link(root.join("src/up")).unwrap(), Path::new("../run"));
    for left in ["out", "absolute", "around", "directory"] {
        assert!(fs::symlink_metadata(root.join(left)).is_err(), "{left}");
    }
    workspaces.remove("b").unwrap();
    workspaces.remove("b").unwrap();
}

#[test]
fn what_holds_too_much_is_not_copied() {
    let (_home, workspaces) = workspaces(20);
    assert_eq!(workspaces.copy("a", "b").unwrap_err().kind(), io::ErrorKind::QuotaExceeded);
    assert!(!workspaces.path("b").exists());
    assert!(workspaces.path("a").exists());
}

#[test]
fn archives_tell_what_they_hold() {
    let (_home, workspaces) = workspaces(1 << 20);
    fs::write(workspaces.path("a").join("src/.mortise-0.tmp"), "half").unwrap();
    let (manifest, bytes) = workspaces.pack("a", "one", "now".into()).unwrap();
    assert_eq!((manifest.file_count, manifest.total_bytes), (2, 21));
    assert_eq!(manifest.skipped, ["absolute", "around", "directory", "out"]);
    let file = File::open(workspaces.archive("one")).unwrap();
    assert_eq!(file.metadata().unwrap().len(), bytes);
    let mut names = Vec::new();
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(file));
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        assert!(!text.contains("secret"));
        names.push(path);
    }
    let inside = ["here", "inside", "run", "src/", "src/main.rs", "src/up"];
    let expected: Vec<String> = inside.iter().map(|name| format!("workspace/{name}")).collect();
    assert_eq!(names[..6], expected.iter().map(|name| name.trim_end_matches('/').to_owned()).collect::<Vec<_>>());
    assert_eq!(names.last().map(String::as_str), Some("manifest.json"));
}

#[test]
fn a_session_without_a_workspace_has_nothing() {
    let (_home, workspaces) = workspaces(1 << 20);
    assert_eq!(workspaces.size("none").unwrap(), Size::default());
    assert_eq!(workspaces.pack("none", "two", "now".into()).unwrap().0.file_count, 0);
}
