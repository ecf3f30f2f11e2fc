//! Expressions, read into pieces.

use crate::number::Number;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Number(Number),
    Name(String),
    /// `+ - * / // % ^ ! ( ) ,`
    Mark(&'static str),
}

const MARKS: [&str; 12] = ["**", "//", "+", "-", "*", "/", "%", "^", "!", "(", ")", ","];
/// The same in other scripts.
const OTHERS: [(char, &str); 5] = [('×', "*"), ('·', "*"), ('÷', "/"), ('−', "-"), ('π', "pi")];

/// The longest expression, in bytes.
const LONGEST: usize = 2000;

pub(crate) fn tokens(expression: &str) -> Result<Vec<Token>, String> {
    if expression.len() > LONGEST {
        return Err(format!("the expression has {} bytes, more than {LONGEST}", expression.len()));
    }
    let mut tokens = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_whitespace() {
            first.len_utf8()
        } else if first.is_ascii_digit() || first == '.' {
            let length = number_length(rest);
            let (text, _) = rest.split_at(length);
            tokens.push(Token::Number(number(text)?));
            length
        } else if first.is_ascii_alphabetic() {
            let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(Token::Name(rest.split_at(length).0.to_ascii_lowercase()));
            length
        } else if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(**mark)) {
            tokens.push(Token::Mark(if *mark == "**" { "^" } else { mark }));
            mark.len()
        } else if let Some((_, same)) = OTHERS.iter().find(|(other, _)| *other == first) {
            tokens.push(if *same == "pi" { Token::Name("pi".to_owned()) } else { Token::Mark(same) });
            first.len_utf8()
        } else {
            return Err(format!("`{first}` is no part of an expression"));
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(tokens)
}

/// How far a number goes: `1e-5` holds a sign, `0xff` letters.
fn number_length(text: &str) -> usize {
    let radix = ["0x", "0X", "0b", "0B", "0o", "0O"].iter().any(|prefix| text.starts_with(prefix));
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        let inside = character.is_ascii_alphanumeric()
            || character == '_'
            || (!radix && (character == '.' || (matches!(character, '+' | '-') && matches!(before, 'e' | 'E'))));
        if !inside {
            return at;
        }
        before = character;
    }
    text.len()
}

fn number(text: &str) -> Result<Number, String> {
    let digits = text.replace('_', "");
    let radix = |prefix: &str, radix| {
        digits.to_ascii_lowercase().strip_prefix(prefix).map(|rest| i128::from_str_radix(rest, radix))
    };
    let bad = || format!("`{text}` is no number");
    if let Some(read) = radix("0x", 16).or_else(|| radix("0b", 2)).or_else(|| radix("0o", 8)) {
        return read.map(Number::Whole).map_err(|_| bad());
    }
    if let Ok(whole) = digits.parse::<i128>() {
        return Ok(Number::Whole(whole));
    }
    // Rust also reads `infinity`, which begins with no digit and so never comes here.
    digits.parse::<f64>().map_err(|_| bad()).and_then(Number::checked)
}
