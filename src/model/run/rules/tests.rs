//! The rules, case by case and at large.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::tool::Annotations;

fn spec(name: &str, read_only: bool) -> Spec {
    let category = if name.ends_with("_file") { "file_operations" } else { "other" };
    Spec {
        name: name.into(),
        title: None,
        description: String::new(),
        category: category.into(),
        input_schema: "{}".into(),
        output_schema: None,
        annotations: Annotations { read_only, ..Annotations::default() },
    }
}

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn bash(command: &str) -> Value {
    json!({"command": command})
}

#[test]
fn a_prefix_permits_one_command_and_no_more() {
    let pattern: Pattern = "Bash(git:*)".parse().unwrap();
    for (line, permitted) in [
        ("git", true),
        ("git status", true),
        (" git log -3 ", true),
        ("github", false),
        ("git status; rm -rf /", false),
        ("git log | sh", false),
        ("git $(rm x)", false),
        ("git log > file", false),
        ("git log\nrm x", false),
        ("sudo git status", false),
        ("/usr/bin/git status", false),
    ] {
        assert_eq!(pattern.permits("terminal", &bash(line)), permitted, "{line}");
    }
    assert!(!pattern.permits("read_file", &bash("git status")));
    assert!(pattern.permits("terminal", &json!({"program": "git", "arguments": ["status"]})));
    assert!(!pattern.permits("terminal", &json!({})));
}

#[test]
fn what_is_forbidden_stays_so_in_disguise() {
    let pattern: Pattern = "Bash(rm:*)".parse().unwrap();
    for line in [
        "rm",
        "rm -rf x",
        "ls; rm x",
        "true && rm x",
        "FOO=1 rm x",
        "sudo rm x",
        "env A=b rm x",
        "/bin/rm x",
        "echo $(rm x)",
        "(rm x)",
        "{ rm x",
    ] {
        assert!(pattern.forbids("terminal", &bash(line)), "{line}");
    }
    for line in ["ls", "rmdir x", "git rm x"] {
        assert!(!pattern.forbids("terminal", &bash(line)), "{line}");
    }
}

#[test]
fn paths_and_domains_are_read_as_what_they_name() {
    let edit: Pattern = "Edit(./src/**)".parse().unwrap();
    assert!(edit.permits("edit_file", &json!({"path": "src/a/b.rs"})));
    assert!(edit.permits("edit_file", &json!({"file_path": "/workspace/src/a.rs"})));
    assert!(!edit.permits("edit_file", &json!({"path": "src/../secret"})));
    assert!(!edit.permits("edit_file", &json!({"path": "src/a", "file_path": "secret"})));
    assert!(!edit.permits("edit_file", &json!({})));
    let secret: Pattern = "Read(secret/**)".parse().unwrap();
    assert!(secret.forbids("read_file", &json!({"path": "a/../secret/key"})));
    assert!(secret.forbids("read_file", &json!({"path": "../anywhere"})));
    let web: Pattern = "WebFetch(domain:example.com)".parse().unwrap();
    assert!(web.permits("fetch_url", &json!({"url": "https://api.Example.com/x"})));
    assert!(!web.permits("fetch_url", &json!({"url": "https://notexample.com/x"})));
    assert!(!web.permits("fetch_url", &json!({"url": "https://example.com.evil.org/"})));
    assert!(!web.permits("fetch_url", &json!({"url": "https://example.com@evil.org/"})));
}

#[test]
fn names_are_those_of_the_documents_or_of_the_house() {
    assert!("Read".parse::<Pattern>().unwrap().names("read_file"));
    assert!("read_file".parse::<Pattern>().unwrap().names("read_file"));
    assert!("mcp__srv__*".parse::<Pattern>().unwrap().names("mcp__srv__tool"));
    assert!(!"mcp__srv__tool".parse::<Pattern>().unwrap().names("mcp__srv__other"));
    assert!("*".parse::<Pattern>().unwrap().names("anything"));
    for wrong in ["", "Bash(", "Bash(git", "two words", "Bash(:*)", "a)b"] {
        assert!(wrong.parse::<Pattern>().is_err(), "{wrong}");
    }
}

