//! JSON in one pass: bodies are written straight into bytes, answers are read without copies.
//!
//! ```
//! use mortise_sdk::json::Object;
//!
//! let mut bytes = Vec::new();
//! let mut body = Object::open(&mut bytes);
//! body.put("model", "small").put("max_tokens", 16);
//! body.array("stop").put("\n");
//! body.raw("seed", "7")?;
//! drop(body);
//! assert_eq!(bytes, br#"{"model":"small","max_tokens":16,"stop":["\n"],"seed":7}"#);
//! # Ok::<(), mortise_sdk::provider::Error>(())
//! ```

mod splice;

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use serde_json::value::RawValue;

use crate::provider::Error;
pub use splice::{Splice, elements};

/// A JSON object that is being written. It is closed when it is dropped.
pub struct Object<'a> {
    bytes: &'a mut Vec<u8>,
    empty: bool,
}

/// A JSON array that is being written. It is closed when it is dropped.
pub struct Array<'a> {
    bytes: &'a mut Vec<u8>,
    empty: bool,
}

/// A value without parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any number; what JSON can't say (infinities, not a number) becomes `null`.
    Float(f64),
    /// A string, escaped as need be.
    Text(&'a str),
    /// A string in pieces, joined.
    Joined(&'a [&'a str]),
}

/// A string of an answer: borrowed from the frame where it holds no escapes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text<'a>(pub Cow<'a, str>);

/// The member of an object that is a string, for a message: what is asked of a caller's own JSON.
pub fn member(object: &str, name: &str) -> Option<String> {
    let splice = Splice::of("an object", object).ok()?;
    splice.get_text(name).map(Cow::into_owned)
}

/// Checks that a text holds one JSON value. `what` names it in the error.
pub fn check(what: impl fmt::Display, text: &str) -> Result<&str, Error> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(value) => Ok(value.get()),
        Err(error) => Err(Error::invalid(format!("{what} is not valid JSON: {error}"))),
    }
}

// === impl Object ===

impl<'a> Object<'a> {
    /// Begins an object at the end of `bytes`.
    pub fn open(bytes: &'a mut Vec<u8>) -> Self {
        bytes.push(b'{');
        Self { bytes, empty: true }
    }

    /// Writes one field.
    pub fn put<'v>(&mut self, key: &str, value: impl Into<Scalar<'v>>) -> &mut Self {
        self.key(key);
        value.into().write(self.bytes);
        self
    }

    /// Writes one field if there is a value.
    pub fn put_some<'v>(&mut self, key: &str, value: Option<impl Into<Scalar<'v>>>) -> &mut Self {
        if let Some(value) = value {
            self.put(key, value);
        }
        self
    }

    /// Writes one field whose value is JSON already, after checking it.
    pub fn raw(&mut self, key: &str, json: &str) -> Result<&mut Self, Error> {
        self.raw_named(key, format_args!("`{key}`"), json)
    }

    /// The same, where the key alone would not tell the reader of an error what is meant.
    pub fn raw_named(&mut self, key: &str, what: impl fmt::Display, json: &str) -> Result<&mut Self, Error> {
        let json = check(what, json)?;
        self.key(key);
        self.bytes.extend_from_slice(json.as_bytes());
        Ok(self)
    }

    /// Begins a field that is an object.
    pub fn object(&mut self, key: &str) -> Object<'_> {
        self.key(key);
        Object::open(self.bytes)
    }

    /// Begins a field that is an array.
    pub fn array(&mut self, key: &str) -> Array<'_> {
        self.key(key);
        Array::open(self.bytes)
    }

    fn key(&mut self, key: &str) {
        if !self.empty {
            self.bytes.push(b',');
        }
        self.empty = false;
        Scalar::Text(key).write(self.bytes);
        self.bytes.push(b':');
    }
}

impl Drop for Object<'_> {
    fn drop(&mut self) {
        self.bytes.push(b'}');
    }
}

// === impl Array ===

impl<'a> Array<'a> {
    /// Begins an array at the end of `bytes`.
    pub fn open(bytes: &'a mut Vec<u8>) -> Self {
        bytes.push(b'[');
        Self { bytes, empty: true }
    }

    /// Writes one element.
    pub fn put<'v>(&mut self, value: impl Into<Scalar<'v>>) -> &mut Self {
        self.next();
        value.into().write(self.bytes);
        self
    }

    /// Writes one element that is JSON already, after checking it. `what` names it in the error.
    pub fn raw(&mut self, what: impl fmt::Display, json: &str) -> Result<&mut Self, Error> {
        let json = check(what, json)?;
        self.next();
        self.bytes.extend_from_slice(json.as_bytes());
        Ok(self)
    }

    /// Begins an element that is an object.
    pub fn object(&mut self) -> Object<'_> {
        self.next();
        Object::open(self.bytes)
    }

    /// Begins an element that is an array.
    pub fn array(&mut self) -> Array<'_> {
        self.next();
        Array::open(self.bytes)
    }

    fn next(&mut self) {
        if !self.empty {
            self.bytes.push(b',');
        }
        self.empty = false;
    }
}

impl Drop for Array<'_> {
    fn drop(&mut self) {
        self.bytes.push(b']');
    }
}

// === impl Scalar ===

impl Scalar<'_> {
    fn write(self, bytes: &mut Vec<u8>) {
        // Writing to a vector can't fail.
        let _ = match self {
            Self::Null => bytes.write_all(b"null"),
            Self::Bool(value) => bytes.write_all(if value { b"true" } else { b"false" }),
            Self::Integer(value) => serde_json::to_writer(bytes, &value).map_err(Into::into),
            Self::Float(value) => serde_json::to_writer(bytes, &value).map_err(Into::into),
            Self::Text(text) => {
                bytes.push(b'"');
                escape(bytes, text);
                bytes.write_all(b"\"")
            }
            Self::Joined(pieces) => {
                bytes.push(b'"');
                pieces.iter().for_each(|piece| escape(bytes, piece));
                bytes.write_all(b"\"")
            }
        };
    }
}

/// Copies runs that need no escape in one go.
fn escape(bytes: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        let (run, tail) = rest.split_at(at);
        bytes.extend_from_slice(run);
        let Some((&byte, tail)) = tail.split_first() else { break };
        match byte {
            b'"' => bytes.extend_from_slice(b"\\\""),
            b'\\' => bytes.extend_from_slice(b"\\\\"),
            b'\n' => bytes.extend_from_slice(b"\\n"),
            b'\r' => bytes.extend_from_slice(b"\\r"),
            b'\t' => bytes.extend_from_slice(b"\\t"),
            control => {
                let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
                bytes.extend_from_slice(b"\\u00");
                bytes.extend_from_slice(&[digit(control >> 4), digit(control & 15)]);
            }
        }
        rest = tail;
    }
    bytes.extend_from_slice(rest);
}

impl<'a> From<&'a str> for Scalar<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Scalar<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [&'a str]> for Scalar<'a> {
    fn from(pieces: &'a [&'a str]) -> Self {
        Self::Joined(pieces)
    }
}

impl From<bool> for Scalar<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i32> for Scalar<'_> {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<u32> for Scalar<'_> {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<i64> for Scalar<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for Scalar<'_> {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

// === impl Text ===

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Text<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }

        deserializer.deserialize_str(Reader)
    }
}
