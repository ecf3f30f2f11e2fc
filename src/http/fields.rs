//! A JSON object, taken apart field by field: what is known is checked by name, what is left is kept as it came.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::request::is_blank;
use crate::model::chat::Field;
use crate::model::{Error, Kind, Result};

/// The fields of an object in the order in which they came; what was taken is gone, its name stays.
#[derive(Debug, Default)]
pub struct Fields {
    /// Where the object stands within the body: `messages[0]`, or nothing.
    path: String,
    members: Vec<(String, Option<Box<RawValue>>)>,
}

// === impl Fields ===

impl Fields {
    /// Reads the object in `bytes`.
    ///
    /// # Errors
    /// If it is no JSON, or no object.
    pub fn parse(bytes: &Bytes) -> Result<Self> {
        if is_blank(bytes) {
            return Err(Error::caller(Kind::InvalidValue, "the request body is empty; send a JSON object"));
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Err(Error::caller(Kind::InvalidValue, "the request body is not valid UTF-8"));
        };
        serde_json::from_str::<Object>(text).map(|object| Self::of(object, "")).map_err(|error| {
            let what = if error.is_data() { describe(&error) } else { error.to_string() };
            Error::caller(Kind::InvalidValue, format!("the request body is not a valid JSON object: {what}"))
        })
    }

    /// Reads the object in `raw`, which stands at `path` within the body.
    ///
    /// # Errors
    /// If it is no object.
    pub fn parse_at(raw: &RawValue, path: &str) -> Result<Self> {
        serde_json::from_str::<Object>(raw.get()).map(|object| Self::of(object, path)).map_err(|error| {
            Error::invalid(path, format!("Invalid value for {path}: {}", describe(&error)))
                .with_details(serde_json::json!({"field": path}))
        })
    }

    fn of(object: Object, path: &str) -> Self {
        Self { path: path.to_owned(), members: object.0 }
    }

    /// Takes `name`; absent and null are the same.
    ///
    /// # Errors
    /// If the value is not of the type that is wanted; the error names the field.
    pub fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>> {
        let Some(raw) = self.take_raw(name) else { return Ok(None) };
        serde_json::from_str(raw.get()).map(Some).map_err(|error| self.wrong(name, &describe(&error)))
    }

    /// Takes `name`, which must be there.
    ///
    /// # Errors
    /// If it isn't, or is of another type.
    pub fn require<T: DeserializeOwned>(&mut self, name: &str) -> Result<T> {
        self.take(name)?.ok_or_else(|| self.missing(name))
    }

    /// Takes the integer `name`: JSON knows only numbers, so that `3.0` is one too.
    ///
    /// # Errors
    /// If it is no integer, or a `T` can't hold it.
    pub fn take_integer<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>> {
        let Some(raw) = self.take_raw(name) else { return Ok(None) };
        let whole = || {
            let value: f64 = serde_json::from_str(raw.get()).ok()?;
            let exact = value.fract() == 0.0 && value.abs() <= LARGEST_EXACT;
            // Adding nothing makes nothing of minus nothing.
            exact.then(|| serde_json::from_str(&format!("{:.0}", value + 0.0)).ok())?
        };
        let read = serde_json::from_str(raw.get());
        read.or_else(|error| whole().ok_or(error)).map(Some).map_err(|error| self.wrong(name, &describe(&error)))
    }

    /// Takes the object `name`.
    ///
    /// # Errors
    /// If it is no object.
    pub fn take_object(&mut self, name: &str) -> Result<Option<Self>> {
        let Some(raw) = self.take_raw(name) else { return Ok(None) };
        Self::parse_at(&raw, &self.path_of(name)).map(Some)
    }

    /// Takes the object `name` as it came.
    ///
    /// # Errors
    /// If it is no object.
    pub fn take_object_raw(&mut self, name: &str) -> Result<Option<String>> {
        match self.take_raw(name) {
            Some(raw) if !raw.get().starts_with('{') => Err(self.wrong(name, "expected an object")),
            raw => Ok(raw.map(|raw| String::from(Box::<str>::from(raw)))),
        }
    }

    /// Takes the list of objects `name`.
    ///
    /// # Errors
    /// If it is no list, or one of its elements is no object.
    pub fn take_objects(&mut self, name: &str) -> Result<Option<Vec<Self>>> {
        let Some(elements) = self.take::<Vec<Box<RawValue>>>(name)? else { return Ok(None) };
        let path = self.path_of(name);
        let objects = elements.iter().enumerate().map(|(index, raw)| Self::parse_at(raw, &format!("{path}[{index}]")));
        objects.collect::<Result<_>>().map(Some)
    }

    /// Takes `name` as it came; null is absent.
    pub fn take_raw(&mut self, name: &str) -> Option<Box<RawValue>> {
        // Of a name that stands there twice, the last counts, as in JavaScript and Python.
        let mut found = None;
        for (_, value) in self.members.iter_mut().filter(|(known, _)| known == name) {
            found = value.take();
        }
        found.filter(|raw| raw.get() != "null")
    }

    /// That nothing is left; `known` are the fields that there are.
    ///
    /// # Errors
    /// Names a field that nobody took.
    pub fn finish(self, known: &[&str]) -> Result<()> {
        let prefix = if self.path.is_empty() { String::new() } else { format!("{}.", self.path) };
        match self.into_extra().first() {
            None => Ok(()),
            Some(field) => {
                let name = format!("{prefix}{}", field.name);
                let what = format!("Unknown field: {name}; known are {}", known.join(", "));
                Err(Error::caller(Kind::InvalidValue, what)
                    .with_details(serde_json::json!({"field": name}))
                    .with_param(name))
            }
        }
    }

