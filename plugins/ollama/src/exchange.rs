//! A chat under way.

use mortise_sdk::chat::Request;
use mortise_sdk::http::{self, Frame, Framing, Head};
use mortise_sdk::provider::{Error, Exchange, Out};

use crate::config::Settings;
use crate::reader::Reader;
use crate::{failure, request};

struct Chat {
    /// Until it is sent.
    request: Option<http::Request>,
    streaming: bool,
    reader: Reader,
}

pub(crate) fn chat(request: &Request, settings: &Settings) -> Result<Box<dyn Exchange>, Error> {
    let framing = if request.streaming { Framing::Ndjson } else { Framing::Whole };
    let post = http::Request::post("/api/chat", request::body(request, settings)?).framed(framing);
    Ok(Box::new(Chat { request: Some(post), streaming: request.streaming, reader: Reader::new(request) }))
}

impl Exchange for Chat {
    fn begin(&mut self, out: &mut Out) -> Result<(), Error> {
        if let Some(request) = self.request.take() {
            out.send(request);
        }
        Ok(())
    }

    fn refused(&mut self, head: &Head, body: &[u8], _: &mut Out) -> Result<(), Error> {
        Err(failure::from_response(head, body))
    }

    fn frame(&mut self, frame: Frame, out: &mut Out) -> Result<(), Error> {
        self.reader.line(&frame, out)?;
        match self.streaming || out.is_over() {
            true => Ok(()),
            false => Err(Error::upstream("the vendor's answer doesn't say that it is over")),
        }
    }
}
