//! The tools, called as the host calls them, on a directory.

use std::fs;

use mortise_sdk::testing::tool::{Answer, Host};
use mortise_sdk::tool::{Error, ErrorKind};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::toolbox::Search;

struct Desk {
    dir: TempDir,
    host: Host,
}

impl Desk {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let host = Host::new().workspace(dir.path());
        Self { dir, host }
    }

    fn call(&self, name: &str, arguments: Value) -> Result<Answer, Error> {
        self.host.call::<Search>(name, arguments)
    }

    fn grep(&self, arguments: Value) -> Answer {
        self.call("grep", arguments).unwrap()
    }

    fn globs(&self, arguments: Value) -> Value {
        self.call("glob", arguments).unwrap().json["files"].clone()
    }
}

fn project() -> Desk {
    Desk::new(&[
        ("src/main.rs", b"fn main() {\n    run();\n}\n\nfn run() {}\n"),
        ("src/lib/deep.rs", b"// run here\r\nfn other() {}\r\n"),
        ("readme.md", b"RUN it\n"),
        ("target/out.rs", b"run\n"),
        ("a.bin", b"run\0run"),
        ("latin.txt", b"run gr\xFCn\n"),
        (".git/config", b"run\n"),
        (".gitignore", b"/target\n"),
    ])
}

#[test]
fn lines_are_found_with_what_stands_around_them() {
    let desk = project();
    let found = desk.grep(json!({"pattern": r"\brun\b"}));
    assert_eq!(
        found.text,
        "latin.txt\n1: run gr\u{fffd}n\nsrc/lib/deep.rs\n1: // run here\nsrc/main.rs\n2:     run();\n5: fn run() {}\n"
    );
    assert_eq!(found.json["matches"][3], json!({"file_path": "src/main.rs", "line": 5, "text": "fn run() {}"}));
    assert_eq!((&found.json["skipped_binary"], &found.json["truncated"]), (&json!(1), &json!(false)));
    let around = desk.grep(json!({"pattern": "fn", "path": "src/main.rs", "context": 1}));
    assert_eq!(around.text, "src/main.rs\n1: fn main() {\n2-     run();\n--\n4- \n5: fn run() {}\n");
    let wide = desk.grep(json!({"pattern": "fn", "file_path": "src/main.rs", "context": 9}));
    assert_eq!(wide.text, "src/main.rs\n1: fn main() {\n2-     run();\n3- }\n4- \n5: fn run() {}\n");
}

#[test]
fn a_search_is_narrowed_and_counted() {
    let desk = project();
    let files = |arguments| desk.grep(arguments).json["files"].clone();
    assert_eq!(
        files(json!({"pattern": "run", "output": "files", "include": ["*.rs"]})),
        json!([{"file_path": "src/lib/deep.rs", "count": 1}, {"file_path": "src/main.rs", "count": 2}])
    );
    assert_eq!(
        files(json!({"pattern": "run", "include": ["*.rs", "*.md"], "exclude": ["src/lib/"], "ignore_case": true})),
        json!([{"file_path": "readme.md", "count": 1}, {"file_path": "src/main.rs", "count": 2}])
    );
    assert_eq!(
        files(json!({"pattern": "run", "path": "target", "include_ignored": true})),
        json!([{"file_path": "target/out.rs", "count": 1}])
    );
    assert_eq!(desk.grep(json!({"pattern": "run()", "literal": true, "output": "count"})).text, "src/main.rs: 2\n");
    assert_eq!(desk.grep(json!({"pattern": "nowhere"})).text, "no match in 5 files");
    let cut = desk.grep(json!({"pattern": "run", "limit": 2}));
    assert_eq!((cut.json["matches"].as_array().unwrap().len(), &cut.json["truncated"]), (2, &json!(true)));
    assert!(cut.text.ends_with("[there may be more; narrow the pattern, the path or include]"));
}

#[test]
fn files_are_found_by_their_path() {
    let desk = project();
    assert_eq!(desk.globs(json!({"pattern": "*.rs"})), json!(["src/lib/deep.rs", "src/main.rs"]));
    assert_eq!(desk.globs(json!({"pattern": "src/*.rs"})), json!(["src/main.rs"]));
    assert_eq!(desk.globs(json!({"pattern": "**/*.{md,txt}"})), json!(["latin.txt", "readme.md"]));
    assert_eq!(desk.globs(json!({"pattern": "lib/*", "path": "src"})), json!(["src/lib/deep.rs"]));
    assert_eq!(desk.globs(json!({"pattern": "target/**", "include_ignored": true})), json!(["target/out.rs"]));
    assert_eq!(desk.globs(json!({"pattern": ".git/**", "include_ignored": true})), json!([]));
    let cut = desk.call("glob", json!({"pattern": "*", "limit": 1})).unwrap();
    assert_eq!((&cut.json["files"], &cut.json["truncated"]), (&json!([".gitignore"]), &json!(true)));
}

