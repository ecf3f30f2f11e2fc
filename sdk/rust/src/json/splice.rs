//! Changing members of a JSON object without touching a byte of the others.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::Range;

use super::{Scalar, Text, check};
use crate::provider::Error;

/// The text of a JSON object, and what shall change in it: members get other values or names, go, or come behind the last
/// one. What isn't named stays as it is, down to its blanks.
///
/// The text is scanned once and no value is read. It must be JSON, as what the host hands over is; of any other text the
/// outcome is an error, or just as little JSON.
///
/// Where a name stands more than once, each of its members is changed, and [`Splice::get`] gives the last one, which is the
/// one that most readers take.
///
/// ```
/// use mortise_sdk::json::Splice;
///
/// let mut body = Splice::of("the body", r#"{ "model":"x/small",  "n": 1.0 }"#)?;
/// body.put("model", "small").rename("n", "count").set("stream", "true")?;
/// assert_eq!(body.into_bytes(), br#"{ "model":"small",  "count": 1.0,"stream":true }"#);
/// # Ok::<(), mortise_sdk::provider::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Splice<'a> {
    text: &'a str,
    /// Behind the opening brace.
    open: usize,
    members: Vec<Member<'a>>,
    /// New ones, written out.
    appended: Vec<(String, Vec<u8>)>,
}

#[derive(Clone, Debug)]
struct Member<'a> {
    name: Cow<'a, str>,
    /// With its quotes.
    key: Range<usize>,
    value: Range<usize>,
    new_key: Option<Vec<u8>>,
    new_value: Option<Vec<u8>>,
    gone: bool,
}

/// Where the elements of a JSON array stand in its text, under the same conditions as [`Splice`].
pub fn elements(what: impl Display, text: &str) -> Result<Vec<Range<usize>>, Error> {
    let mut scan = Scan { text, at: 0 };
    scan.elements().ok_or_else(|| Error::invalid(format!("{what} is not a JSON array")))
}

// === impl Splice ===

impl<'a> Splice<'a> {
    /// Scans an object. `what` names it in the error.
    pub fn of(what: impl Display, text: &'a str) -> Result<Self, Error> {
        let mut scan = Scan { text, at: 0 };
        scan.object().ok_or_else(|| Error::invalid(format!("{what} is not a JSON object")))
    }

    /// The value of a member, as it stands in the text.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let member = self.members.iter().rfind(|member| member.name == name && !member.gone)?;
        self.text.get(member.value.clone())
    }

    /// The value of a member that is a string.
    pub fn get_text(&self, name: &str) -> Option<Cow<'a, str>> {
        serde_json::from_str::<Text<'a>>(self.get(name)?).ok().map(|Text(text)| text)
    }

    /// Gives a member this value, after checking that it is JSON. A member that isn't there is appended.
    pub fn set(&mut self, name: &str, json: &str) -> Result<&mut Self, Error> {
        let json = check(format_args!("`{name}`"), json)?;
        Ok(self.replace(name, json.as_bytes().to_vec()))
    }

    /// The same with a value without parts.
    pub fn put<'v>(&mut self, name: &str, value: impl Into<Scalar<'v>>) -> &mut Self {
        let mut json = Vec::new();
        value.into().write(&mut json);
        self.replace(name, json)
    }

    /// Takes a member away.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.members.iter_mut().filter(|member| member.name == name).for_each(|member| member.gone = true);
        self.appended.retain(|(known, _)| known != name);
        self
    }

    /// Gives a member another name. Where that name is there already, its member stays and the other goes.
    pub fn rename(&mut self, from: &str, to: &str) -> &mut Self {
        if from == to {
            return self;
        }
        if self.has(to) {
            return self.remove(from);
        }
        for member in self.members.iter_mut().filter(|member| member.name == from) {
            let mut key = Vec::new();
            Scalar::Text(to).write(&mut key);
            member.new_key = Some(key);
            member.name = Cow::Owned(to.to_owned());
        }
        for (name, _) in self.appended.iter_mut().filter(|(name, _)| name == from) {
            to.clone_into(name);
        }
        self
    }

    /// Whether there is a member of this name.
    pub fn has(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.name == name && !member.gone)
            || self.appended.iter().any(|(known, _)| known == name)
    }

    /// The text with its changes.
    pub fn into_bytes(self) -> Vec<u8> {
        let text = self.text.as_bytes();
        let piece = |range: Range<usize>| text.get(range).unwrap_or_default();
        let more: usize = self.appended.iter().map(|(name, json)| name.len() + json.len() + 8).sum();
        let mut bytes = Vec::with_capacity(text.len() + more + 64);
        bytes.extend_from_slice(piece(0..self.open));
        let mut empty = true;
        let mut end = self.open;
        for (position, member) in self.members.iter().enumerate() {
            let before = piece(end..member.key.start);
            end = member.value.end;
            if member.gone {
                continue;
            }
            // Who was second and is first now needs no comma.
            let comma = if empty && position > 0 { before.iter().position(|byte| *byte == b',') } else { None };
            bytes.extend_from_slice(comma.and_then(|at| before.get(at + 1..)).unwrap_or(before));
            bytes.extend_from_slice(member.new_key.as_deref().unwrap_or(piece(member.key.clone())));
            bytes.extend_from_slice(piece(member.key.end..member.value.start));
            bytes.extend_from_slice(member.new_value.as_deref().unwrap_or(piece(member.value.clone())));
            empty = false;
        }
        for (name, json) in &self.appended {
            if !empty {
                bytes.push(b',');
            }
            Scalar::Text(name).write(&mut bytes);
            bytes.push(b':');
            bytes.extend_from_slice(json);
            empty = false;
        }
        bytes.extend_from_slice(piece(end..text.len()));
        bytes
    }

    fn replace(&mut self, name: &str, json: Vec<u8>) -> &mut Self {
        let mut known = false;
        for member in self.members.iter_mut().filter(|member| member.name == name && !member.gone) {
            member.new_value = Some(json.clone());
            known = true;
        }
        if !known {
            self.appended.retain(|(known, _)| known != name);
            self.appended.push((name.to_owned(), json));
        }
        self
    }
}

