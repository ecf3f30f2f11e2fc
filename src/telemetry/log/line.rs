//! One event, one line: whoever gets words into the log can't make them look like a line of the server's.

use std::borrow::Cow;
use std::io::{Result, Write};

use tracing_subscriber::fmt::MakeWriter;

/// Writes events; each comes in one piece, with a line feed at its end.
pub(super) struct OneLine<W> {
    pub(super) writer: W,
    /// Whether escape characters are the formatter's own; those in what is logged it escapes itself.
    pub(super) colours: bool,
}

// === impl OneLine ===

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for OneLine<W> {
    type Writer = OneLine<W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        OneLine { writer: self.writer.make_writer(), colours: self.colours }
    }
}

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> Result<usize> {
        self.writer.write_all(&escaped(event, self.colours))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> Result<()> {
        self.writer.flush()
    }
}

fn escaped(event: &[u8], colours: bool) -> Cow<'_, [u8]> {
    let body = event.strip_suffix(b"\n").unwrap_or(event);
    let plain = |byte: &u8| matches!(byte, b' '..=b'~') || (colours && *byte == 0x1b);
    if body.iter().all(plain) {
        return Cow::Borrowed(event);
    }
    let mut out = String::with_capacity(event.len() + 16);
    for letter in String::from_utf8_lossy(body).chars() {
        let breaks = letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}');
        if breaks && !(colours && letter == '\u{1b}') {
            out.extend(letter.escape_default());
        } else {
            out.push(letter);
        }
    }
    out.push('\n');
    Cow::Owned(out.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(event: &str) -> String {
        String::from_utf8(escaped(event.as_bytes(), false).into_owned()).unwrap()
    }

    #[test]
    fn an_event_is_one_line() {
        assert_eq!(line("plain words\n"), "plain words\n");
        assert_eq!(line("naïve 日本\n"), "naïve 日本\n");
        assert_eq!(line("a\r\nINFO forged\tx\u{0}\u{7f}\n"), "a\\r\\nINFO forged\\tx\\u{0}\\u{7f}\n");
        assert_eq!(line("a\u{85}b\u{2028}c\u{1b}[2J\n"), "a\\u{85}b\\u{2028}c\\u{1b}[2J\n");
        assert_eq!(escaped(b"\x1b[32mINFO\x1b[0m a\nb\n", true).as_ref(), b"\x1b[32mINFO\x1b[0m a\\nb\n");
    }
}
