//! Rust sources as tokens, with comments left out and strings set apart.

#[derive(Debug, PartialEq)]
pub(crate) enum Token {
    Word(String),
    /// `::` or one character.
    Mark(String),
    /// The inside of a string.
    Text(String),
}

impl Token {
    pub(crate) fn is(&self, wanted: &str) -> bool {
        matches!(self, Token::Word(found) | Token::Mark(found) if found == wanted)
    }
}

/// The tokens of a source, each with its line.
pub(crate) fn tokens(text: &str) -> Vec<(usize, Token)> {
    let chars: Vec<char> = text.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let (mut found, mut index, mut line) = (Vec::new(), 0, 1);
    while index < chars.len() {
        let (begin, first) = (index, line);
        let hashes = chars[index + 1..].iter().take_while(|&&c| c == '#').count();
        if at(index) == '/' && at(index + 1) == '/' {
            while index < chars.len() && at(index) != '\n' {
                index += 1;
            }
        } else if at(index) == '/' && at(index + 1) == '*' {
            let mut depth = 0;
            loop {
                match (at(index), at(index + 1)) {
                    ('/', '*') => (depth, index) = (depth + 1, index + 2),
                    ('*', '/') => (depth, index) = (depth - 1, index + 2),
                    _ => index += 1,
                }
                if depth == 0 || index >= chars.len() {
                    break;
                }
            }
        } else if at(index) == 'r' && at(index + 1 + hashes) == '"' {
            let (inside, close) = (index + hashes + 2, format!("\"{}", "#".repeat(hashes)));
            index = inside;
            while index < chars.len() && !close.chars().enumerate().all(|(i, c)| at(index + i) == c) {
                index += 1;
            }
            found.push((first, Token::Text(chars[inside..index.min(chars.len())].iter().collect())));
            index += close.len();
        } else if at(index) == '"' {
            index += 1;
            while index < chars.len() && at(index) != '"' {
                index += if at(index) == '\\' { 2 } else { 1 };
            }
            found.push((first, Token::Text(chars[begin + 1..index.min(chars.len())].iter().collect())));
            index += 1;
        } else if at(index) == '\'' && (at(index + 1) == '\\' || at(index + 2) == '\'') {
            index += if at(index + 1) == '\\' { 3 } else { 2 };
            while index < chars.len() && at(index) != '\'' {
                index += 1;
            }
            index += 1;
        } else if at(index).is_alphanumeric() || at(index) == '_' || at(index) == '\'' {
            index += 1;
            // `b"…"` and `br"…"` are a prefix and a string.
            while (at(index).is_alphanumeric() || at(index) == '_')
                && !(at(index) == 'r' && matches!(at(index + 1), '"' | '#'))
            {
                index += 1;
            }
            found.push((first, Token::Word(chars[begin..index].iter().collect())));
        } else {
            index += if at(index) == ':' && at(index + 1) == ':' { 2 } else { 1 };
            if !at(begin).is_whitespace() {
                found.push((first, Token::Mark(chars[begin..index].iter().collect())));
            }
        }
        line += chars[begin..index.min(chars.len())].iter().filter(|&&c| c == '\n').count();
    }
    found
}

#[test]
fn comments_and_strings_are_no_code() {
    let word = |word: &str| Token::Word(word.into());
    let text = |text: &str| Token::Text(text.into());
    let found = |source: &str| tokens(source).into_iter().map(|(_, token)| token).collect::<Vec<_>>();
    assert_eq!(found("a // b\n/* c /* d */ e */ f"), [word("a"), word("f")]);
    assert_eq!(found(r###""a\"b" r#"c"d"# b"e" br#"f"# g"###)[0], text("a\\\"b"));
    assert_eq!(found(r###"r#"c"d"# br#"f"# g"###), [text("c\"d"), word("b"), text("f"), word("g")]);
    assert_eq!(found("'\"' '\\'' '\\u{1F600}' 'a' a::b<'c>").len(), 6);
    let lines: Vec<usize> = tokens("a\n\"b\nc\"\n/*\n*/ d").into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [1, 2, 5]);
}
