//! Keys: a space's number, then parts whose order is the order of their bytes.

use std::ops::Range;

/// A key, or the beginning of one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(Vec<u8>);

/// A part of the store with keys of one make. Their numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space(pub u8);

/// What a text's zero byte is written as, and what ends a text: no text is another's beginning.
const ZERO: [u8; 2] = [0, 0xff];
const END: [u8; 2] = [0, 1];

// === impl Space ===

impl Space {
    /// The beginning of every key in it.
    pub fn key(self) -> Key {
        Key(vec![self.0])
    }
}

// === impl Key ===

impl Key {
    /// With a further part: a text.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        for byte in text.bytes() {
            if byte == 0 { self.0.extend(ZERO) } else { self.0.push(byte) }
        }
        self.0.extend(END);
        self
    }

    /// With a further part: a number.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    /// All keys that begin like this one.
    pub fn within(&self) -> Range<Vec<u8>> {
        self.0.clone()..self.end()
    }

    /// Those of [`Key::within`] that stand behind `other`.
    pub fn within_after(&self, other: &Key) -> Range<Vec<u8>> {
        let mut start = other.0.clone();
        start.push(0);
        start..self.end()
    }

    /// Those behind `one` and before `other`.
    pub fn between(one: &Key, other: &Key) -> Range<Vec<u8>> {
        let mut start = one.0.clone();
        start.push(0);
        start..other.0.clone()
    }

    /// Those of [`Key::within`] that stand before `other`.
    pub fn within_before(&self, other: &Key) -> Range<Vec<u8>> {
        self.0.clone()..other.0.clone()
    }

    /// All keys whose next part is a text that begins with `text`.
    pub fn within_text(&self, text: &str) -> Range<Vec<u8>> {
        let mut key = self.clone().text(text);
        key.0.truncate(key.0.len() - END.len());
        key.within()
    }

    fn end(&self) -> Vec<u8> {
        let mut end = self.0.clone();
        while let Some(last) = end.pop() {
            if let Some(more) = last.checked_add(1) {
                end.push(more);
                break;
            }
        }
        end
    }

    /// As the engine knows it.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text that a key of `bytes` ends in, behind nothing but texts.
    pub fn last_text(bytes: &[u8]) -> Option<String> {
        let texts = bytes.get(1..)?.strip_suffix(&END)?;
        let begin = texts.windows(END.len()).rposition(|pair| pair == END).map_or(0, |end| end + END.len());
        let mut text = Vec::new();
        let mut rest = texts.get(begin..)?.iter();
        while let Some(&byte) = rest.next() {
            text.push(byte);
            if byte == 0 {
                // It is written as two.
                rest.next();
            }
        }
        String::from_utf8(text).ok()
    }

    /// The number that a key of `bytes` ends in.
    pub fn last_number(bytes: &[u8]) -> Option<u64> {
        bytes.last_chunk().map(|chunk| u64::from_be_bytes(*chunk))
    }
}

impl From<Key> for Vec<u8> {
    fn from(key: Key) -> Self {
        key.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SPACE: Space = Space(7);

    proptest! {
        #[test]
        fn keys_are_ordered_as_their_parts(a: (String, u64, String), b: (String, u64, String)) {
            let key = |parts: &(String, u64, String)| SPACE.key().text(&parts.0).number(parts.1).text(&parts.2);
            prop_assert_eq!(key(&a).cmp(&key(&b)), a.cmp(&b));
        }

        #[test]
        fn a_range_holds_what_begins_alike(a: String, b: String, number: u64) {
            let range = SPACE.key().text(&a).within();
            prop_assert!(range.contains(&Vec::from(SPACE.key().text(&a).number(number))));
            prop_assert_eq!(range.contains(&Vec::from(SPACE.key().text(&b).number(number))), a == b);
        }

        #[test]
        fn the_last_text_is_read_again(a in "[\0\u{1}a-c]*", b in "[\0\u{1}\u{ff}a-c]*") {
            let key = SPACE.key().text(&a).text(&b);
            prop_assert_eq!(Key::last_text(key.bytes()), Some(b.clone()));
            prop_assert_eq!(Key::last_text(SPACE.key().text(&b).bytes()), Some(b));
        }

        #[test]
        fn texts_are_found_by_their_beginning(a: String, b: String, number: u64) {
            let range = SPACE.key().within_text(&a);
            let longer = format!("{a}{b}");
            prop_assert!(range.contains(&Vec::from(SPACE.key().text(&longer).number(number))));
            prop_assert_eq!(range.contains(&Vec::from(SPACE.key().text(&b))), b.starts_with(&a));
        }
    }

    #[test]
    fn pages_go_on_behind_the_last_key() {
        let list = SPACE.key().text("list");
        let third = list.clone().number(3);
        assert!(!list.within_after(&third).contains(&third.bytes().to_vec()));
        assert!(list.within_after(&third).contains(&Vec::from(list.clone().number(4))));
        assert!(list.within_before(&third).contains(&Vec::from(list.clone().number(2))));
        assert_eq!(Key::last_number(third.bytes()), Some(3));
    }
}
