//! The rules of translation and the conduct in a vendor's faults, as `dialects.txt` lists them, each with tests that are there.

use std::collections::HashMap;

use super::sources;

/// Rules, and which tests keep them.
const TABLE: &str = include_str!("dialects.txt");

/// Where every test is one of a vendor's faults.
const FAULTS: &str = "tests/integration/routing/faults.rs";

/// A rule, and its tests by file.
struct Rule<'t> {
    words: &'t str,
    tests: Vec<(&'t str, Vec<&'t str>)>,
}

/// What stands below the title and the words about it.
fn rules(table: &str) -> Vec<Rule<'_>> {
    let mut rules: Vec<Rule<'_>> = Vec::new();
    for line in table.lines().skip_while(|line| !line.starts_with('#')) {
        match line.strip_prefix("  ") {
            Some(line) => {
                let (path, names) = line.split_once(": ").unwrap_or_else(|| panic!("no names of tests: {line}"));
                rules.last_mut().unwrap().tests.push((path, names.split_whitespace().collect()));
            }
            None if line.is_empty() || line.starts_with('#') => {}
            None => rules.push(Rule { words: line, tests: Vec::new() }),
        }
    }
    rules
}

/// The names of the tests in a source: functions behind an attribute that says so.
fn tests(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut marked = false;
    for line in text.lines().map(str::trim_start) {
        let named = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            marked = true;
        } else if let Some(rest) = named
            && std::mem::take(&mut marked)
        {
            found.extend(rest.split(['(', '<']).next().map(str::to_owned));
        }
    }
    found
}

/// Rules without a test, and tests that aren't there.
fn gaps(rules: &[Rule<'_>], known: &HashMap<String, Vec<String>>) -> Vec<String> {
    let mut found = Vec::new();
    for Rule { words, tests } in rules {
        if tests.is_empty() {
            found.push(format!("no test keeps «{words}»"));
        }
        for (path, names) in tests {
            let there = known.get(*path).map(Vec::as_slice).unwrap_or_default();
            let gone = names.iter().filter(|name| !there.iter().any(|known| known == *name));
            found.extend(gone.map(|name| format!("{path}: no test `{name}`, which kept «{words}»")));
        }
    }
    found
}

fn known() -> HashMap<String, Vec<String>> {
    let all = sources(&["src", "sdk", "plugins", "tests"]).into_iter();
    all.map(|source| (source.path, tests(&source.text))).collect()
}

#[test]
fn every_rule_of_translation_has_its_tests() {
    let rules = rules(TABLE);
    assert!(rules.len() > 40, "{} rules of translation", rules.len());
    let gaps = gaps(&rules, &known());
    assert!(
        gaps.is_empty(),
        "\n{}\nwrite it again, or name the test that took its place in tests/tidy/dialects.txt\n",
        gaps.join("\n")
    );
}

#[test]
fn every_fault_that_is_tested_is_in_the_table() {
    let rules = rules(TABLE);
    let named: Vec<&str> = rules
        .iter()
        .flat_map(|rule| &rule.tests)
        .filter(|(path, _)| *path == FAULTS)
        .flat_map(|(_, names)| names.clone())
        .collect();
    let known = known();
    let unnamed: Vec<&String> = known[FAULTS].iter().filter(|name| !named.contains(&name.as_str())).collect();
    assert!(unnamed.is_empty(), "{FAULTS}: give {unnamed:?} a rule in tests/tidy/dialects.txt");
}

#[test]
fn a_rule_that_lost_its_test_is_found() {
    let text =
        "#[tokio::test(start_paused = true)]\nasync fn one() {}\nfn helper() {}\n    #[test]\n    fn two(x in 0..3) {}";
    assert_eq!(tests(text), ["one", "two"]);
    let known = HashMap::from([("a.rs".to_owned(), tests(text))]);
    let gaps = |lines: &str| gaps(&rules(&format!("Words.\n# Title\nRule.\n{lines}")), &known).len();
    assert_eq!(gaps("  a.rs: one two"), 0);
    assert_eq!(["  a.rs: one helper", "  b.rs: one", ""].map(gaps), [1, 1, 1]);
}
