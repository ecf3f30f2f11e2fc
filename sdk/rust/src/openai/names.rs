//! Names that are too long for the dialect: shortened on the way out, whole again on the way back.

use std::borrow::Cow;

use super::CallIds;
use crate::chat::Tool;

/// The most characters that a tool's name may have.
const NAME: usize = 64;
/// The most characters that a call's id may have.
const ID: usize = 40;
/// The characters that a call's id must have for one vendor.
const NINE: usize = 9;

/// The tools of one request whose names are too long, under their short names. Nearly always empty.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<(String, String)>);

impl Names {
    pub(super) fn of(tools: &[Tool]) -> Self {
        let long = tools.iter().filter(|tool| tool.name.chars().count() > NAME);
        Self(long.map(|tool| (name(&tool.name).into_owned(), tool.name.clone())).collect())
    }

    /// The name that the caller knows.
    pub(super) fn whole<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.iter().find(|(short, _)| short == name).map_or(name, |(_, whole)| whole.as_str())
    }
}

/// A tool's name, as the vendor may see it.
pub(super) fn name(whole: &str) -> Cow<'_, str> {
    shorten(whole, NAME)
}

/// A call's id, as the vendor may see it. It only has to be the same in the call and in its result.
pub(super) fn id(whole: &str, ids: CallIds) -> Cow<'_, str> {
    match ids {
        CallIds::Any => shorten(whole, ID),
        CallIds::NineAlphanumerics if whole.len() == NINE && whole.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            Cow::Borrowed(whole)
        }
        CallIds::NineAlphanumerics => Cow::Owned(nine(whole)),
    }
}

fn nine(whole: &str) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = hash(whole);
    let mut digit = || {
        let place = usize::try_from(rest % 62).unwrap_or_default();
        rest /= 62;
        char::from(DIGITS.get(place).copied().unwrap_or(b'0'))
    };
    (0..NINE).map(|_| digit()).collect()
}

/// The beginning, and a hash of the whole: the same name is always shortened to the same.
fn shorten(whole: &str, limit: usize) -> Cow<'_, str> {
    if whole.len() <= limit || whole.chars().count() <= limit {
        return Cow::Borrowed(whole);
    }
    let hash = hash(whole);
    let kept: String = whole.chars().take(limit - 17).collect();
    Cow::Owned(format!("{kept}_{hash:016x}"))
}

/// FNV-1a
fn hash(whole: &str) -> u64 {
    whole.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
