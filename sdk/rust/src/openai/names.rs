//! Names and ids that are too long for the dialect.

use std::borrow::Cow;

use super::CallIds;
use crate::names::{MARK, hash, mark};

/// The most characters that a tool's name may have.
const NAME: usize = 64;
/// The most characters that a call's id may have.
const ID: usize = 40;
/// The characters that a call's id must have for one vendor.
const NINE: usize = 9;

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

/// The beginning, and a hash of the whole.
fn shorten(whole: &str, limit: usize) -> Cow<'_, str> {
    if whole.len() <= limit || whole.chars().count() <= limit {
        return Cow::Borrowed(whole);
    }
    Cow::Owned(mark(&whole.chars().take(limit - MARK).collect::<String>(), whole))
}
