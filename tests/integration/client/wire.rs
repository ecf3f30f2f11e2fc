//! HTTP/1.1 responses read from a socket: status line, headers, and a body that ends as its framing promised.

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::Head;

enum Framing {
    /// That many bytes are still to come.
    Length(usize),
    Chunked,
    Over,
}

pub(super) struct Reader {
    pub(super) stream: TcpStream,
    buffer: Vec<u8>,
    framing: Framing,
}

impl Reader {
    pub(super) fn new(stream: TcpStream) -> Reader {
        Reader { stream, buffer: Vec::new(), framing: Framing::Over }
    }

    /// The head of the next response, or nothing where the connection is over.
    pub(super) async fn head(&mut self, method: &str) -> Option<Head> {
        let head = loop {
            let status = self.text(b"\r\n\r\n").await.ok()?;
            if !status.starts_with("HTTP/1.1 1") {
                break status;
            }
        };
        let mut lines = head.trim_end_matches("\r\n").split("\r\n");
        let first = lines.next().unwrap_or_default();
        let status = first.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status line: {first:?}"));
        let pair = |line: &str| {
            let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no header: {line:?}"));
            (name.to_ascii_lowercase(), value.trim().to_owned())
        };
        let head = Head { status, headers: lines.map(pair).collect() };
        let chunked = head.header("transfer-encoding") == Some("chunked");
        let length = head.header("content-length").map(|length| length.parse().expect("a length"));
        self.framing = match length {
            _ if method == "HEAD" || status == 204 || status == 304 => Framing::Over,
            Some(_) if chunked => panic!("a response with a length and with chunks: {head:?}"),
            Some(length) => Framing::Length(length),
            None if chunked => Framing::Chunked,
            None => panic!("a response that does not say where it ends: {head:?}"),
        };
        Some(head)
    }

    /// The next piece of the body, or nothing when it is over as promised.
    pub(super) async fn piece(&mut self) -> Result<Option<Vec<u8>>, String> {
        let length = match self.framing {
            Framing::Over => return Ok(None),
            Framing::Length(length) => length,
            Framing::Chunked => {
                let size = self.text(b"\r\n").await?;
                let length = usize::from_str_radix(size.trim(), 16).map_err(|_| format!("no chunk size: {size:?}"))?;
                while self.buffer.len() < length + 2 {
                    self.more().await?;
                }
                if length == 0 {
                    self.framing = Framing::Over;
                }
                let piece = self.buffer.drain(..length).collect();
                assert_eq!(self.buffer.drain(..2).collect::<Vec<u8>>(), b"\r\n", "a chunk ends with a line end");
                return Ok(Some(piece).filter(|piece: &Vec<u8>| !piece.is_empty()));
            }
        };
        while self.buffer.len() < length {
            self.more().await?;
        }
        self.framing = Framing::Over;
        Ok(Some(self.buffer.drain(..length).collect()))
    }

    async fn text(&mut self, end: &[u8]) -> Result<String, String> {
        let at = loop {
            match self.buffer.windows(end.len()).position(|window| window == end) {
                Some(at) => break at + end.len(),
                None => self.more().await?,
            }
        };
        let text = self.buffer.drain(..at).collect();
        String::from_utf8(text).map_err(|error| format!("a head that is no text: {error}"))
    }

    async fn more(&mut self) -> Result<(), String> {
        let read = self.stream.read_buf(&mut self.buffer).await;
        match read {
            Ok(0) => Err("the connection ended before the response did".into()),
            Ok(_) => Ok(()),
            Err(error) => Err(format!("the connection broke before the response ended: {error}")),
        }
    }
}