#[test]
fn modes_and_policies_decide_who_is_asked() {
    let (read, write, shell) = (spec("read_file", true), spec("write_file", false), spec("terminal", false));
    let judge = |mode, approval, spec: &Spec| {
        let rules = Rules { mode, approval, ..Rules::default() };
        match rules.judge(spec, &json!({})) {
            Verdict::Allow => "allow",
            Verdict::Ask(_) => "ask",
            Verdict::Deny(_) => "deny",
        }
    };
    let all = |mode, approval| [&read, &write, &shell].map(|spec| judge(mode, approval, spec));
    assert_eq!(all(Mode::Default, Approval::Never), ["allow", "allow", "allow"]);
    assert_eq!(all(Mode::Default, Approval::OnWrite), ["allow", "ask", "ask"]);
    assert_eq!(all(Mode::Default, Approval::Always), ["ask", "ask", "ask"]);
    assert_eq!(all(Mode::AcceptEdits, Approval::Never), ["allow", "allow", "ask"]);
    assert_eq!(all(Mode::AcceptEdits, Approval::Always), ["ask", "ask", "ask"]);
    assert_eq!(all(Mode::BypassPermissions, Approval::Always), ["allow", "allow", "allow"]);
    assert_eq!(all(Mode::RequirePermissions, Approval::Never), ["ask", "ask", "ask"]);
    assert_eq!(all(Mode::Plan, Approval::Never), ["allow", "deny", "deny"]);
    assert_eq!(judge(Mode::RequirePermissions, Approval::Always, &spec("update_plan", false)), "allow");
}

#[test]
fn consent_can_be_given_beforehand() {
    let rules = Rules { allowed: patterns(&["Bash(git:*)", "Read"]), approval: Approval::OnWrite, ..Rules::default() };
    let shell = spec("terminal", false);
    assert_eq!(rules.judge(&shell, &bash("git status")), Verdict::Allow);
    assert!(matches!(rules.judge(&shell, &bash("make")), Verdict::Deny(_)));
    assert!(rules.offers(&shell) && !rules.offers(&spec("write_file", false)));
    let strict = Rules { approval: Approval::Always, ..rules };
    assert!(matches!(strict.judge(&shell, &bash("git status")), Verdict::Ask(_)));
}

#[test]
fn rules_are_stored_as_they_were_written() {
    let rules = Rules { allowed: patterns(&["Bash(git log:*)", "*"]), mode: Mode::AcceptEdits, ..Rules::default() };
    let text = serde_json::to_string(&rules).unwrap();
    assert!(text.contains(r#""Bash(git log:*)""#) && text.contains(r#""acceptEdits""#), "{text}");
    assert_eq!(serde_json::from_str::<Rules>(&text).unwrap(), rules);
}

fn any_pattern() -> impl Strategy<Value = String> {
    "(\\*|Bash|Read|Edit|mcp__[a-z]{1,3}__\\*)(\\((git:\\*|rm:\\*|src/\\*\\*|make test)\\))?"
}

proptest! {
    #[test]
    fn what_is_disallowed_is_never_made(
        disallowed in prop::collection::vec(any_pattern(), 0..4),
        allowed in prop::collection::vec(any_pattern(), 0..4),
        mode in prop::sample::select(vec![
            Mode::Default, Mode::AcceptEdits, Mode::BypassPermissions, Mode::RequirePermissions, Mode::Plan,
        ]),
        approval in prop::sample::select(vec![Approval::Never, Approval::OnWrite, Approval::Always]),
        tool in prop::sample::select(vec!["terminal", "read_file", "edit_file", "mcp__a__x"]),
        line in "(git|rm|ls|make test)( [a-z]{1,3})?((; | && | \\| )(rm|git) x)?",
        read_only: bool,
    ) {
        let parse = |texts: &[String]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<Pattern>>();
        let rules = Rules { allowed: parse(&allowed), disallowed: parse(&disallowed), mode, approval };
        let (spec, arguments) = (spec(tool, read_only), json!({"command": line, "path": "src/x"}));
        let verdict = rules.judge(&spec, &arguments);
        let forbidden = rules.disallowed.iter().any(|pattern| pattern.forbids(tool, &arguments));
        if forbidden {
            prop_assert!(matches!(verdict, Verdict::Deny(_)));
        }
        if verdict != Verdict::Allow && !matches!(verdict, Verdict::Ask(_)) {
            prop_assert!(forbidden || !rules.allowed.is_empty() || mode == Mode::Plan);
        } else {
            prop_assert!(rules.offers(&spec), "what is made was offered");
        }
        if mode == Mode::Plan && !read_only {
            prop_assert!(matches!(verdict, Verdict::Deny(_)));
        }
    }

    #[test]
    fn what_permits_also_forbids(pattern in any_pattern(), line in "(git|rm|ls)[ ;|a-z]{0,8}", path in "[a-z./]{0,10}") {
        let pattern: Pattern = pattern.parse().unwrap();
        for tool in ["terminal", "read_file", "edit_file"] {
            for arguments in [json!({"command": line}), json!({"path": path})] {
                if pattern.permits(tool, &arguments) {
                    prop_assert!(pattern.forbids(tool, &arguments), "{} {}", pattern, arguments);
                }
            }
        }
    }
}
