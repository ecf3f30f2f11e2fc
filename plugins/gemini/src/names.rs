//! Names of tools that the API can't take: cleaned and shortened on the way out, whole again on the way back.

use std::borrow::Cow;

use mortise_sdk::chat::Tool;

/// The most characters that a function's name may have.
const LONGEST: usize = 63;

/// The tools of one request whose names had to change, under their new names. Nearly always empty.
#[derive(Debug, Default)]
pub(crate) struct Names(Vec<(String, String)>);

impl Names {
    pub(crate) fn of(tools: &[Tool]) -> Self {
        let changed = tools.iter().map(|tool| (name(&tool.name), &tool.name)).filter(|(new, old)| new != *old);
        Self(changed.map(|(new, old)| (new.into_owned(), old.clone())).collect())
    }

    /// The name that the caller knows.
    pub(crate) fn whole<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.iter().find(|(new, _)| new == name).map_or(name, |(_, whole)| whole.as_str())
    }
}

/// A tool's name, as the API may see it: a letter or `_`, then letters, digits, `_` and `-`. One that had to change ends in a hash
/// of the whole, so that the same name always becomes the same and two never become one.
pub(crate) fn name(whole: &str) -> Cow<'_, str> {
    let fits =
        |(at, c): (usize, char)| c == '_' || c.is_ascii_alphabetic() || at > 0 && (c == '-' || c.is_ascii_digit());
    if !whole.is_empty() && whole.len() <= LONGEST && whole.chars().enumerate().all(fits) {
        return Cow::Borrowed(whole);
    }
    // FNV-1a
    let hash = whole
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let clean = |(at, c)| if fits((at, c)) { c } else { '_' };
    let kept: String = whole.chars().take(LONGEST - 17).enumerate().map(clean).collect();
    Cow::Owned(format!("{kept}_{hash:016x}"))
}
