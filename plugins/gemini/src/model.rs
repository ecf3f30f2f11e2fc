//! What a model's name tells: where it is asked, and which generation it is.

use std::fmt::Write as _;

/// Resources that hold models; a name without one is Google's.
const COLLECTIONS: [&str; 2] = ["models/", "tunedModels/"];

/// The model's resource, such as `models/gemini-2.5-flash`.
pub(crate) fn resource(model: &str) -> String {
    match COLLECTIONS.iter().any(|collection| model.starts_with(collection)) {
        true => model.to_owned(),
        false => format!("models/{model}"),
    }
}

/// The path of an operation on it. What can't stand in a path is escaped.
pub(crate) fn path(model: &str, operation: &str) -> String {
    let resource = resource(model);
    let (collection, name) = resource.split_once('/').unwrap_or_default();
    let mut path = format!("/{collection}/");
    escape(&mut path, name);
    path.push(':');
    path.push_str(operation);
    path
}

/// Appends `text` so that it can stand in a path or a query.
pub(crate) fn escape(to: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => to.push(char::from(byte)),
            // Writing to a string can't fail.
            other => drop(write!(to, "%{other:02X}")),
        }
    }
}

/// Whether it is a Gemini of the third generation or a later one: those sign calls, think in levels and read media in results.
pub(crate) fn is_third_generation(model: &str) -> bool {
    generation(model).is_some_and(|generation| generation >= 3)
}

/// Whether it fetches media from any address: those before 2.5 read only files that Google holds.
pub(crate) fn fetches(model: &str) -> bool {
    !["gemini-1", "gemini-2.0"].iter().any(|old| name(model).starts_with(old))
}

/// Whether thinking can't be switched off.
pub(crate) fn always_thinks(model: &str) -> bool {
    name(model).contains("pro")
}

fn name(model: &str) -> &str {
    model.rsplit('/').next().unwrap_or(model)
}

fn generation(model: &str) -> Option<u32> {
    let rest = name(model).strip_prefix("gemini-")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    // A moving name stands for something recent.
    if rest.ends_with("-latest") && digits.is_empty() { Some(3) } else { digits.parse().ok() }
}
