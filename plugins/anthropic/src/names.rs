//! Names of tools that the vendor can't take: made to fit on the way out, whole again on the way back.

use std::borrow::Cow;

use mortise_sdk::chat::Tool;

/// The most characters that a tool's name may have.
const LONGEST: usize = 64;

/// The tools of one request whose names don't fit, under the names that do. Nearly always empty.
#[derive(Debug, Default)]
pub(crate) struct Names(Vec<(String, String)>);

impl Names {
    pub(crate) fn of(tools: &[Tool]) -> Self {
        let odd = tools.iter().filter_map(|tool| match fit(&tool.name, LONGEST) {
            Cow::Owned(fitting) => Some((fitting, tool.name.clone())),
            Cow::Borrowed(_) => None,
        });
        Self(odd.collect())
    }

    /// The name that the caller knows.
    pub(crate) fn whole<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.iter().find(|(fitting, _)| fitting == name).map_or(name, |(_, whole)| whole.as_str())
    }
}

/// A tool's name, as the vendor may see it. The same name always becomes the same.
pub(crate) fn name(whole: &str) -> Cow<'_, str> {
    fit(whole, LONGEST)
}

/// A word of at most `longest` letters, digits, `_` and `-`: the word itself, or what fits of it and a hash of the whole.
pub(crate) fn fit(whole: &str, longest: usize) -> Cow<'_, str> {
    let fits = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    if !whole.is_empty() && whole.len() <= longest && whole.chars().all(fits) {
        return Cow::Borrowed(whole);
    }
    // FNV-1a
    let hash = whole
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut kept: String = whole.chars().filter(|character| fits(*character)).collect();
    kept.truncate(longest.saturating_sub(17));
    Cow::Owned(format!("{kept}_{hash:016x}"))
}
