//! What holds for any text and any change.

use proptest::collection::vec;
use proptest::prelude::*;
use similar::{ChangeTag, TextDiff};

use crate::edit::replace;
use crate::patch::{Action, apply, parse};
use crate::text::Text;

/// Texts of few different lines, so that the same ones stand in many places; with or without a last line feed.
fn text() -> impl Strategy<Value = String> {
    (vec(prop_oneof!["[ab]", Just(String::new()), "[-+@ ]{1,2}x", "ü.{0,3}"], 0..40), any::<bool>()).prop_map(
        |(lines, closed)| {
            let lines: Vec<String> = lines.into_iter().map(|line| line.replace(|c: char| c.is_control(), "")).collect();
            let text = lines.join("\n");
            if closed && !text.is_empty() { format!("{text}\n") } else { text }
        },
    )
}

/// A patch of the other form with so many lines around each change; only for texts whose last line is closed.
fn envelope(old: &str, new: &str, radius: usize) -> String {
    let diff = TextDiff::from_lines(old, new);
    let mut out = String::from("*** Begin Patch\n*** Update File: f\n");
    for group in diff.grouped_ops(radius) {
        out.push_str("@@\n");
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            out.push_str(&format!("{sign}{}\n", change.value().trim_end_matches('\n')));
        }
    }
    out + "*** End Patch\n"
}

fn applied(old: &str, patch: &str) -> Result<String, String> {
    match parse(patch)?.remove(0).action {
        Action::Update { hunks, .. } => apply(old, &hunks),
        other => Err(format!("{other:?}")),
    }
}

proptest! {
    #[test]
    fn a_diff_makes_the_new_text_of_the_old_one(old in text(), new in text(), radius in 0usize..4) {
        prop_assume!(old != new);
        let diff = TextDiff::from_lines(&old, &new).unified_diff().context_radius(radius).header("f", "f").to_string();
        prop_assert_eq!(applied(&old, &diff), Ok(new), "{}", diff);
    }

    #[test]
    fn lines_before_it_move_a_diff(old in text(), new in text(), before in 1usize..9) {
        prop_assume!(old != new && !old.is_empty());
        // Lines that stand nowhere else, so that there is one place where it fits with all lines around it.
        let unique: String = (0..before).map(|line| format!("unique {line}\n")).collect();
        let diff = TextDiff::from_lines(&old, &new).unified_diff().context_radius(1000).header("f", "f").to_string();
        prop_assert_eq!(applied(&format!("{unique}{old}"), &diff), Ok(format!("{unique}{new}")), "{}", diff);
    }

    #[test]
    fn so_does_the_other_form(old in text(), new in text()) {
        let (old, new) = (format!("{old}\n."), format!("{new}\n."));
        prop_assume!(old != new);
        prop_assert_eq!(applied(&old, &envelope(&old, &new, 1000)), Ok(new));
    }

    #[test]
    fn nothing_makes_it_panic(old in text(), patch in "(\\*\\*\\* (Begin|End) Patch|\\*\\*\\* (Add|Update|Delete) File: f|--- f|\\+\\+\\+ f|diff --git a/f b/f|@@ -[0-9]{1,2},[0-9] \\+[0-9],[0-9] @@|@@|[-+ ]?[ab]?|\\\\ No|\n){0,30}") {
        let _ = applied(&old, &patch.replace("***", "\n***"));
        if let Ok(files) = parse(&patch) {
            for file in files {
                if let Action::Update { hunks, .. } | Action::Delete(hunks) = file.action {
                    let _ = apply(&old, &hunks);
                }
            }
        }
    }

    #[test]
    fn an_edit_is_what_the_standard_library_does(text in text(), old in "[ab\n]{1,3}", new in "[ab\n]{0,3}", all in any::<bool>()) {
        prop_assume!(old != new);
        match replace(&text, &old, &new, all) {
            Ok((edited, starts)) => {
                prop_assert_eq!(&edited, &text.replace(&old, &new));
                prop_assert!(all || starts.len() == 1);
                for start in starts {
                    prop_assert!(edited[start..].starts_with(&new));
                }
            }
            Err(_) => {
                let count = text.matches(&old).count();
                prop_assert!(count == 0 || count > 1 && !all);
            }
        }
    }

    #[test]
    fn a_text_is_written_as_it_was_read(bytes in prop_oneof![vec(any::<u8>(), 0..50), text().prop_map(String::into_bytes), text().prop_map(|text| {
        text.replace('\n', "\r\n").encode_utf16().fold(vec![0xFF, 0xFE], |mut bytes, unit| { bytes.extend(unit.to_le_bytes()); bytes })
    })]) {
        if let Ok(text) = Text::decode("f", &bytes) {
            prop_assert_eq!(text.encode(), bytes);
        }
    }
}
