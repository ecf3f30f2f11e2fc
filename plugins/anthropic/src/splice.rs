//! Changing members of a JSON object without touching a byte of the rest.

use std::borrow::Cow;
use std::ops::Range;

use mortise_sdk::json::check;
use mortise_sdk::provider::Error;

/// A member of an object: its key, and where its value stands.
struct Member<'a> {
    key: Cow<'a, str>,
    value: Range<usize>,
}

/// `object` with each of these members set to its new value, which is JSON. A member that is there keeps its place, and a new
/// one comes last. `what` names the object in an error.
pub(crate) fn splice(what: &str, object: &str, members: &[(&str, &str)]) -> Result<Vec<u8>, Error> {
    let object = check(what, object)?.trim_ascii();
    let known = members_of(object).ok_or_else(|| Error::invalid(format!("{what} must be an object")))?;
    let mut spliced = Vec::with_capacity(object.len() + 64);
    let mut from = 0;
    for member in &known {
        if let Some((_, value)) = members.iter().find(|(key, _)| member.key == *key) {
            spliced.extend_from_slice(object.get(from..member.value.start).unwrap_or_default().as_bytes());
            spliced.extend_from_slice(value.as_bytes());
            from = member.value.end;
        }
    }
    let end = object.len().saturating_sub(1);
    spliced.extend_from_slice(object.get(from..end).unwrap_or_default().as_bytes());
    let mut empty = known.is_empty();
    for (key, value) in members.iter().filter(|(key, _)| known.iter().all(|member| member.key != *key)) {
        let comma = if std::mem::take(&mut empty) { "" } else { "," };
        spliced.extend_from_slice(format!("{comma}\"{key}\":{value}").as_bytes());
    }
    spliced.push(b'}');
    Ok(spliced)
}

/// The value of a member, as it stands. Where a key is there twice, the last one counts.
pub(crate) fn member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    let member = members_of(object)?.into_iter().rfind(|member| member.key == key)?;
    object.get(member.value)
}

/// The members of an object that is known to be valid; nothing if it is another value.
fn members_of(object: &str) -> Option<Vec<Member<'_>>> {
    let bytes = object.as_bytes();
    let mut at = skip_blanks(bytes, 0);
    if bytes.get(at) != Some(&b'{') {
        return None;
    }
    let mut members = Vec::new();
    at = skip_blanks(bytes, at + 1);
    while bytes.get(at) == Some(&b'"') {
        let key_end = skip_string(bytes, at);
        let key = object.get(at..key_end)?;
        let key = match key.contains('\\') {
            true => Cow::Owned(serde_json::from_str(key).ok()?),
            false => Cow::Borrowed(key.trim_matches('"')),
        };
        // The colon stands between.
        let start = skip_blanks(bytes, skip_blanks(bytes, key_end) + 1);
        let end = skip_value(bytes, start);
        members.push(Member { key, value: start..end });
        // And a comma or the end of the object.
        at = skip_blanks(bytes, skip_blanks(bytes, end) + 1);
    }
    Some(members)
}

fn skip_blanks(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// The place behind the string that begins here.
fn skip_string(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

/// The place behind the value that begins here.
fn skip_value(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    let mut depth = 0_usize;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = skip_string(bytes, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return at,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    at
}
