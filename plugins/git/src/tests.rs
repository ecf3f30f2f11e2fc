//! The tools, called as the host calls them, with this machine's git.

use std::fs;
use std::process::Command;

use mortise_sdk::testing::tool::{Answer, Host};
use mortise_sdk::tool::{Error, ErrorKind};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::toolbox::Git;

struct Desk {
    dir: TempDir,
    host: Host,
}

impl Desk {
    /// A repository without a commit, in which nobody is named.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::new().workspace(dir.path()).programs(&["git"]);
        let desk = Self { dir, host };
        desk.git(&["init", "--quiet", "--initial-branch=main"]);
        desk
    }

    fn git(&self, arguments: &[&str]) {
        let status = Command::new("git").args(arguments).current_dir(self.dir.path()).status().unwrap();
        assert!(status.success(), "{arguments:?}");
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn call(&self, name: &str, arguments: Value) -> Result<Answer, Error> {
        self.host.call::<Git>(name, arguments)
    }

    fn commit(&self, message: &str) -> String {
        let answer = self.call("git_commit", json!({"message": message})).unwrap();
        answer.json["id"].as_str().unwrap().to_owned()
    }
}

#[test]
fn changes_are_told_shown_and_committed() {
    let desk = Desk::new();
    desk.write("a.txt", "one\n");
    desk.write("dir/ä b.txt", "two\n");
    let status = desk.call("git_status", json!({})).unwrap();
    assert_eq!(status.text, "on branch main\nuntracked: a.txt\nuntracked: dir/ä b.txt\n");
    assert_eq!(status.json["commit"], Value::Null);
    let first = desk.call("git_commit", json!({"message": "First\n\nWith more.\n"})).unwrap();
    assert!(first.text.contains("2 files changed"), "{}", first.text);

    desk.write("a.txt", "one\nmore\n");
    desk.git(&["mv", "dir/ä b.txt", "c.txt"]);
    let status = desk.call("git_status", json!({})).unwrap();
    assert_eq!(status.text, "on branch main\nmodified: a.txt\nrenamed (staged): c.txt (from dir/ä b.txt)\n");
    assert_eq!(status.json["files"][1]["moved_from"], "dir/ä b.txt");
    let diff = desk.call("git_diff", json!({})).unwrap();
    assert!(
        diff.text.starts_with("diff --git a/a.txt b/a.txt\n") && diff.text.ends_with(" one\n+more\n"),
        "{}",
        diff.text
    );
    let staged = desk.call("git_diff", json!({"staged": true, "stat": true})).unwrap();
    assert!(staged.text.contains("=> c.txt"), "{}", staged.text);
    assert_eq!(desk.call("git_diff", json!({"path": "c.txt"})).unwrap().text, "there is no difference");

    desk.call("git_commit", json!({"message": "Only a", "paths": ["a.txt"]})).unwrap();
    let status = desk.call("git_status", json!({})).unwrap();
    assert_eq!(status.text, "on branch main\nrenamed (staged): c.txt (from dir/ä b.txt)\n");
    desk.call("git_commit", json!({"message": "The rest", "staged_only": true})).unwrap();
    assert_eq!(desk.call("git_status", json!({})).unwrap().text, "on branch main\nnothing has changed");

    let log = desk.call("git_log", json!({"limit": 2})).unwrap().json["commits"].clone();
    assert_eq!(
        (&log[0]["subject"], &log[1]["subject"], log.as_array().unwrap().len()),
        (&json!("The rest"), &json!("Only a"), 2)
    );
    assert_eq!((&log[0]["author"], &log[0]["email"]), (&json!("Mortise"), &json!("mortise@localhost")));
    let first = desk.call("git_log", json!({"path": "dir", "message": "first"})).unwrap().json["commits"][0].clone();
    assert_eq!((&first["body"], &first["parents"]), (&json!("With more."), &json!([])));
    let shown = desk.call("git_show", json!({"revision": "HEAD~1"})).unwrap();
    assert!(
        shown.text.contains("author Mortise <mortise@localhost>") && shown.text.contains("+more"),
        "{}",
        shown.text
    );
    assert_eq!(desk.call("git_show", json!({"revision": "HEAD~2:dir/ä b.txt"})).unwrap().text, "two\n");
    let between =
        desk.call("git_diff", json!({"from": "HEAD~2", "to": "HEAD", "file_path": "a.txt", "context": 0})).unwrap();
    assert!(between.text.ends_with("@@ -1,0 +2 @@ one\n+more\n"), "{}", between.text);
}

