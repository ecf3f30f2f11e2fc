//! A command line, as far as it can be read without a shell.

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A program and its arguments.
    Words(Vec<String>),
    /// A shell's business, because of this piece of syntax.
    Shell(String),
}

/// Characters that mean something to a shell outside of quotes.
const SYNTAX: &str = "|&;<>()$`*?[]{}!#~\n";

/// Splits a line as a POSIX shell does before it expands anything.
pub(crate) fn read(line: &str) -> Result<Line, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    // A blank at the end may be escaped.
    let mut rest = line.trim_start().trim_end_matches('\n').chars();
    while let Some(character) = rest.next() {
        match character {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => {
                let inner = word.get_or_insert_default();
                loop {
                    match rest.next() {
                        Some('\'') => break,
                        Some(character) => inner.push(character),
                        None => return Err("a quote (') is not closed".to_owned()),
                    }
                }
            }
            '"' => {
                let inner = word.get_or_insert_default();
                loop {
                    match rest.next() {
                        Some('"') => break,
                        Some(mark @ ('$' | '`')) => return Ok(Line::Shell(mark.to_string())),
                        Some('\\') => match rest.next() {
                            Some(character @ ('"' | '\\' | '$' | '`')) => inner.push(character),
                            Some('\n') => {}
                            Some(character) => inner.extend(['\\', character]),
                            None => return Err("a quote (\") is not closed".to_owned()),
                        },
                        Some(character) => inner.push(character),
                        None => return Err("a quote (\") is not closed".to_owned()),
                    }
                }
            }
            '\\' => match rest.next() {
                Some('\n') => {}
                Some(character) => word.get_or_insert_default().push(character),
                None => return Err("the line ends in a backslash".to_owned()),
            },
            // Within a word these are letters.
            '#' | '!' if word.is_some() => word.get_or_insert_default().push(character),
            '~' if word.as_deref().is_some_and(|word| !word.ends_with(['=', ':'])) => {
                word.get_or_insert_default().push(character);
            }
            mark if SYNTAX.contains(mark) => return Ok(Line::Shell(mark.to_string())),
            character => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    match words.first() {
        None => Err("the command is empty".to_owned()),
        Some(first) if is_assignment(first) => Ok(Line::Shell(first.clone())),
        Some(_) => Ok(Line::Words(words)),
    }
}

/// `NAME=value` before a program sets a variable.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    })
}
