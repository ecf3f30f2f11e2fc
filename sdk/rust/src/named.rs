//! Reading what others wrote, settings and arguments, so that an error names the key.

use serde::de::DeserializeOwned;

/// Reads a JSON object; an error says `what` it is and names the key that is wrong.
pub(crate) fn read<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, String> {
    let text = if text.trim().is_empty() { "{}" } else { text };
    serde_json::from_str(text).map_err(|error| {
        let path = path_at(text, error.line(), error.column());
        let message = error.to_string();
        // The place within a text that nobody sees helps nobody.
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        match path.as_str() {
            "" => format!("{what}: {message}"),
            key => format!("{what}: `{key}`: {message}"),
        }
    })
}

/// The path of keys that is open at a place in a JSON text, as `a.b.2`.
fn path_at(text: &str, line: usize, column: usize) -> String {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut path: Vec<Step> = Vec::new();
    let mut string: Option<String> = None;
    let mut escaped = false;
    for character in text.get(..before + column).unwrap_or(text).chars() {
        if let Some(open) = &mut string {
            match character {
                '"' if !escaped => {
                    if let (Some(Step::Key { name, value: false }), Some(text)) = (path.last_mut(), string.take()) {
                        *name = text;
                    }
                    string = None;
                }
                other => open.push(other),
            }
            escaped = character == '\\' && !escaped;
            continue;
        }
        match (character, path.last_mut()) {
            ('"', _) => string = Some(String::new()),
            ('{', _) => path.push(Step::Key { name: String::new(), value: false }),
            ('[', _) => path.push(Step::Index(0)),
            ('}' | ']', _) => drop(path.pop()),
            (':', Some(Step::Key { value, .. })) => *value = true,
            (',', Some(Step::Key { name, value })) => {
                *value = false;
                name.clear();
            }
            (',', Some(Step::Index(index))) => *index += 1,
            _ => {}
        }
    }
    let steps = path.iter().map(|step| match step {
        Step::Key { name, .. } => name.clone(),
        Step::Index(index) => index.to_string(),
    });
    steps.filter(|step| !step.is_empty()).collect::<Vec<_>>().join(".")
}

enum Step {
    /// `value`: the colon has been passed.
    Key {
        name: String,
        value: bool,
    },
    Index(usize),
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read, never used")]
    struct Settings {
        #[serde(default)]
        list: Vec<Inner>,
        #[serde(default)]
        limit: u32,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read, never used")]
    struct Inner {
        deep: bool,
    }

    #[test]
    fn a_wrong_value_is_named_by_its_key() {
        let message = |text: &str| read::<Settings>("settings", text).map(drop);
        let expected = |text: &str| Err(text.to_owned());
        assert_eq!(message(""), Ok(()));
        assert_eq!(message("{}"), Ok(()));
        assert_eq!(
            message(r#"{"limit": "a \" b"}"#),
            expected("settings: `limit`: invalid type: string \"a \\\" b\", expected u32")
        );
        assert_eq!(
            message("{\"limit\": 1,\n \"list\": [{\"deep\": true},\n {\"deep\": 3}]}"),
            expected("settings: `list.1.deep`: invalid type: integer `3`, expected a boolean")
        );
        assert_eq!(message(r#"{"list": [{}]}"#), expected("settings: `list.0`: missing field `deep`"));
        assert_eq!(
            message(r#"{"nope": 1}"#),
            expected("settings: `nope`: unknown field `nope`, expected `list` or `limit`")
        );
    }
}
