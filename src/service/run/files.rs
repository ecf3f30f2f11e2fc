//! The workspace before and after a run, and what changed in it.
//!
//! Text files are compared line by line, within bounds; of others only that they changed. Links are not followed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};
use similar::TextDiff;
use walkdir::{DirEntry, WalkDir};

use crate::store::runs::Before;
use crate::store::workspace::is_unfinished;

/// The longest text that is compared line by line.
const LONGEST: u64 = 256 << 10;
/// Bytes of all texts together.
const ALL: u64 = 4 << 20;
/// Files that are looked at.
const FILES: usize = 5_000;
/// Bytes of a file that are read to tell whether it is another one.
const LARGEST: u64 = 64 << 20;
/// The longest diff.
const DIFF: usize = 4 << 20;
/// Directories that hold nothing that a person wrote.
const SKIPPED: [&str; 6] = [".git", "node_modules", "__pycache__", ".venv", ".pytest_cache", "target"];

/// What stands in a workspace, by path.
pub(super) fn look(root: &Path) -> Vec<(String, Before)> {
    let kept = |entry: &DirEntry| {
        !(entry.file_type().is_dir() && entry.depth() > 0 && SKIPPED.iter().any(|name| entry.file_name() == *name))
    };
    let walk = WalkDir::new(root).follow_links(false).sort_by_file_name().into_iter().filter_entry(kept);
    let files = walk.flatten().filter(|entry| entry.file_type().is_file() && !is_unfinished(entry.path())).take(FILES);
    let mut room = ALL;
    let mut found = Vec::new();
    for entry in files {
        let Some(path) = entry.path().strip_prefix(root).ok().and_then(Path::to_str) else { continue };
        // It may be gone by now.
        if let Ok(before) = read(entry.path(), &mut room) {
            found.push((path.to_owned(), before));
        }
    }
    found
}

fn read(path: &Path, room: &mut u64) -> io::Result<Before> {
    let mut file = File::open(path)?;
    let about = file.metadata()?;
    if about.len() <= LONGEST.min(*room) {
        let mut bytes = Vec::new();
        file.by_ref().take(LONGEST + 1).read_to_end(&mut bytes)?;
        match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') && text.len() as u64 <= LONGEST => {
                *room = room.saturating_sub(text.len() as u64);
                return Ok(Before::Text(text));
            }
            Ok(text) => return Ok(digest(text.as_bytes())),
            Err(error) => return Ok(digest(error.as_bytes())),
        }
    }
    if about.len() > LARGEST {
        let modified = about.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        return Ok(Before::Digest(format!("{} {:?}", about.len(), modified.unwrap_or_default())));
    }
    let mut hash = Sha256::new();
    io::copy(&mut file, &mut hash)?;
    Ok(Before::Digest(hex(&hash.finalize())))
}

