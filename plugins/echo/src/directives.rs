//! Reading directives out of a text.

use mortise_sdk::chat::StopReason;
use mortise_sdk::provider::{Error, ErrorKind};
use serde_json::value::RawValue;

/// A piece of the user's text.
#[derive(Debug)]
pub(crate) enum Piece {
    Text(String),
    Directive(Directive),
}

/// What the user tells echo to do.
#[derive(Debug)]
pub(crate) enum Directive {
    Tool { name: String, arguments: String },
    Think(String),
    Wait(u32),
    Fail(Error),
    Stop(StopReason),
    Repeat(u32),
    Refuse(String),
}

/// Each directive's name and form.
const FORMS: &[(&str, &str)] = &[
    ("tool", "[[tool NAME {\"key\": \"value\"}]]"),
    ("think", "[[think some words]]"),
    ("wait", "[[wait MILLISECONDS]]"),
    ("fail", "[[fail KIND message]] or [[fail KIND MILLISECONDS message]]"),
    ("stop", "[[stop REASON]]"),
    ("repeat", "[[repeat TIMES]]"),
    ("refuse", "[[refuse some words]]"),
];

const KINDS: &[(&str, ErrorKind)] = &[
    ("invalid-request", ErrorKind::InvalidRequest),
    ("unauthenticated", ErrorKind::Unauthenticated),
    ("forbidden", ErrorKind::Forbidden),
    ("unknown-model", ErrorKind::UnknownModel),
    ("too-large", ErrorKind::TooLarge),
    ("rate-limited", ErrorKind::RateLimited),
    ("overloaded", ErrorKind::Overloaded),
    ("context-too-long", ErrorKind::ContextTooLong),
    ("refused", ErrorKind::Refused),
    ("unsupported", ErrorKind::Unsupported),
    ("upstream", ErrorKind::Upstream),
];

const REASONS: &[(&str, StopReason)] = &[
    ("complete", StopReason::Complete),
    ("stop-sequence", StopReason::StopSequence),
    ("length", StopReason::Length),
    ("tool-calls", StopReason::ToolCalls),
    ("refusal", StopReason::Refusal),
    ("pause", StopReason::Pause),
];

/// Takes a text apart. Blanks behind a directive belong to it.
pub(crate) fn read(text: &str) -> Result<Vec<Piece>, Error> {
    let mut pieces = Vec::new();
    let mut said = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("[[") {
        said.push_str(before);
        let name_length = after.find(|c: char| c.is_whitespace() || c == ']').unwrap_or(after.len());
        let (name, body) = after.split_at(name_length);
        let Some((name, form)) = FORMS.iter().find(|(known, _)| *known == name) else {
            said.push_str("[[");
            rest = after;
            continue;
        };
        let malformed = |why: &str| Error::invalid(format!("the directive `{name}` {why}: write {form}"));
        let (directive, after) = parse(name, body).map_err(|why| malformed(&why))?;
        if !said.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut said)));
        }
        pieces.push(Piece::Directive(directive));
        rest = after.trim_start();
    }
    said.push_str(rest);
    if !pieces.is_empty() {
        // Blanks in front of a last directive are of no use to anybody.
        said.truncate(said.trim_end().len());
        if let (true, Some(text)) = (said.is_empty(), last_text(&mut pieces)) {
            text.truncate(text.trim_end().len());
        }
    }
    if !said.is_empty() {
        pieces.push(Piece::Text(said));
    }
    Ok(pieces)
}

fn last_text(pieces: &mut [Piece]) -> Option<&mut String> {
    pieces.iter_mut().rev().find_map(|piece| if let Piece::Text(text) = piece { Some(text) } else { None })
}

/// Reads one directive; gives it and what follows it, or says what is wrong.
fn parse<'a>(name: &str, body: &'a str) -> Result<(Directive, &'a str), String> {
    if name == "tool" {
        return parse_tool(body);
    }
    let (body, rest) = body.split_once("]]").ok_or("has no end")?;
    let body = body.trim();
    let directive = match name {
        "think" | "refuse" if body.is_empty() => return Err("has no words".into()),
        "think" => Directive::Think(body.to_owned()),
        "refuse" => Directive::Refuse(body.to_owned()),
        "wait" => Directive::Wait(body.parse().map_err(|_| "has no number of milliseconds")?),
        "repeat" => Directive::Repeat(body.parse().map_err(|_| "has no number")?),
        "stop" => Directive::Stop(known(REASONS, body)?),
        _ => {
            let (kind, message) = body.split_once(char::is_whitespace).unwrap_or((body, ""));
            Directive::Fail(failure(known(KINDS, kind)?, message.trim()))
        }
    };
    Ok((directive, rest))
}

/// The arguments may hold `]]`, so their end is where the JSON ends.
fn parse_tool(body: &str) -> Result<(Directive, &str), String> {
    let body = body.trim_start();
    let name_length = body.find(|c: char| c.is_whitespace() || matches!(c, '{' | ']')).ok_or("has no end")?;
    let (name, rest) = body.split_at(name_length);
    if name.is_empty() {
        return Err("has no name of a tool".into());
    }
    let mut rest = rest.trim_start();
    let mut arguments = "{}";
    if rest.starts_with('{') {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        let Some(Ok(value)) = values.next() else { return Err("has arguments that are no JSON object".into()) };
        arguments = value.get();
        rest = rest.get(values.byte_offset()..).unwrap_or_default().trim_start();
    }
    let rest = rest.strip_prefix("]]").ok_or("has something other than a JSON object for arguments")?;
    Ok((Directive::Tool { name: name.to_owned(), arguments: arguments.to_owned() }, rest))
}

fn failure(kind: ErrorKind, message: &str) -> Error {
    let (first, others) = message.split_once(char::is_whitespace).unwrap_or((message, ""));
    let retry_after = first.parse().ok();
    let message = if retry_after.is_some() { others.trim() } else { message };
    let message = if message.is_empty() { "echo was told to fail" } else { message };
    Error { retry_after_ms: retry_after, ..Error::new(kind, message) }
}

fn known<T: Copy>(table: &[(&str, T)], word: &str) -> Result<T, String> {
    table.iter().find(|(name, _)| *name == word).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = table.iter().map(|(name, _)| *name).collect();
        format!("knows no `{word}`, only {}", names.join(", "))
    })
}
