//! The laws of the house, each one a function that reads the sources and names file, line and cure.
//!
//! Every law is tested twice: on the repository, and on a bad sample, so that a law that sees nothing fails.
//! Sources are read as tokens: what stands in a comment or in a string breaks no law.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

#[path = "tidy/dialects.rs"]
mod dialects;
#[path = "tidy/tokens.rs"]
mod tokens;
use tokens::{Token, tokens};

/// Who may know whom: a module uses modules of strictly lower ranks only. `main.rs` and `lib.rs` stand above.
const RANKS: [(&str, u8); 13] = [
    ("cli", 7),
    ("app", 6),
    ("api", 5),
    ("edge", 5),
    ("service", 4),
    ("plugin", 3),
    ("mcp", 3),
    ("egress", 2),
    ("http", 2),
    ("store", 2),
    ("config", 1),
    ("telemetry", 1),
    ("model", 0),
];

/// Foreign crates that stay at home: the crate, whether its name is only a prefix, and the modules that may use it.
const HOMES: [(&str, bool, &[&str]); 8] = [
    ("wasmtime", true, &["src/plugin/wasm"]),
    ("redb", false, &["src/store/redb"]),
    ("reqwest", false, &["src/egress"]),
    ("hyper", true, &["src/http", "src/edge", "src/egress"]),
    ("tokio_tungstenite", false, &["src/http"]),
    ("rmcp", false, &["src/mcp", "src/api/mcp"]),
    ("aws_", true, &["src/egress"]),
    ("mortise_build", false, &["src/plugin", "src/cli"]),
];

/// What stands at the top of the repository, beside what `.gitignore` names.
const TOP: &str = "
    .cargo .ci .clippy.toml .config .git .github .gitignore .rustfmt.toml build.rs Cargo.lock Cargo.toml CHANGELOG.md deny.toml
    LICENSE Makefile README.md rust-toolchain.toml benches config plugins sdk src tests wit";

const LONGEST: usize = 400;
const LONGEST_MAIN: usize = 50;

struct Source {
    /// From the repository's root, with `/`.
    path: String,
    text: String,
}