#[test]
fn who_commits_is_the_repository_s_or_the_operator_s_choice() {
    let desk = Desk::new();
    desk.write("a", "a");
    let host = Host::new().workspace(desk.dir.path()).programs(&["git"]);
    let host = host.settings(&json!({"author_name": "Ops", "author_email": "ops@example.com"}));
    host.call::<Git>("git_commit", json!({"message": "a"})).unwrap();
    desk.git(&["config", "user.name", "Own"]);
    desk.git(&["config", "user.email", "own@example.com"]);
    desk.write("a", "b");
    host.call::<Git>("git_commit", json!({"message": "b"})).unwrap();
    let log = host.call::<Git>("git_log", json!({})).unwrap().text;
    assert!(log.contains(" Own: b\n") && log.contains(" Ops: a\n"), "{log}");
}

/// A repository whose configuration, attributes and hooks run programs wherever git lets them.
#[cfg(unix)]
#[test]
fn a_repository_runs_nothing() {
    use std::os::unix::fs::PermissionsExt as _;

    let desk = Desk::new();
    desk.write("a.txt", "one\n");
    desk.write("b.bin", "two\n");
    desk.commit("First");
    let marker = desk.dir.path().join("ran");
    let trap = desk.dir.path().join(".git/trap.sh");
    fs::write(&trap, format!("#!/bin/sh\necho \"$0 $@\" >> '{}'\ncat\n", marker.display())).unwrap();
    fs::set_permissions(&trap, fs::Permissions::from_mode(0o755)).unwrap();
    let trap = trap.to_str().unwrap();
    for key in [
        "core.fsmonitor",
        "core.editor",
        "core.pager",
        "core.askPass",
        "core.sshCommand",
        "credential.helper",
        "diff.external",
        "diff.evil.command",
        "diff.evil.textconv",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "filter.With Blank.clean",
        "gpg.program",
        "gpg.ssh.program",
        "pager.log",
        "pager.diff",
        "pager.show",
        "pager.status",
        "alias.status",
        "sequence.editor",
        "merge.evil.driver",
        "remote.origin.uploadpack",
        "trailer.x.command",
    ] {
        desk.git(&["config", key, trap]);
    }
    for (key, value) in [
        ("filter.evil.required", "true"),
        ("commit.gpgSign", "true"),
        ("log.showSignature", "true"),
        ("user.signingKey", "x"),
        ("remote.origin.url", "ext::sh -c 'touch ran'"),
        ("remote.origin.promisor", "true"),
        ("extensions.partialClone", "origin"),
        ("core.worktree", "/"),
        ("gc.auto", "1"),
        ("diff.tool", "evil"),
        ("submodule.recurse", "true"),
    ] {
        desk.git(&["config", key, value]);
    }
    fs::create_dir_all(desk.dir.path().join(".git/hooks")).unwrap();
    for hook in
        ["pre-commit", "commit-msg", "prepare-commit-msg", "post-commit", "post-index-change", "reference-transaction"]
    {
        fs::copy(trap, desk.dir.path().join(".git/hooks").join(hook)).unwrap();
    }
    desk.write(".gitattributes", "*.txt filter=evil diff=evil merge=evil\n*.bin filter=\"With Blank\" diff=evil\n");
    desk.write("a.txt", "three\n");
    desk.write("b.bin", "four\n");
    for (name, arguments) in [
        ("git_status", json!({})),
        ("git_diff", json!({})),
        ("git_commit", json!({"message": "Second"})),
        ("git_diff", json!({"from": "HEAD~1"})),
        ("git_show", json!({})),
        ("git_log", json!({"path": "a.txt"})),
    ] {
        let answer = desk.call(name, arguments).unwrap();
        assert!(!marker.exists(), "{name} ran {}\n{}", fs::read_to_string(&marker).unwrap_or_default(), answer.text);
    }
    assert_eq!(desk.call("git_show", json!({"revision": "HEAD:a.txt"})).unwrap().text, "three\n");
    // An object that is missing is not fetched.
    let error = desk.call("git_show", json!({"revision": "0123456789012345678901234567890123456789"})).unwrap_err();
    assert!(!marker.exists() && error.kind == ErrorKind::Failed, "{}", error.message);
}

