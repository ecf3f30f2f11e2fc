//! The tool, called as the host calls it; programs are this machine's.

use std::cell::RefCell;
use std::rc::Rc;

use mortise_sdk::testing::tool::{Answer, Host};
use mortise_sdk::tool::process::{self, Command, Finished};
use mortise_sdk::tool::{Error, ErrorKind};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::line::{Line, read};
use crate::toolbox::Terminal;

fn call(host: &Host, arguments: Value) -> Result<Answer, Error> {
    host.call::<Terminal>("terminal", arguments)
}

/// What the host is asked to run.
fn asked(arguments: Value) -> Result<Command, Error> {
    let seen = Rc::new(RefCell::new(None));
    let inner = seen.clone();
    let host = Host::new().processes(move |command| {
        inner.replace(Some(command.clone()));
        Ok(Finished { code: Some(0), stdout: Vec::new(), stderr: Vec::new(), truncated: false })
    });
    call(&host, arguments)?;
    Ok(seen.take().unwrap())
}

#[test]
fn plain_lines_run_without_a_shell() {
    for (line, words) in [
        ("pytest tests/test_api.py -v", vec!["pytest", "tests/test_api.py", "-v"]),
        ("  git   commit -m 'a \"b\" $c'  ", vec!["git", "commit", "-m", "a \"b\" $c"]),
        (r#"echo "a \"b\" \\ \n" c\ d """#, vec!["echo", r#"a "b" \ \n"#, "c d", ""]),
        ("git show HEAD~1 a#b x=y --format=%h", vec!["git", "show", "HEAD~1", "a#b", "x=y", "--format=%h"]),
        ("echo 'a'\"b\"c", vec!["echo", "abc"]),
    ] {
        assert_eq!(read(line).unwrap(), Line::Words(words.into_iter().map(str::to_owned).collect()), "{line}");
    }
}

#[test]
fn anything_else_is_for_a_shell() {
    for (line, syntax) in [
        ("a | b", "|"),
        ("a && b", "&"),
        ("a; b", ";"),
        ("a > b", ">"),
        ("a < b", "<"),
        ("a $(b)", "$"),
        ("a `b`", "`"),
        ("echo \"$HOME\"", "$"),
        ("ls *.rs", "*"),
        ("ls a?", "?"),
        ("echo {a,b}", "{"),
        ("cd ~", "~"),
        ("a # b", "#"),
        ("a\nb", "\n"),
        ("(a)", "("),
        ("A=1 b", "A=1"),
    ] {
        assert_eq!(read(line).unwrap(), Line::Shell(syntax.to_owned()), "{line}");
    }
    let command = asked(json!({"command": "a | b"})).unwrap();
    assert_eq!((command.program.as_str(), command.arguments), ("sh", vec!["-c".to_owned(), "a | b".to_owned()]));
}

#[test]
fn arguments_given_apart_are_left_as_they_are() {
    let command = asked(json!({"command": "printf", "args": ["%s", "a b; $c"], "stdin": "in", "timeout": 5})).unwrap();
    assert_eq!(
        command,
        Command { stdin: b"in".to_vec(), timeout_ms: 5000, ..Command::new("printf", ["%s", "a b; $c"]) }
    );
    assert_eq!(asked(json!({"command": "true"})).unwrap().timeout_ms, 120_000);
    for (given, directory) in [("a/../b/", Some("b")), (".", None), ("/workspace/c", Some("c"))] {
        let command = asked(json!({"command": "true", "working_directory": given})).unwrap();
        assert_eq!(command.directory.as_deref(), directory);
    }
    assert_eq!(asked(json!({"command": "true", "cwd": "../x"})).unwrap_err().kind, ErrorKind::Denied);
}

#[test]
fn a_program_runs_and_tells_how_it_ended() {
    let dir = tempfile::tempdir().unwrap();
    let host = Host::new().workspace(dir.path()).programs(&["echo", "cat", "sh", "true"]);
    let answer = call(&host, json!({"command": "echo 'one  two'"})).unwrap();
    assert_eq!(answer.text, "one  two\n");
    assert_eq!(
        answer.json,
        json!({"status": "success", "exit_code": 0, "stdout": "one  two\n", "stderr": "", "truncated": false})
    );
    assert_eq!(call(&host, json!({"command": "true"})).unwrap().text, "[no output]");
    assert_eq!(call(&host, json!({"command": "cat", "stdin": "through"})).unwrap().text, "through");
    std::fs::create_dir(dir.path().join("sub")).unwrap();
    let inside = call(&host, json!({"command": "pwd | grep -o /sub$", "cwd": "sub"})).unwrap();
    assert_eq!(inside.text, "/sub\n");
    let failed = call(&host, json!({"command": "echo out; echo err >&2; exit 3"})).unwrap();
    assert_eq!(failed.text, "out\n[stderr]\nerr\n\n[exit code 3]");
    assert_eq!((&failed.json["status"], &failed.json["exit_code"]), (&json!("failure"), &json!(3)));
}

#[test]
fn refusals_say_what_to_do() {
    let host = Host::new().processes(|command| {
        Err(match command.program.as_str() {
            "slow" => process::Error::TimedOut,
            "nowhere" => process::Error::NotFound,
            "later" => process::Error::Unavailable,
            _ => process::Error::Denied,
        })
    });
    for (arguments, kind, says) in [
        (json!({"command": "rm -rf x"}), ErrorKind::Denied, "the program `rm` is not allowed"),
        (
            json!({"command": "a | b"}),
            ErrorKind::Denied,
            "`|` needs a shell, and none is allowed; run one program at a time",
        ),
        (
            json!({"command": "slow", "timeout_seconds": 2}),
            ErrorKind::Failed,
            "`slow` was ended: it had not finished after 2 seconds",
        ),
        (json!({"command": "nowhere"}), ErrorKind::NotFound, "there is no program `nowhere` here"),
        (json!({"command": "later"}), ErrorKind::Unavailable, "`later` can't be run now"),
        (json!({"command": "./run.sh"}), ErrorKind::Denied, "`./run.sh`: programs run by name only"),
        (json!({"command": "/bin/sh", "arguments": []}), ErrorKind::Denied, "`/bin/sh`: programs run by name only"),
        (json!({"command": "  "}), ErrorKind::InvalidArguments, "the command is empty"),
        (json!({"command": "", "arguments": ["x"]}), ErrorKind::InvalidArguments, "the command is empty"),
        (json!({"command": "echo 'a"}), ErrorKind::InvalidArguments, "a quote (') is not closed"),
        (json!({"command": "echo \"a"}), ErrorKind::InvalidArguments, "a quote (\") is not closed"),
        (json!({"command": "echo \\"}), ErrorKind::InvalidArguments, "the line ends in a backslash"),
        (json!({"command": "a\u{0}b"}), ErrorKind::InvalidArguments, "the command holds a NUL"),
        (json!({"command": "a".repeat(70_000)}), ErrorKind::InvalidArguments, "the command has 70000 bytes"),
        (
            json!({"command": "cat", "stdin": "a".repeat(2 << 20)}),
            ErrorKind::InvalidArguments,
            "the input has 2097152 bytes",
        ),
    ] {
        let error = call(&host, arguments).unwrap_err();
        assert_eq!(error.kind, kind, "{}", error.message);
        assert!(error.message.starts_with(says), "{}", error.message);
    }
}

#[test]
fn long_output_keeps_its_ends() {
    let host = Host::new().processes(|_| {
        let stdout = ["ü".repeat(100_000), "end".to_owned()].concat().into_bytes();
        Ok(Finished { code: None, stdout, stderr: vec![0xFF], truncated: true })
    });
    let answer = call(&host, json!({"command": "x"})).unwrap();
    assert!(answer.text.starts_with("üü") && answer.text.contains("üend\n[stderr]\n\u{fffd}"), "{}", answer.text.len());
    assert!(answer.text.ends_with("[there was more output than is kept]\n[ended by a signal]"));
    assert!(answer.text.len() < 51_000 && answer.json["truncated"] == true && answer.json["exit_code"] == Value::Null);
}

proptest! {
    #[test]
    fn quoted_words_come_back(words in proptest::collection::vec("[ -~äß]{0,8}", 1..6)) {
        prop_assume!(!words[0].contains('='));
        let single: Vec<String> = words.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect();
        prop_assert_eq!(read(&single.join(" ")), Ok(Line::Words(words.clone())));
        let escaped: Vec<String> = words.iter().map(|word| match word.is_empty() {
            true => "''".to_owned(),
            false => word.chars().flat_map(|c| ['\\', c]).collect(),
        }).collect();
        prop_assert_eq!(read(&escaped.join(" ")), Ok(Line::Words(words)));
    }

    /// Whatever is taken for plain words means the same to a shell.
    #[test]
    fn a_shell_would_have_read_the_same(line in "[ab \\\\'\"|$*~#={}-]{1,12}") {
        if let Ok(Line::Words(words)) = read(&line) {
            let script = format!("printf '%s\\0' {line}");
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            let shell: Vec<String> = String::from_utf8(output.stdout).unwrap().split_terminator('\0').map(str::to_owned).collect();
            prop_assert_eq!(words, shell, "{}", line);
        }
    }
}
