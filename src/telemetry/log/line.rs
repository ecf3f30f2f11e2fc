//! One event, one line: whoever gets words into the log can't make them look like a line of the server's.

use std::borrow::Cow;
use std::io::{Result, Write};

use tracing_subscriber::fmt::MakeWriter;

/// Writes events; each comes in one piece, with a line feed at its end.
pub(super) struct OneLine<W> {
    pub(super) writer: W,
    /// Whether there are colours of the formatter's own. No other escape sequence reaches a terminal, which would obey it.
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
    if body.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(event);
    }
    let mut out = String::with_capacity(event.len() + 16);
    let text = String::from_utf8_lossy(body);
    let mut rest = text.as_ref();
    while let Some(letter) = rest.chars().next() {
        let after = &rest.get(letter.len_utf8()..).unwrap_or_default();
        let breaks = letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}');
        let colour = if colours && letter == ESCAPE { colour(after) } else { None };
        match colour {
            Some(length) => {
                let (sequence, after) = rest.split_at(letter.len_utf8() + length);
                out.push_str(sequence);
                rest = after;
                continue;
            }
            None if breaks => out.extend(letter.escape_default()),
            None => out.push(letter),
        }
        rest = after;
    }
    out.push('\n');
    Cow::Owned(out.into_bytes())
}

const ESCAPE: char = '\u{1b}';

/// How long the rest of a sequence is that sets a colour or a weight and can do nothing else; `None` of any other.
fn colour(after: &str) -> Option<usize> {
    let inside = after.strip_prefix('[')?;
    let end = inside.find(|letter: char| !letter.is_ascii_digit() && letter != ';')?;
    inside.get(end..)?.starts_with('m').then_some(1 + end + 1)
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

    #[test]
    fn a_terminal_is_given_colours_and_no_orders() {
        let shown = |event: &str| String::from_utf8(escaped(event.as_bytes(), true).into_owned()).unwrap();
        assert_eq!(shown("\u{1b}[1;31mé\u{1b}[0m\n"), "\u{1b}[1;31mé\u{1b}[0m\n");
        for order in ["[2J", "]0;title\u{7}", "c", "[31", "[?25l", "[6n", "", "[31é", "\u{1b}[5n", "Pq"] {
            let line = shown(&format!("a\u{1b}{order}"));
            assert!(line.starts_with("a\\u{1b}") && !line.contains('\u{1b}'), "{line:?}");
        }
    }
}