#[test]
fn words_are_no_options_and_paths_no_patterns() {
    let desk = Desk::new();
    desk.write("a.txt", "one\n");
    desk.commit("First");
    let out = desk.dir.path().join("out");
    for (name, arguments, says) in [
        ("git_diff", json!({"from": format!("--output={}", out.display())}), "it begins with a hyphen"),
        ("git_show", json!({"revision": "--output=out"}), "it begins with a hyphen"),
        ("git_show", json!({"revision": " --ext-diff"}), "it begins with a hyphen"),
        ("git_log", json!({"revision": "-Gx"}), "it begins with a hyphen"),
        ("git_log", json!({"revision": ""}), "it is empty"),
        ("git_log", json!({"revision": "a\nb"}), "it holds control characters"),
        ("git_log", json!({"author": "a\u{0}b"}), "`author` is too long, or holds control characters"),
        ("git_show", json!({"revision": "nowhere"}), "git says: "),
        ("git_diff", json!({"to": "HEAD"}), "`to` needs a `from`"),
        ("git_diff", json!({"paths": ["../x"]}), "outside of the workspace"),
        ("git_diff", json!({"paths": vec!["a"; 2000]}), "2000 paths are more than 1000"),
        ("git_commit", json!({"message": "  "}), "a message has 1 to 65536 bytes"),
        (
            "git_commit",
            json!({"message": "x", "paths": ["nowhere"]}),
            "git says: pathspec 'nowhere' did not match any files",
        ),
        (
            "git_commit",
            json!({"message": "x", "paths": ["a.txt"], "staged_only": true}),
            "give either paths or staged_only",
        ),
        ("git_commit", json!({"message": "x"}), "nothing to commit"),
        ("git_commit", json!({"message": "x", "author": "y"}), "unknown field `author`"),
    ] {
        let error = desk.call(name, arguments).unwrap_err();
        assert!(error.message.contains(says), "{name}: {}", error.message);
    }
    assert!(!out.exists());
    // As a path it is a file's name.
    for path in ["--output=x", ":(glob)**", "*.txt"] {
        assert_eq!(desk.call("git_diff", json!({"paths": [path]})).unwrap().text, "there is no difference", "{path}");
    }
    let log = desk.call("git_log", json!({"author": "--output=x", "message": "-n1"})).unwrap();
    assert_eq!(log.text, "no commit");
}

#[test]
fn only_the_workspace_s_own_repository_counts() {
    let outer = Desk::new();
    outer.write("secret.txt", "s");
    outer.commit("Outer");
    let inner = outer.dir.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let host = Host::new().workspace(&inner).programs(&["git"]);
    for (name, arguments) in
        [("git_status", json!({})), ("git_log", json!({})), ("git_commit", json!({"message": "x"}))]
    {
        let error = host.call::<Git>(name, arguments).unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::NotFound, "the workspace is no git repository"));
    }
    let denied = Host::new().workspace(&inner).call::<Git>("git_status", json!({})).unwrap_err();
    assert_eq!((denied.kind, denied.message.as_str()), (ErrorKind::Denied, "the program `git` is not allowed"));
}

#[test]
fn long_answers_are_cut_at_a_line() {
    let desk = Desk::new();
    desk.write("a.txt", &"a line of some length\n".repeat(20_000));
    desk.commit("Long");
    let shown = desk.call("git_show", json!({})).unwrap();
    assert!(shown.json["truncated"] == true && shown.text.len() < 210 << 10);
    assert!(shown.text.ends_with("+a line of some length\n\n[there is more; name paths, or ask for stat]"));
}