fn digest(bytes: &[u8]) -> Before {
    Before::Digest(hex(&Sha256::digest(bytes)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What changed between `before` and the workspace as it is now, as a patch that `git apply` reads.
pub(super) fn changes(root: &Path, before: Vec<(String, Before)>) -> String {
    let mut before: BTreeMap<String, Before> = before.into_iter().collect();
    let mut patch = String::new();
    let mut changed: BTreeMap<String, (Option<Before>, Option<Before>)> = BTreeMap::new();
    for (path, now) in look(root) {
        let then = before.remove(&path);
        if then.as_ref() != Some(&now) {
            changed.insert(path, (then, Some(now)));
        }
    }
    for (path, then) in before {
        // What was not looked at now may still be there.
        if fs::symlink_metadata(root.join(&path)).is_err() {
            changed.insert(path, (Some(then), None));
        }
    }
    let mut left_out = 0;
    for (path, (then, now)) in changed {
        let piece = piece(&path, then.as_ref(), now.as_ref());
        if patch.len() + piece.len() > DIFF {
            left_out += 1;
        } else {
            patch.push_str(&piece);
        }
    }
    if left_out > 0 {
        patch.push_str(&format!("# {left_out} more files changed; the patch would be longer than {DIFF} bytes\n"));
    }
    patch
}

fn piece(path: &str, then: Option<&Before>, now: Option<&Before>) -> String {
    let (old, new) = (name("a", path), name("b", path));
    let mut head = format!("diff --git {old} {new}\n");
    match (then, now) {
        (None, _) => head.push_str("new file mode 100644\n"),
        (_, None) => head.push_str("deleted file mode 100644\n"),
        _ => {}
    }
    let text = |side: Option<&Before>| match side {
        None => Some(String::new()),
        Some(Before::Text(text)) => Some(text.clone()),
        Some(Before::Digest(_)) => None,
    };
    let from = if then.is_none() { "/dev/null" } else { &old };
    let to = if now.is_none() { "/dev/null" } else { &new };
    match (text(then), text(now)) {
        (Some(then), Some(now)) if then == now => head,
        (Some(then), Some(now)) => {
            let diff = TextDiff::from_lines(&then, &now);
            let body = diff.unified_diff().context_radius(3).header(from, to).to_string();
            format!("{head}{body}")
        }
        _ => format!("{head}Binary files {from} and {to} differ\n"),
    }
}

/// As git writes a path.
fn name(side: &str, path: &str) -> String {
    if path.contains(|c: char| c.is_control() || c == '"' || c == '\\') {
        let quoted: String = path
            .chars()
            .map(|c| match c {
                '\n' => "\\n".to_owned(),
                '\t' => "\\t".to_owned(),
                '\r' => "\\r".to_owned(),
                '"' => "\\\"".to_owned(),
                '\\' => "\\\\".to_owned(),
                c => c.to_string(),
            })
            .collect();
        return format!("\"{side}/{quoted}\"");
    }
    format!("{side}/{path}")
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn workspace(files: &[(&str, &[u8])]) -> TempDir {
        let directory = TempDir::new().unwrap();
        for (path, content) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        directory
    }

    #[test]
    fn a_patch_says_what_changed() {
        let directory = workspace(&[
            ("src/a.py", b"one\ntwo\nthree\n"),
            ("gone.txt", b"bye"),
            ("same.txt", b"same\n"),
            ("image.png", b"\x89PNG\0\x01"),
            (".git/config", b"[core]"),
        ]);
        let root = directory.path();
        let before = look(root);
        assert_eq!(before.len(), 4, "{before:?}");
        fs::write(root.join("src/a.py"), "one\n2\nthree\n").unwrap();
        fs::write(root.join("image.png"), b"\x89PNG\0\x02").unwrap();
        fs::write(root.join("new file.txt"), "hello\n").unwrap();
        fs::write(root.join(".git/config"), "[other]").unwrap();
        fs::remove_file(root.join("gone.txt")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.join("link")).unwrap();
        insta::assert_snapshot!(changes(root, before));
    }

    #[test]
    fn nothing_changed_is_an_empty_patch() {
        let directory = workspace(&[("a", b"a")]);
        assert_eq!(changes(directory.path(), look(directory.path())), "");
    }

    /// The patch turns the old tree into the new one, as git understands it.
    #[test]
    fn git_applies_the_patch() {
        let directory = workspace(&[("a.txt", b"1\n2\n3"), ("b/c.txt", b"x\n"), ("d.txt", b"gone\n")]);
        let root = directory.path();
        let before = look(root);
        let old = workspace(&[("a.txt", b"1\n2\n3"), ("b/c.txt", b"x\n"), ("d.txt", b"gone\n")]);
        fs::write(root.join("a.txt"), "1\nzwei\n3\n4").unwrap();
        fs::write(root.join("b/e.txt"), "new, without an end").unwrap();
        fs::remove_file(root.join("d.txt")).unwrap();
        let patch = root.with_extension("patch");
        fs::write(&patch, changes(root, before)).unwrap();
        let applied = std::process::Command::new("git").arg("apply").arg(&patch).current_dir(old.path()).status();
        fs::remove_file(&patch).unwrap();
        if applied.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return;
        }
        assert!(applied.unwrap().success());
        assert_eq!(look(old.path()), look(root));
    }
}
