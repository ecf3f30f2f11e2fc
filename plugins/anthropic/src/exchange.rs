//! A chat under way.

use mortise_sdk::http::{Frame, Request};
use mortise_sdk::provider::{Error, Exchange, Out};

use crate::reader::Reader;

pub(crate) struct Chat {
    /// Until it is sent.
    request: Option<Request>,
    streaming: bool,
    reader: Reader,
}

impl Chat {
    pub(crate) fn new(request: Request, streaming: bool, reader: Reader) -> Self {
        Self { request: Some(request), streaming, reader }
    }
}

impl Exchange for Chat {
    fn begin(&mut self, out: &mut Out) -> Result<(), Error> {
        if let Some(request) = self.request.take() {
            out.send(request);
        }
        Ok(())
    }

    fn frame(&mut self, frame: Frame, out: &mut Out) -> Result<(), Error> {
        match frame.data.trim_ascii() {
            _ if !self.streaming => self.reader.message(&frame, out),
            b"" => Ok(()),
            // Other vendors behind the same API say farewell in this way.
            b"[DONE]" => self.end(out),
            _ => self.reader.event(&frame, out),
        }
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Error> {
        match self.reader.is_complete() {
            true => self.reader.finish(out),
            false => Err(Error::upstream("the vendor's stream ended before the answer was complete")),
        }
    }

    fn broken(&mut self, reason: &str, out: &mut Out) -> Result<(), Error> {
        match self.reader.is_complete() {
            // All but the farewell has come.
            true => self.reader.finish(out),
            false => Err(Error::upstream(format!("the vendor's answer broke off: {reason}"))),
        }
    }
}
