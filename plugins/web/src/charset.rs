//! Bytes of an answer as text.

use mortise_sdk::tool::fetch::Response;

/// The part of windows-1252 that is not as in Unicode, from 0x80 on.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// How far into a page its own word on its encoding may stand, in bytes.
const SNIFFED: usize = 1024;

/// The text, and the name of an encoding that can't be read here.
pub(crate) fn decode(response: &Response) -> (String, Option<String>) {
    let bytes = response.body.as_slice();
    let pairs = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair)).collect();
        (String::from_utf16_lossy(&units), None)
    };
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => return (String::from_utf8_lossy(rest).into_owned(), None),
        [0xFF, 0xFE, rest @ ..] => return pairs(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => return pairs(rest, u16::from_be_bytes),
        _ => {}
    }
    let named = label(response.header("content-type").unwrap_or_default())
        .or_else(|| label(&String::from_utf8_lossy(bytes.get(..SNIFFED).unwrap_or(bytes))));
    match named.as_deref() {
        None | Some("utf-8" | "utf8" | "us-ascii" | "ascii" | "unicode-1-1-utf-8") => (utf8(response), None),
        Some("iso-8859-1" | "latin1" | "iso8859-1" | "windows-1252" | "cp1252" | "x-cp1252") => {
            (bytes.iter().map(|byte| windows_1252(*byte)).collect(), None)
        }
        Some("utf-16" | "utf-16le") => pairs(bytes, u16::from_le_bytes),
        Some("utf-16be") => pairs(bytes, u16::from_be_bytes),
        Some(other) => (utf8(response), std::str::from_utf8(bytes).is_err().then(|| other.to_owned())),
    }
}

/// Whole characters: where the body was cut, one may have been cut too.
fn utf8(response: &Response) -> String {
    let mut bytes = response.body.as_slice();
    if response.truncated
        && let Err(error) = std::str::from_utf8(bytes)
        && error.error_len().is_none()
    {
        bytes = bytes.get(..error.valid_up_to()).unwrap_or(bytes);
    }
    String::from_utf8_lossy(bytes).into_owned()
}

fn windows_1252(byte: u8) -> char {
    let special = byte.checked_sub(0x80).and_then(|index| WINDOWS_1252.get(usize::from(index)));
    special.copied().unwrap_or(char::from(byte))
}

/// What stands behind `charset=`.
fn label(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let (_, rest) = text.split_once("charset")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    let end =
        rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.' | ':')).unwrap_or(rest.len());
    rest.get(..end).filter(|name| !name.is_empty()).map(str::to_owned)
}