#[test]
fn hostile_arguments_are_refused_in_words() {
    let desk = project();
    for (name, arguments, says) in [
        ("grep", json!({"pattern": "("}), "the pattern is no regular expression"),
        ("grep", json!({"pattern": "(a{1000}){1000}"}), "the pattern is too large when compiled"),
        ("grep", json!({"pattern": "(".repeat(5000)}), "the pattern is no regular expression"),
        ("grep", json!({"pattern": "a", "path": "/etc"}), "`/etc` is outside of the workspace"),
        ("grep", json!({"pattern": "a", "path": "nowhere"}), "can't search `nowhere`: there is no such file"),
        ("grep", json!({"pattern": "a", "include": [""]}), "the pattern `` can't be used: it is empty"),
        ("glob", json!({"pattern": "../**"}), "the pattern `../**` can't be used: it leads out"),
        ("glob", json!({"pattern": "/etc/*"}), "the pattern `/etc/*` can't be used: it leads out"),
        ("glob", json!({"pattern": "{a,b}".repeat(20)}), "the pattern `{a,b}"),
        ("glob", json!({"pattern": "a".repeat(2000)}), "the pattern has 2000 bytes"),
    ] {
        let error = desk.call(name, arguments).unwrap_err();
        assert!(error.message.starts_with(says), "{}", error.message);
    }
    let error = desk.call("grep", json!({"pattern": "a", "output": "xml"})).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidArguments);
}

#[test]
fn nothing_is_endless() {
    let long = format!("{}needle{}", "x".repeat(2000), "y".repeat(2000));
    let many = "needle\n".repeat(5000);
    let large = vec![b'n'; (4 << 20) + 1];
    let desk = Desk::new(&[("long.txt", long.as_bytes()), ("many.txt", many.as_bytes()), ("large.txt", &large)]);
    let found = desk.grep(json!({"pattern": "needle", "limit": 2000}));
    assert_eq!(found.json["matches"].as_array().unwrap().len(), 2000);
    assert!(found.text.contains("x… [3506 bytes more]") && found.text.contains("[1 files of more than 4194304 bytes"));
    // An expression that costs others exponential time.
    let found = desk.grep(json!({"pattern": "(x+x+)+z", "path": "long.txt"}));
    assert_eq!(found.json["matches"], json!([]));
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let desk = project();
    std::os::unix::fs::symlink("..", desk.dir.path().join("src/up")).unwrap();
    assert_eq!(desk.globs(json!({"pattern": "*.rs"})), json!(["src/lib/deep.rs", "src/main.rs"]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn lines_are_those_that_contain_the_text(lines in proptest::collection::vec("[ab ]{0,6}", 0..30), wanted in "[ab]{1,2}") {
        let desk = Desk::new(&[("f.txt", lines.join("\n").as_bytes())]);
        let found = desk.grep(json!({"pattern": wanted, "context": 0}));
        let numbers: Vec<u64> = found.json["matches"].as_array().unwrap().iter().map(|found| found["line"].as_u64().unwrap()).collect();
        let expected: Vec<u64> = (1..).zip(&lines).filter(|(_, line)| line.contains(&wanted)).map(|(number, _)| number).collect();
        prop_assert_eq!(numbers, expected);
    }

    #[test]
    fn context_shows_each_line_once(lines in proptest::collection::vec("[ab]", 1..40), context in 0usize..4) {
        let desk = Desk::new(&[("f.txt", lines.join("\n").as_bytes())]);
        let found = desk.grep(json!({"pattern": "a", "context": context, "limit": 2000}));
        let shown: Vec<usize> = found.text.lines().filter_map(|line| line.split([':', '-']).next()?.parse().ok()).collect();
        let near = |at: &usize| lines.iter().enumerate().any(|(other, line)| line == "a" && at.abs_diff(other) <= context);
        let expected: Vec<usize> = (0..lines.len()).filter(near).map(|at| at + 1).collect();
        prop_assert_eq!(shown, expected);
    }

    #[test]
    fn no_pattern_makes_it_panic(pattern in ".{0,40}", glob in ".{0,40}") {
        let desk = Desk::new(&[("a/b.txt", b"some text\n")]);
        let _ = desk.call("grep", json!({"pattern": pattern, "include": [glob]}));
        let _ = desk.call("glob", json!({"pattern": glob}));
    }
}