/// The first names of the path that goes on at `index`: one, or those of a group.
fn heads(tokens: &[(usize, Token)], index: usize) -> Vec<(usize, String)> {
    let mut heads = Vec::new();
    let mut depth = 0;
    for (offset, (line, token)) in tokens.iter().enumerate().skip(index) {
        match token {
            Token::Mark(mark) if mark == "{" => depth += 1,
            Token::Mark(mark) if mark == "}" => depth -= 1,
            Token::Word(name) | Token::Mark(name) if depth == 0 => heads.push((*line, name.clone())),
            Token::Word(name) if depth == 1 && (tokens[offset - 1].1.is("{") || tokens[offset - 1].1.is(",")) => {
                heads.push((*line, name.clone()));
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

/// The modules that a file of `src` stands in, from the top: `src/http/sse.rs` is `[http, sse]`.
fn modules(path: &str) -> Vec<&str> {
    let inside = path.strip_prefix("src/").unwrap_or(path).trim_end_matches(".rs");
    inside.strip_suffix("/mod").unwrap_or(inside).split('/').filter(|&name| name != "lib" && name != "main").collect()
}

fn ranks(source: &Source) -> Vec<String> {
    let Source { path, text } = source;
    let home = modules(path);
    let Some(own) = home.first() else { return Vec::new() };
    let rank = |name: &str| RANKS.iter().find(|(known, _)| *known == name).map(|(_, rank)| *rank);
    let Some(own_rank) = rank(own) else {
        return vec![format!(
            "{path}:1: `{own}` has no rank; give it one in RANKS of tests/tidy.rs, or move it into a room"
        )];
    };
    let tokens = tokens(text);
    let mut complaints = Vec::new();
    // The braces that stand open, and whether each is an inline module's.
    let mut braces = Vec::new();
    for index in 0..tokens.len() {
        let (line, token) = &tokens[index];
        let before = |back: usize| index.checked_sub(back).and_then(|i| tokens.get(i)).map(|(_, token)| token);
        let joined = tokens.get(index + 1).is_some_and(|(_, next)| next.is("::"));
        if token.is("{") {
            braces.push(before(2).is_some_and(|token| token.is("mod")));
        } else if token.is("}") {
            braces.pop();
        } else if token.is("crate") && joined {
            for (line, name) in heads(&tokens, index + 2).into_iter().filter(|(_, name)| name != own) {
                match rank(&name) {
                    None => {
                        complaints.push(format!("{path}:{line}: `crate::{name}` is no ranked module; name the room"))
                    }
                    Some(other) if other >= own_rank => complaints.push(format!(
                        "{path}:{line}: `{own}` (rank {own_rank}) uses `{name}` (rank {other}); move what both need \
                         down, or hand it in from `app`"
                    )),
                    Some(_) => {}
                }
            }
        } else if token.is("super") && !before(1).is_some_and(|token| token.is("::")) {
            let ups = tokens[index..].chunks(2).take_while(|pair| pair[0].1.is("super")).count();
            if ups >= home.len() + braces.iter().filter(|inline| **inline).count() {
                complaints
                    .push(format!("{path}:{line}: `super` climbs out of `{own}`; say `crate::…`, so that ranks show"));
            }
        }
    }
    complaints
}

fn homes(source: &Source) -> Vec<String> {
    let tokens = tokens(&source.text);
    let mut complaints = Vec::new();
    for (index, (line, token)) in tokens.iter().enumerate() {
        let Token::Word(word) = token else { continue };
        let before = index.checked_sub(1).map(|i| &tokens[i].1);
        let begins = !before.is_some_and(|token| token.is("::"));
        let goes_on = tokens.get(index + 1).is_some_and(|(_, next)| next.is("::"));
        let named = before.is_some_and(|token| token.is("use") || token.is("crate"));
        for (name, prefix, places) in HOMES {
            let same = word == name || prefix && word.strip_prefix(name).is_some_and(|rest| rest.starts_with('_'));
            let at_home = places
                .iter()
                .any(|place| source.path == format!("{place}.rs") || source.path.starts_with(&format!("{place}/")));
            if same && begins && (goes_on || named) && !at_home {
                let (path, places) = (&source.path, places.join(", "));
                complaints
                    .push(format!("{path}:{line}: `{word}` belongs to {places}; ask that module for what you need"));
            }
        }
    }
    complaints
}

fn header(source: &Source) -> Vec<String> {
    let first = source.text.lines().next().unwrap_or_default();
    let sentence = first.strip_prefix("//! ").unwrap_or_default();
    let good = sentence.starts_with(|c: char| c.is_uppercase() || c == '`')
        && sentence.ends_with('.')
        && sentence.contains(' ');
    if good {
        Vec::new()
    } else {
        vec![format!("{}:1: begin with one sentence: `//! What this file is for.`", source.path)]
    }
}

fn length(source: &Source) -> Vec<String> {
    let (lines, path) = (source.text.lines().count(), &source.path);
    let most = if path == "src/main.rs" { LONGEST_MAIN } else { LONGEST };
    let cure = "split it by what a reader looks for; a long file's tests go into `tests.rs` beside it";
    if lines <= most { Vec::new() } else { vec![format!("{path}:{lines}: over {most} lines; {cure}")] }
}

fn muted(source: &Source) -> Vec<String> {
    let tokens = tokens(&source.text);
    let mut complaints = Vec::new();
    for (index, (line, _)) in tokens.iter().enumerate().filter(|(_, (_, token))| token.is("#")) {
        let mut rest = tokens[index + 1..].iter().map(|(_, token)| token).skip_while(|token| token.is("!"));
        let open = rest.next().is_some_and(|token| token.is("["));
        let inside: Vec<&Token> = rest.take_while(|token| !token.is("]")).collect();
        let conditional = inside.first().is_some_and(|token| token.is("cfg_attr"));
        let names = inside.iter().take(if conditional { inside.len() } else { 1 });
        for name in names.filter(|token| open && (token.is("allow") || token.is("ignore"))) {
            let cure = if name.is("allow") { "`#[expect(…, reason = …)]`" } else { "a test that runs" };
            complaints.push(format!("{}:{line}: muted; mend the cause, or write {cure}", source.path));
        }
    }
    complaints
}

/// Guests that no integration test names. A guest is a directory with a `plugin.toml`.
fn untested(guests: &[String], tests: &[Source]) -> Vec<String> {
    let named: Vec<Token> = tests.iter().flat_map(|test| tokens(&test.text)).map(|(_, token)| token).collect();
    let silent =
        guests.iter().filter(|guest| !named.iter().any(|token| matches!(token, Token::Text(text) if text == *guest)));
    silent
        .map(|guest| format!("tests/guests/{guest}/plugin.toml:1: no test in tests/integration names \"{guest}\""))
        .collect()
}

fn strangers(entries: &[String], ignored: &str) -> Vec<String> {
    let known = |entry: &&String| {
        let passed = |line: &str| line.trim_matches('/') == entry.as_str();
        TOP.split_whitespace().any(|name| name == entry.as_str()) || ignored.lines().any(passed)
    };
    let strange = entries.iter().filter(|entry| !known(entry));
    strange
        .map(|entry| format!("{entry}:1: not known at the top; put it into a folder, or name it in tests/tidy.rs"))
        .collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below some entries of the repository, without what builds leave behind.
fn sources(entries: &[&str]) -> Vec<Source> {
    fn walk(path: &Path, found: &mut Vec<PathBuf>) {
        if path.is_dir() && !path.ends_with("target") {
            let mut inside: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
            inside.sort();
            inside.iter().for_each(|path| walk(path, found));
        } else if path.is_file() && path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path.to_owned());
        }
    }
    let mut found = Vec::new();
    entries.iter().for_each(|entry| walk(&root().join(entry), &mut found));
    let named = |path: &PathBuf| path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
    found.iter().map(|path| Source { path: named(path), text: fs::read_to_string(path).unwrap() }).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

const EVERYWHERE: [&str; 6] = ["src", "sdk", "plugins", "tests", "benches", "build.rs"];

#[track_caller]
fn obeyed(law: fn(&Source) -> Vec<String>, entries: &[&str]) {
    let sources = sources(entries);
    assert!(!sources.is_empty(), "no sources below {entries:?}");
    let complaints: Vec<String> = sources.iter().flat_map(law).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// How often a law complains of a sample, and that it names the place.
#[track_caller]
fn complaints(law: fn(&Source) -> Vec<String>, path: &str, text: &str) -> usize {
    let found = law(&Source { path: path.into(), text: text.into() });
    assert!(found.iter().all(|complaint| complaint.starts_with(&format!("{path}:"))), "{found:?}");
    found.len()
}

#[test]
fn modules_keep_their_ranks() {
    obeyed(ranks, &["src"]);
    let bad = [
        ("src/store/mod.rs", "use crate::service::chat;"),
        ("src/store/mod.rs", "use crate::{model::Id, http::{fault, sse}};"),
        ("src/api/v1/chat.rs", "fn f(edge: &crate::edge::Listener) {}"),
        ("src/model/id.rs", "use super::super::config;"),
        ("src/model/mod.rs", "use super::config;"),
        ("src/model/mod.rs", "mod a { mod b { use super::super::super::config; } }"),
        ("src/model/mod.rs", "use crate::Everything;"),
        ("src/http/sse.rs", "// it's\n/* a /* b */ c */ let q = '\"'; let s = r#\"\"\"#; use crate::egress::Client;"),
        ("src/helpers.rs", ""),
    ];
    for (path, text) in bad {
        assert_eq!(complaints(ranks, path, text), 1, "{path}: {text}");
    }
    let good = [
        ("src/service/chat.rs", "use crate::{model::{Id, chat}, plugin::Catalog, store}; use crate::service::route;"),
        (
            "src/service/chat.rs",
            "// crate::app\nlet s = \"crate::app\"; /* crate::app */ pub(crate) mod tests { use super::*; }",
        ),
        ("src/service/chat/wire.rs", "use super::super::route; mod tests { use super::super::*; }"),
        ("src/main.rs", "use crate::cli;"),
    ];
    for (path, text) in good {
        assert_eq!(complaints(ranks, path, text), 0, "{path}: {text}");
    }
}

#[test]
fn foreign_crates_stay_where_they_belong() {
    obeyed(homes, &["src"]);
    assert_eq!(complaints(homes, "src/service/mod.rs", "use wasmtime_wasi::p2; type E = wasmtime::Engine;"), 2);
    assert_eq!(complaints(homes, "src/store/mod.rs", "fn f(t: redb::Table) {}\nuse redb as db;"), 2);
    assert_eq!(
        complaints(homes, "src/api/v1/chat.rs", "use hyper::Request; use hyper_util::rt; use mortise_build::x;"),
        3
    );
    assert_eq!(
        complaints(homes, "src/egress/client.rs", "use hyper::Request; use hyper_util::rt; use reqwest::Url;"),
        0
    );
    assert_eq!(complaints(homes, "src/store/redb.rs", "use redb::Database; use crate::model::hyper::X; // rmcp::x"), 0);
}

#[test]
fn files_begin_with_a_sentence() {
    obeyed(header, &EVERYWHERE);
    for bad in ["", "//! lower case.", "//! No stop", "// Not a header.", "\n//! Too late.", "//! Word."] {
        assert_eq!(complaints(header, "src/a.rs", bad), 1, "{bad}");
    }
}

#[test]
fn files_stay_short() {
    obeyed(length, &EVERYWHERE);
    assert_eq!(complaints(length, "src/a.rs", &"\n".repeat(LONGEST + 1)), 1);
    assert_eq!(complaints(length, "src/a.rs", &"\n".repeat(LONGEST)), 0);
    assert_eq!(complaints(length, "src/main.rs", &"\n".repeat(LONGEST_MAIN + 1)), 1);
}

#[test]
fn nothing_is_muted() {
    obeyed(muted, &EVERYWHERE);
    let bad = "#[allow(dead_code)] fn f() {}\n#![allow(unused)]\n#[cfg_attr(test, allow(unused))] #[ignore = \"slow\"] fn g() {}";
    assert_eq!(complaints(muted, "src/a.rs", bad), 4);
    assert_eq!(
        complaints(muted, "src/a.rs", "#[expect(unused, reason = \"#[allow(\")] fn allow() { ignore(allow()) }"),
        0
    );
}

#[test]
fn every_guest_has_a_test() {
    let guests = root().join("tests/guests");
    let known: Vec<String> =
        names(&guests).into_iter().filter(|name| guests.join(name).join("plugin.toml").is_file()).collect();
    let complaints = untested(&known, &sources(&["tests/integration"]));
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
    let test = |text: &str| [Source { path: "tests/integration/a.rs".into(), text: text.into() }];
    assert_eq!(untested(&["bomb".into()], &test("// \"bomb\"\nlet bomb = \"bombs\";")).len(), 1);
    assert_eq!(untested(&["bomb".into()], &test("guest(\"bomb\")")).len(), 0);
}

#[test]
fn the_top_is_known() {
    let ignored = fs::read_to_string(root().join(".gitignore")).unwrap();
    let complaints = strangers(&names(&root()), &ignored);
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
    assert_eq!(strangers(&["src".into(), "notes.txt".into(), "target".into()], "/target/\n*.wasm").len(), 1);
}
