//! Names of tools, as the API may see them.

use std::borrow::Cow;

use mortise_sdk::names::{MARK, mark};

/// The most characters that a function's name may have.
const LONGEST: usize = 63;

/// A tool's name, as the API may see it: a letter or `_`, then letters, digits, `_` and `-`; one that had to change is marked.
pub(crate) fn name(whole: &str) -> Cow<'_, str> {
    let fits =
        |(at, c): (usize, char)| c == '_' || c.is_ascii_alphabetic() || at > 0 && (c == '-' || c.is_ascii_digit());
    if !whole.is_empty() && whole.len() <= LONGEST && whole.chars().enumerate().all(fits) {
        return Cow::Borrowed(whole);
    }
    let clean = |(at, c)| if fits((at, c)) { c } else { '_' };
    let kept: String = whole.chars().take(LONGEST - MARK).enumerate().map(clean).collect();
    Cow::Owned(mark(&kept, whole))
}
