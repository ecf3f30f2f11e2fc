//! Names of tools that a vendor can't take: made to fit on the way out, whole again on the way back.
//!
//! What fits is the vendor's to say; a name that doesn't becomes a beginning that does and a hash of the whole, so that the same
//! name always becomes the same and two never become one.

use std::borrow::Cow;

use crate::chat::Tool;

/// The characters that [`mark`] adds.
pub const MARK: usize = 17;

/// The tools of one request whose names had to change, under their new names. Nearly always empty.
#[derive(Debug, Default)]
pub struct Names(Vec<(String, String)>);

// === impl Names ===

impl Names {
    /// The names of `tools` that `fit` changes.
    pub fn of(tools: &[Tool], fit: impl Fn(&str) -> Cow<'_, str>) -> Self {
        let changed = tools.iter().filter_map(|tool| match fit(&tool.name) {
            Cow::Owned(name) => Some((name, tool.name.clone())),
            Cow::Borrowed(_) => None,
        });
        Self(changed.collect())
    }

    /// The name that the caller knows.
    pub fn whole<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.iter().find(|(changed, _)| changed == name).map_or(name, |(_, whole)| whole.as_str())
    }
}

/// `whole` if it is of letters, digits, `_` and `-` only, and of no more than `longest`; otherwise one that is.
pub fn plain(whole: &str, longest: usize) -> Cow<'_, str> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if !whole.is_empty() && whole.len() <= longest && whole.chars().all(fits) {
        return Cow::Borrowed(whole);
    }
    let kept = whole.chars().take(longest.saturating_sub(MARK));
    Cow::Owned(mark(&kept.map(|letter| if fits(letter) { letter } else { '_' }).collect::<String>(), whole))
}

/// `kept`, which is what fits of `whole`, marked as its.
pub fn mark(kept: &str, whole: &str) -> String {
    format!("{kept}_{:016x}", hash(whole))
}

/// FNV-1a
pub fn hash(whole: &str) -> u64 {
    whole.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_and_the_rest_is_told_apart() {
        assert!(matches!(plain("get_weather-2", 64), Cow::Borrowed("get_weather-2")));
        let long = "x".repeat(65);
        for odd in ["", "a.b", "naïve", long.as_str()] {
            let fitting = plain(odd, 64);
            assert!(
                fitting.len() <= 64
                    && fitting.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
            );
            let tools = [Tool::new(odd, "{}"), Tool::new("f", "{}")];
            let names = Names::of(&tools, |name| plain(name, 64));
            assert_eq!((names.whole(&fitting), names.whole("f"), names.whole("g")), (odd, "f", "g"));
        }
        assert_ne!(plain("a.b", 64), plain("a:b", 64));
    }
}