// === impl Scan ===

/// A place in a text. What it looks for and doesn't find is none.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn object(&mut self) -> Option<Splice<'a>> {
        self.expect(b'{')?;
        let mut splice = Splice { text: self.text, open: self.at, members: Vec::new(), appended: Vec::new() };
        if self.blank() == Some(b'}') {
            self.at += 1;
        } else {
            loop {
                let key = self.value()?;
                let Text(name) = serde_json::from_str(self.text.get(key.clone())?).ok()?;
                self.expect(b':')?;
                let value = self.value()?;
                splice.members.push(Member { name, key, value, new_key: None, new_value: None, gone: false });
                if !self.another(b'}')? {
                    break;
                }
            }
        }
        self.over().then_some(splice)
    }

    fn elements(&mut self) -> Option<Vec<Range<usize>>> {
        let mut elements = Vec::new();
        self.expect(b'[')?;
        if self.blank() == Some(b']') {
            self.at += 1;
        } else {
            loop {
                elements.push(self.value()?);
                if !self.another(b']')? {
                    break;
                }
            }
        }
        self.over().then_some(elements)
    }

    /// Passes a comma, after which more comes, or the end.
    fn another(&mut self, end: u8) -> Option<bool> {
        let byte = self.blank()?;
        self.at += 1;
        match byte {
            b',' => Some(true),
            byte if byte == end => Some(false),
            _ => None,
        }
    }

    /// Passes a value, and tells where it stands.
    fn value(&mut self) -> Option<Range<usize>> {
        let first = self.blank()?;
        let start = self.at;
        match first {
            b'"' => self.string()?,
            b'{' | b'[' => self.nested()?,
            _ => {
                let rest = self.text.as_bytes().get(start..)?;
                let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b':' | b'"' | b' ' | b'\t' | b'\n' | b'\r');
                let length = rest.iter().position(ends).unwrap_or(rest.len());
                self.at += length;
                if length == 0 {
                    return None;
                }
            }
        }
        Some(start..self.at)
    }

    /// Passes a value that holds others. Counts, where recursion could run out of stack.
    fn nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.text.as_bytes().get(self.at)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// Passes a string. Most of a body is strings, so this looks for quotes rather than at each byte.
    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            let rest = self.text.get(self.at..)?;
            let quote = rest.find('"')?;
            let escapes = rest.as_bytes().get(..quote)?.iter().rev().take_while(|byte| **byte == b'\\').count();
            self.at += quote + 1;
            if escapes % 2 == 0 {
                return Some(());
            }
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.blank()? == byte).then(|| self.at += 1)
    }

    /// Passes blanks, and gives what stands behind them.
    fn blank(&mut self) -> Option<u8> {
        loop {
            match *self.text.as_bytes().get(self.at)? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    fn over(&mut self) -> bool {
        self.blank().is_none()
    }
}
