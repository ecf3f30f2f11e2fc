//! Cuts a response body into frames, however its bytes arrive.

use super::event_stream;
use crate::model::provider::{Frame, Framing};

/// Why bytes give no frames.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A frame is longer than it may be.
    TooLong,
    /// It isn't what its framing promises.
    Unreadable,
}

/// Holds what hasn't become a frame yet.
pub(super) struct Cutter {
    framing: Framing,
    longest: usize,
    /// Bytes of an unfinished line, or of the whole body.
    rest: Vec<u8>,
    /// The event in the making.
    event: Option<String>,
    data: Option<Vec<u8>>,
    /// The last byte was a carriage return: a line feed after it belongs to it.
    after_return: bool,
    at_start: bool,
}

// === impl Cutter ===

impl Cutter {
    pub(super) fn new(framing: Framing, longest: usize) -> Self {
        Self { framing, longest, rest: Vec::new(), event: None, data: None, after_return: false, at_start: true }
    }

    /// The frames that `bytes` complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Frame>, Fault> {
        let mut frames = Vec::new();
        match self.framing {
            Framing::Whole => {
                self.rest.extend_from_slice(bytes);
                self.check(self.rest.len())?;
            }
            Framing::Bytes => frames.push(Frame { event: None, data: bytes.to_vec() }),
            Framing::EventStream => {
                self.rest.extend_from_slice(bytes);
                event_stream::take(&mut self.rest, self.longest, &mut frames)?;
            }
            Framing::Ndjson | Framing::Sse => self.lines(bytes, &mut frames)?,
        }
        Ok(frames)
    }

    /// The frame that the end of the body completes. An event without the blank line after it counts: some vendors leave
    /// that out, and one that was cut is no valid JSON.
    pub(super) fn finish(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        match self.framing {
            Framing::Whole => frames.push(Frame { event: None, data: std::mem::take(&mut self.rest) }),
            // What is left of an event stream is no message: whoever reads it misses its end.
            Framing::Bytes | Framing::EventStream => {}
            Framing::Ndjson | Framing::Sse => {
                let line = std::mem::take(&mut self.rest);
                if !line.is_empty() {
                    self.line(&line, &mut frames);
                }
                if self.framing == Framing::Sse {
                    self.line(b"", &mut frames);
                }
            }
        }
        frames
    }

    fn lines(&mut self, mut bytes: &[u8], frames: &mut Vec<Frame>) -> Result<(), Fault> {
        if std::mem::take(&mut self.after_return) && bytes.first() == Some(&b'\n') {
            bytes = bytes.get(1..).unwrap_or_default();
        }
        // Most chunks hold whole lines: those are never copied.
        while let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) {
            let (line, tail) = bytes.split_at(end);
            let returned = tail.first() == Some(&b'\r');
            bytes = match tail {
                [b'\r', b'\n', after @ ..] | [_, after @ ..] => after,
                [] => &[],
            };
            self.after_return = returned && bytes.is_empty() && tail.len() == 1;
            if self.rest.is_empty() {
                self.check(line.len())?;
                self.line(line, frames);
            } else {
                let mut whole = std::mem::take(&mut self.rest);
                whole.extend_from_slice(line);
                self.check(whole.len())?;
                self.line(&whole, frames);
            }
        }
        self.rest.extend_from_slice(bytes);
        self.check(self.rest.len())
    }

    fn line(&mut self, mut line: &[u8], frames: &mut Vec<Frame>) {
        if std::mem::take(&mut self.at_start) {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        if self.framing == Framing::Ndjson {
            if !line.trim_ascii().is_empty() {
                frames.push(Frame { event: None, data: line.to_vec() });
            }
            return;
        }
        if line.is_empty() {
            let event = self.event.take();
            if let Some(data) = self.data.take() {
                frames.push(Frame { event, data });
            }
            return;
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(at) => {
                let (field, value) = line.split_at(at);
                let value = value.get(1..).unwrap_or_default();
                (field, value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, [].as_slice()),
        };
        match field {
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.to_vec()),
            },
            b"event" => self.event = Some(String::from_utf8_lossy(value).into_owned()),
            // Comments, ids, retry hints and whatever else.
            _ => {}
        }
    }

    fn check(&self, length: usize) -> Result<(), Fault> {
        let whole = length.saturating_add(self.data.as_ref().map_or(0, Vec::len));
        if whole > self.longest { Err(Fault::TooLong) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(framing: Framing, pieces: &[&[u8]]) -> Vec<(Option<String>, String)> {
        let mut cutter = Cutter::new(framing, 1 << 20);
        let mut frames: Vec<Frame> = pieces.iter().flat_map(|piece| cutter.push(piece).unwrap()).collect();
        frames.extend(cutter.finish());
        frames.into_iter().map(|frame| (frame.event, String::from_utf8(frame.data).unwrap())).collect()
    }

    const STREAM: &str = "\u{feff}: hello\r\nevent: ping\r\ndata: {\"a\":\r\ndata:\"é✓\"}\r\n\r\n:c\n\nid: 7\ndata: one\n\ndata\ndata\n\nevent: x\n\nretry: 5\rdata: two\r\rdata: [DONE]";

    fn expected() -> Vec<(Option<String>, String)> {
        vec![
            (Some("ping".into()), "{\"a\":\n\"é✓\"}".into()),
            (None, "one".into()),
            (None, "\n".into()),
            (None, "two".into()),
            (None, "[DONE]".into()),
        ]
    }

    #[test]
    fn events_are_cut_as_the_standard_says() {
        assert_eq!(cut(Framing::Sse, &[STREAM.as_bytes()]), expected());
    }

    #[test]
    fn every_split_gives_the_same_events() {
        let bytes = STREAM.as_bytes();
        for at in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(at);
            assert_eq!(cut(Framing::Sse, &[head, tail]), expected(), "split at {at}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(cut(Framing::Sse, &single), expected());
    }

    #[test]
    fn lines_and_wholes() {
        let lines = cut(Framing::Ndjson, &[b"{\"a\":1}\n\n {\"b\"", b":2}\r\n{\"c\":3}"]);
        assert_eq!(
            lines.iter().map(|frame| frame.1.as_str()).collect::<Vec<_>>(),
            ["{\"a\":1}", " {\"b\":2}", "{\"c\":3}"]
        );
        assert_eq!(cut(Framing::Whole, &[b"ab", b"c"]), [(None, "abc".to_owned())]);
    }

    #[test]
    fn a_frame_that_never_ends_is_stopped() {
        let mut cutter = Cutter::new(Framing::Sse, 64);
        assert_eq!((0..100).find_map(|_| cutter.push(b"data: xxxxxxxxxxxxxxxx\n").err()), Some(Fault::TooLong));
        let mut cutter = Cutter::new(Framing::Ndjson, 64);
        assert_eq!((0..100).find_map(|_| cutter.push(b"xxxxxxxxxxxxxxxx").err()), Some(Fault::TooLong));
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_give_the_same_frames(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b':'), Just(b' '), b'a'..b'f'], 0..200),
            size in 1usize..20,
            prefix in prop_oneof![Just(""), Just("data: "), Just("event:x\ndata:")],
        ) {
            let bytes = [prefix.as_bytes(), &bytes].concat();
            for framing in [Framing::Sse, Framing::Ndjson, Framing::Whole] {
                let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
                prop_assert_eq!(cut(framing, &pieces), cut(framing, &[&bytes]));
            }
        }
    }
}
