//! Bytes of a file as text, and back, without changing what was not touched.

use mortise_sdk::tool::Error;
use schemars::JsonSchema;
use serde::Serialize;

/// How many bytes are looked at to tell text from other things.
const HEAD: usize = 8192;

/// The text of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// Lines end in line feeds, unless the file mixes both kinds.
    pub(crate) content: String,
    pub(crate) encoding: Encoding,
    pub(crate) newline: Newline,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) enum Encoding {
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "utf-8-bom")]
    Utf8Bom,
    #[serde(rename = "utf-16le")]
    Utf16Le,
    #[serde(rename = "utf-16be")]
    Utf16Be,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Newline {
    #[default]
    Lf,
    Crlf,
    /// Some lines end in one, some in the other; they are left as they are.
    Mixed,
}

impl Text {
    /// A new file.
    pub(crate) fn new(content: String) -> Self {
        Self { content, encoding: Encoding::Utf8, newline: Newline::Lf }
    }

    /// Reads what the file `name` holds.
    pub(crate) fn decode(name: &str, bytes: &[u8]) -> Result<Self, Error> {
        let (encoding, content) = match bytes {
            [0xEF, 0xBB, 0xBF, rest @ ..] => (Encoding::Utf8Bom, utf8(name, rest)?),
            [0xFF, 0xFE, rest @ ..] => (Encoding::Utf16Le, utf16(name, rest, u16::from_le_bytes)?),
            [0xFE, 0xFF, rest @ ..] => (Encoding::Utf16Be, utf16(name, rest, u16::from_be_bytes)?),
            bytes => (Encoding::Utf8, utf8(name, bytes)?),
        };
        let crlf = content.matches("\r\n").count();
        let newline = match crlf {
            0 => Newline::Lf,
            _ if crlf == content.matches('\n').count() && crlf == content.matches('\r').count() => Newline::Crlf,
            _ => Newline::Mixed,
        };
        let content = if newline == Newline::Crlf { content.replace("\r\n", "\n") } else { content };
        Ok(Self { content, encoding, newline })
    }

    /// As it stands in the file.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let content = match self.newline {
            Newline::Crlf => &self.content.replace("\r\n", "\n").replace('\n', "\r\n"),
            Newline::Lf | Newline::Mixed => &self.content,
        };
        match self.encoding {
            Encoding::Utf8 => content.as_bytes().to_vec(),
            Encoding::Utf8Bom => [b"\xEF\xBB\xBF", content.as_bytes()].concat(),
            Encoding::Utf16Le => {
                "\u{feff}".encode_utf16().chain(content.encode_utf16()).flat_map(u16::to_le_bytes).collect()
            }
            Encoding::Utf16Be => {
                "\u{feff}".encode_utf16().chain(content.encode_utf16()).flat_map(u16::to_be_bytes).collect()
            }
        }
    }
}

fn utf8(name: &str, bytes: &[u8]) -> Result<String, Error> {
    if let Some(kind) = binary(bytes) {
        return Err(Error::failed(format!("`{name}` is no text: it is {kind} of {} bytes", bytes.len())));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(Error::failed(format!(
            "`{name}` is neither UTF-8 nor UTF-16 with a byte order mark (byte {} is no UTF-8); convert it first",
            error.valid_up_to()
        ))),
    }
}

fn utf16(name: &str, bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Error> {
    let broken = || Error::failed(format!("`{name}` begins as UTF-16 but is none; convert it to UTF-8 first"));
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(broken());
    }
    char::decode_utf16(units.iter().map(|bytes| unit(*bytes))).collect::<Result<_, _>>().map_err(|_| broken())
}

/// What it is, where it is no text.
fn binary(bytes: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 12] = [
        (b"\x89PNG", "a PNG image"),
        (b"\xFF\xD8\xFF", "a JPEG image"),
        (b"GIF8", "a GIF image"),
        (b"%PDF", "a PDF document"),
        (b"PK\x03\x04", "a zip archive (or a document or package made of one)"),
        (b"\x1F\x8B", "gzip data"),
        (b"BZh", "bzip2 data"),
        (b"\xFD7zXZ", "xz data"),
        (b"\x28\xB5\x2F\xFD", "zstd data"),
        (b"\x7FELF", "a program (ELF)"),
        (b"\0asm", "WebAssembly"),
        (b"SQLite format 3", "an SQLite database"),
    ];
    let head = bytes.get(..HEAD).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).is_ok() && !head.contains(&0);
    if text {
        return None;
    }
    let known = KINDS.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, kind)| *kind);
    known.or_else(|| head.contains(&0).then_some("binary data"))
}
