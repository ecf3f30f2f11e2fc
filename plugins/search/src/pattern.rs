//! Patterns of paths.

use fast_glob::glob_match;
use mortise_sdk::tool::Error;

const LONGEST: usize = 1000;
/// Alternatives of braces multiply, so there may be only some.
const BRACES: usize = 6;

/// A checked pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    text: String,
    /// Without a slash it is for names, wherever they are.
    name_only: bool,
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Result<Self, Error> {
        let text = text.strip_prefix("/workspace/").or_else(|| text.strip_prefix("./")).unwrap_or(text);
        let bad = |why: &str| Err(Error::invalid(format!("the pattern `{text}` can't be used: {why}")));
        if text.is_empty() {
            return bad("it is empty");
        }
        if text.len() > LONGEST {
            return Err(Error::invalid(format!("the pattern has {} bytes, more than {LONGEST}", text.len())));
        }
        if text.matches('{').count() > BRACES {
            return bad("it has too many braces");
        }
        if text.starts_with('/') || text.split('/').any(|part| part == "..") {
            return bad("it leads out of the workspace; write it relative to the workspace's root");
        }
        // What ends in a slash means all that lies in there.
        let text = if text.ends_with('/') { format!("{text}**") } else { text.to_owned() };
        let name_only = !text.contains('/');
        Ok(Self { text, name_only })
    }

    /// All of them, checked.
    pub(crate) fn all(texts: Option<Vec<String>>) -> Result<Vec<Self>, Error> {
        texts.unwrap_or_default().iter().map(|text| Self::new(text)).collect()
    }

    /// Whether a path, relative to the root of the workspace, fits.
    pub(crate) fn fits(&self, path: &str) -> bool {
        let subject = if self.name_only { path.rsplit('/').next().unwrap_or(path) } else { path };
        glob_match(&self.text, subject)
    }
}
