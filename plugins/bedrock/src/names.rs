//! Names of tools and ids of calls, as Converse takes them, and back.

use std::borrow::Cow;

use mortise_sdk::chat::Tool;

/// The most characters that a name or an id may have.
const LIMIT: usize = 64;

/// The tools of one request whose names had to change, under their new names. Nearly always empty.
#[derive(Debug, Default)]
pub(crate) struct Names(Vec<(String, String)>);

impl Names {
    pub(crate) fn of(tools: &[Tool]) -> Self {
        let changed = tools.iter().filter_map(|tool| match fit(&tool.name) {
            Cow::Owned(name) => Some((name, tool.name.clone())),
            Cow::Borrowed(_) => None,
        });
        Self(changed.collect())
    }

    /// The name that the caller knows.
    pub(crate) fn whole<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.iter().find(|(changed, _)| changed == name).map_or(name, |(_, whole)| whole.as_str())
    }
}

/// A name or an id with letters, digits, `_` and `-` only, and not too long. What had to change ends in a hash of the whole:
/// the same always becomes the same, and others don't.
pub(crate) fn fit(whole: &str) -> Cow<'_, str> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !whole.is_empty() && whole.len() <= LIMIT && whole.bytes().all(fits) {
        return Cow::Borrowed(whole);
    }
    // FNV-1a
    let hash = whole
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let kept: String =
        whole.chars().take(LIMIT - 17).map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    Cow::Owned(format!("{kept}_{hash:016x}"))
}
