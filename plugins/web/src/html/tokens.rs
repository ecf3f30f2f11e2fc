//! HTML, read tag by tag. Any text is HTML of some kind: nothing here fails.

use html_escape::decode_html_entities;

/// The most attributes of a tag that are kept.
const ATTRIBUTES: usize = 64;

/// Elements whose content is no markup.
const RAW: [&str; 9] = ["script", "style", "title", "textarea", "noscript", "template", "iframe", "xmp", "noembed"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// With its entities decoded.
    Text(String),
    Open(Tag<'a>),
    /// Its name in small letters.
    Close(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    /// In small letters.
    pub(crate) name: String,
    attributes: Vec<(String, &'a str)>,
}

impl Tag<'_> {
    /// The value of an attribute, decoded.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let value = self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| *value)?;
        Some(decode_html_entities(value).into_owned())
    }
}

/// All tokens of a page.
pub(crate) fn tokens(html: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        push_text(&mut tokens, text);
        let inner = tag.get(1..).unwrap_or_default();
        if let Some(comment) = inner.strip_prefix("!--") {
            rest = comment.find("-->").and_then(|end| comment.get(end + 3..)).unwrap_or_default();
        } else if let Some(data) = inner.strip_prefix("![CDATA[") {
            let end = data.find("]]>").unwrap_or(data.len());
            push_text(&mut tokens, data.get(..end).unwrap_or_default());
            rest = data.get(end + 3..).unwrap_or_default();
        } else if inner.starts_with(['!', '?']) {
            rest = inner.find('>').and_then(|end| inner.get(end + 1..)).unwrap_or_default();
        } else if let Some(close) =
            inner.strip_prefix('/').filter(|close| close.starts_with(|c: char| c.is_ascii_alphabetic()))
        {
            let (name, _) = name(close);
            tokens.push(Token::Close(name));
            rest = close.find('>').and_then(|end| close.get(end + 1..)).unwrap_or_default();
        } else if inner.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let (tag, after) = tag_of(inner);
            rest = after;
            let raw = RAW.contains(&tag.name.as_str());
            let name = tag.name.clone();
            tokens.push(Token::Open(tag));
            if raw {
                let (content, after) = until_close(rest, &name);
                push_text(&mut tokens, content);
                tokens.push(Token::Close(name));
                rest = after;
            }
        } else {
            // A lone `<` is text.
            push_text(&mut tokens, "<");
            rest = inner;
        }
    }
    push_text(&mut tokens, rest);
    tokens
}

fn push_text(tokens: &mut Vec<Token<'_>>, text: &str) {
    if text.is_empty() {
        return;
    }
    let text = decode_html_entities(text);
    match tokens.last_mut() {
        Some(Token::Text(before)) => before.push_str(&text),
        _ => tokens.push(Token::Text(text.into_owned())),
    }
}

/// A tag's name and what stands behind it.
fn name(text: &str) -> (String, &str) {
    let end = text.find(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    (name.to_ascii_lowercase(), rest)
}

fn tag_of(text: &str) -> (Tag<'_>, &str) {
    let (name, mut rest) = name(text);
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if let Some(after) = rest.strip_prefix('>') {
            return (Tag { name, attributes }, after);
        }
        if rest.is_empty() {
            return (Tag { name, attributes }, rest);
        }
        // An attribute's name may begin with `=`, as browsers read it.
        let from = rest.chars().next().map_or(0, char::len_utf8);
        let end = rest
            .get(from..)
            .and_then(|tail| tail.find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '>' | '/')))
            .map_or(rest.len(), |end| from + end);
        let (attribute, after) = rest.split_at(end);
        let (value, after) = value(after);
        if attributes.len() < ATTRIBUTES {
            attributes.push((attribute.to_ascii_lowercase(), value));
        }
        rest = after;
    }
}

/// An attribute's value, if it has one, and what stands behind it.
fn value(text: &str) -> (&str, &str) {
    let Some(given) = text.trim_start().strip_prefix('=') else { return ("", text) };
    let given = given.trim_start();
    for quote in ['"', '\''] {
        if let Some(inner) = given.strip_prefix(quote) {
            return inner.split_once(quote).unwrap_or((inner, ""));
        }
    }
    let end = given.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(given.len());
    given.split_at(end)
}

/// What stands before the closing tag of this name, and what behind it.
fn until_close<'a>(text: &'a str, name: &str) -> (&'a str, &'a str) {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find("</")).map(|at| from + at) {
        let tail = text.get(at + 2..).unwrap_or_default();
        let same = tail.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name));
        if same {
            let after = tail.find('>').and_then(|end| tail.get(end + 1..)).unwrap_or_default();
            return (text.get(..at).unwrap_or_default(), after);
        }
        from = at + 2;
    }
    (text, "")
}
