//! Cutting a body into frames, as the host does, but for AWS's event stream: its messages are handed in whole, as bytes.

use crate::http::{Frame, Framing};

/// Takes bytes however they come, gives frames.
#[derive(Debug)]
pub struct Cutter {
    framing: Framing,
    /// The line that is being read; with [`Framing::Whole`] all of the body.
    line: Vec<u8>,
    /// The last byte was a carriage return, which ends a line also without the line feed.
    after_return: bool,
    event: Option<String>,
    data: Option<Vec<u8>>,
}

impl Cutter {
    /// A new body.
    pub fn new(framing: Framing) -> Self {
        Self { framing, line: Vec::new(), after_return: false, event: None, data: None }
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        match self.framing {
            Framing::Whole => self.line.extend_from_slice(bytes),
            Framing::Bytes | Framing::EventStream if bytes.is_empty() => {}
            Framing::Bytes | Framing::EventStream => frames.push(frame(bytes.to_vec())),
            Framing::Sse | Framing::Ndjson => {
                for &byte in bytes {
                    let ended_before = std::mem::replace(&mut self.after_return, byte == b'\r');
                    match byte {
                        b'\n' if ended_before => {}
                        b'\n' | b'\r' => frames.extend(self.end_line()),
                        other => self.line.push(other),
                    }
                }
            }
        }
        frames
    }

    /// The body is over. What server-sent events leave without an empty line behind them is no event.
    pub fn end(&mut self) -> Vec<Frame> {
        let rest = std::mem::take(&mut self.line);
        match self.framing {
            Framing::Whole | Framing::Ndjson if !rest.is_empty() => vec![frame(rest)],
            _ => Vec::new(),
        }
    }

    fn end_line(&mut self) -> Option<Frame> {
        let line = std::mem::take(&mut self.line);
        if self.framing == Framing::Ndjson {
            return (!line.trim_ascii().is_empty()).then(|| frame(line));
        }
        if line.is_empty() {
            let event = self.event.take();
            return self.data.take().map(|data| Frame { event, data });
        }
        let (name, value) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => (line.get(..colon)?, line.get(colon + 1..)?),
            None => (line.as_slice(), &[] as &[u8]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"event" => self.event = Some(String::from_utf8_lossy(value).into_owned()),
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                none => *none = Some(value.to_vec()),
            },
            _ => {}
        }
        None
    }
}

fn frame(data: Vec<u8>) -> Frame {
    Frame { event: None, data }
}