    /// What nobody took.
    pub fn into_extra(self) -> Vec<Field> {
        let rest = self.members.into_iter().filter_map(|(name, value)| Some((name, value?)));
        rest.map(|(name, value)| Field { name, value: String::from(Box::<str>::from(value)) }).collect()
    }

    /// Whether the object has a field `name` that nobody has taken.
    pub fn has(&self, name: &str) -> bool {
        let there = |value: &Option<Box<RawValue>>| value.as_ref().is_some_and(|raw| raw.get() != "null");
        self.members.iter().any(|(known, value)| known == name && there(value))
    }

    /// The path of the field `name` within the body.
    pub fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The error of a field that has to be there.
    pub fn missing(&self, name: &str) -> Error {
        let path = self.path_of(name);
        let names: Vec<&str> = self.members.iter().map(|(name, _)| name.as_str()).collect();
        Error::caller(Kind::MissingField, format!("Missing required field: {path}"))
            .with_details(serde_json::json!({"required_fields": [name], "provided_fields": names}))
            .with_param(path)
    }

    /// The error of a field whose value can't be used.
    pub fn wrong(&self, name: &str, what: &str) -> Error {
        let path = self.path_of(name);
        let error = Error::invalid(&path, format!("Invalid value for {path}: {what}"));
        error.with_details(serde_json::json!({"field": path}))
    }
}

/// Serde's words without the position, which would be one within the field, and without the value: what was said belongs
/// neither into an answer nor into a log.
fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what);
    match what.rsplit_once(", expected ") {
        Some((found, expected)) if found.starts_with("invalid ") || found.starts_with("unknown ") => {
            let kind = found.split(['"', '`']).next().unwrap_or_default().trim_end();
            format!("{kind}, expected {expected}")
        }
        _ => what.to_owned(),
    }
}

/// Beyond it, neighbours of a floating-point number are more than one apart.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// No request needs more, and each costs more memory than it has bytes.
const MOST_MEMBERS: usize = 1000;

/// The members of an object, in order.
struct Object(Vec<(String, Option<Box<RawValue>>)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some((name, value)) = map.next_entry()? {
                    if members.len() == MOST_MEMBERS {
                        return Err(serde::de::Error::custom(format!(
                            "an object has more than {MOST_MEMBERS} members"
                        )));
                    }
                    members.push((name, Some(value)));
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Result<Fields> {
        Fields::parse(&Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn what_is_not_an_object_is_refused_with_a_reason() {
        for text in ["", "  ", "[]", "{", "\"x\"", "{\"a\":1}x"] {
            let error = fields(text).unwrap_err();
            assert!(error.public().starts_with("the request body"), "{text}: {error}");
        }
    }

    #[test]
    fn errors_name_the_path() {
        let mut body = fields(r#"{"messages":[{"role":7}],"n":"two"}"#).unwrap();
        assert_eq!(body.take::<u32>("n").unwrap_err().param(), Some("n"));
        let mut messages = body.take_objects("messages").unwrap().unwrap();
        let error = messages[0].take::<String>("role").unwrap_err();
        assert!(error.public().contains("messages[0].role"), "{error}");
        let error = messages[0].require::<String>("content").unwrap_err();
        assert_eq!(error.public(), "Missing required field: messages[0].content");
    }

    #[test]
    fn integers_are_numbers_without_a_rest() {
        let integer = |text: &str| fields(&format!("{{\"n\":{text}}}")).unwrap().take_integer::<u32>("n");
        for (text, value) in [("3", 3), ("3.0", 3), ("3e2", 300), ("-0.0", 0), ("4294967295.0", u32::MAX)] {
            assert_eq!(integer(text).unwrap(), Some(value), "{text}");
        }
        for text in ["1.5", "-1", "-1.0", "4294967296", "4294967296.0", "1e300", "\"3\"", "true", "[3]"] {
            assert_eq!(integer(text).unwrap_err().param(), Some("n"), "{text}");
        }
        assert_eq!(
            fields(r#"{"n":-9007199254740993}"#).unwrap().take_integer::<i64>("n").unwrap(),
            Some(-9007199254740993)
        );
    }

    #[test]
    fn errors_do_not_repeat_what_was_said() {
        let mut body =
            fields(r#"{"messages":"a secret, expected \"nowhere\"","n":"a secret","b":"a `secret`"}"#).unwrap();
        for error in [
            body.take_objects("messages").map(drop).unwrap_err(),
            body.take::<u32>("n").unwrap_err(),
            body.take::<bool>("b").unwrap_err(),
        ] {
            assert!(error.public().contains("invalid type: string, expected "), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        let error = fields("\"a secret\"").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn what_is_left_is_untouched() {
        let mut body = fields(r#"{"a":1.50,"b":null,"c":{"x" : [1e3]},"a":2.0}"#).unwrap();
        assert_eq!(body.take::<f64>("a").unwrap(), Some(2.0));
        assert_eq!(body.take::<f64>("b").unwrap(), None);
        let extra = body.into_extra();
        assert_eq!((extra[0].name.as_str(), extra[0].value.as_str()), ("c", r#"{"x" : [1e3]}"#));
    }
}
