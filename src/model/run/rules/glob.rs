//! Globs over texts: `?`, `*` within one part of a path, `**` over parts.

/// Whether `text` is one of those that `glob` stands for.
pub(super) fn matches(glob: &str, text: &str) -> bool {
    let glob: Vec<char> = glob.chars().collect();
    let text: Vec<char> = text.chars().collect();
    // By rows: what the glob's first characters may have eaten. No backtracking, so that no glob takes long.
    let mut reached = vec![false; text.len() + 1];
    reached.first_mut().into_iter().for_each(|first| *first = true);
    let mut rest = glob.as_slice();
    while let Some((&head, tail)) = rest.split_first() {
        let (step, next): (fn(char) -> bool, _) = match (head, tail.split_first()) {
            ('*', Some((&'*', behind))) => {
                // `**/` also stands for no part at all.
                let behind = if let Some((&'/', more)) = behind.split_first() {
                    let mut after = advance_star(&reached, &text, |_| true);
                    after = advance_one(&after, &text, |c| c == '/');
                    reached = reached.iter().zip(after).map(|(a, b)| *a || b).collect();
                    rest = more;
                    continue;
                } else {
                    behind
                };
                (|_| true, behind)
            }
            ('*', _) => (|c| c != '/', tail),
            ('?', _) => {
                reached = advance_one(&reached, &text, |c| c != '/');
                rest = tail;
                continue;
            }
            _ => {
                reached = advance_one(&reached, &text, |c| c == head);
                rest = tail;
                continue;
            }
        };
        reached = advance_star(&reached, &text, step);
        rest = next;
    }
    reached.last().copied().unwrap_or_default()
}

/// Where one is after any number of characters that `step` lets pass.
fn advance_star(reached: &[bool], text: &[char], step: impl Fn(char) -> bool) -> Vec<bool> {
    let mut open = false;
    let mut after = Vec::with_capacity(reached.len());
    for (index, here) in reached.iter().enumerate() {
        open = *here || open && index.checked_sub(1).and_then(|before| text.get(before)).is_some_and(|c| step(*c));
        after.push(open);
    }
    after
}

/// Where one is after one character that `step` lets pass.
fn advance_one(reached: &[bool], text: &[char], step: impl Fn(char) -> bool) -> Vec<bool> {
    let passed = reached.iter().zip(text).map(|(here, c)| *here && step(*c));
    std::iter::once(false).chain(passed).collect()
}

/// `path` without `.` and `..`; nothing where it climbs out of what it is relative to.
pub(super) fn normal(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    Some(format!("{root}{}", parts.join("/")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_stay_within_a_part_and_two_of_them_do_not() {
        for (glob, text, fits) in [
            ("*", "read_file", true),
            ("src/*.rs", "src/lib.rs", true),
            ("src/*.rs", "src/model/run.rs", false),
            ("src/**", "src/model/run.rs", true),
            ("src/**/*.rs", "src/lib.rs", true),
            ("src/**/*.rs", "src/a/b/lib.rs", true),
            ("src/**/*.rs", "src/a/b/lib.py", false),
            ("**/test?", "a/b/test1", true),
            ("**/test?", "test1", true),
            ("a?c", "a/c", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(glob, text), fits, "{glob} {text}");
        }
    }

    #[test]
    fn paths_are_read_without_detours() {
        assert_eq!(normal("./src//a/../b.rs").as_deref(), Some("src/b.rs"));
        assert_eq!(normal("/etc/./passwd").as_deref(), Some("/etc/passwd"));
        assert_eq!(normal("src/../../x"), None);
    }

    proptest! {
        #[test]
        fn a_text_without_stars_is_itself_alone(text in "[a-z/._é-]{0,20}", other in "[a-z/._é-]{0,20}") {
            prop_assert!(matches(&text, &text));
            prop_assert_eq!(matches(&text, &other), text == other);
        }

        #[test]
        fn two_stars_are_anything_between(before in "[a-z/]{0,8}", between in "[a-z/]{0,8}", after in "[a-z]{0,8}") {
            let glob = format!("{before}**{after}");
            let text = format!("{before}{between}{after}");
            prop_assert!(matches(&glob, &text));
        }

        #[test]
        fn a_normal_path_has_no_detours(path in "[a-c./]{0,16}") {
            if let Some(normal) = normal(&path) {
                prop_assert!(normal.split('/').all(|part| part != ".." && part != "."));
                let again = super::normal(&normal);
                prop_assert_eq!(again.as_ref(), Some(&normal));
            }
        }
    }
}
