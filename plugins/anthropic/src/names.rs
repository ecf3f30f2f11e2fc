//! Names of tools, and words like them, as the vendor may see them.

use std::borrow::Cow;

use mortise_sdk::names::{MARK, mark};

/// The most characters that a tool's name may have.
const LONGEST: usize = 64;

/// A tool's name, as the vendor may see it.
pub(crate) fn name(whole: &str) -> Cow<'_, str> {
    fit(whole, LONGEST)
}

/// A word of at most `longest` letters, digits, `_` and `-`: the word itself, or what fits of it and a hash of the whole.
pub(crate) fn fit(whole: &str, longest: usize) -> Cow<'_, str> {
    let fits = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    if !whole.is_empty() && whole.len() <= longest && whole.chars().all(fits) {
        return Cow::Borrowed(whole);
    }
    let mut kept: String = whole.chars().filter(|character| fits(*character)).collect();
    kept.truncate(longest.saturating_sub(MARK));
    Cow::Owned(mark(&kept, whole))
}
