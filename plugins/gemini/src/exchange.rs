//! A chat under way, and the counting of one.

use mortise_sdk::chat::Request;
use mortise_sdk::fields::Fields;
use mortise_sdk::http::{self, Frame, Framing, Head};
use mortise_sdk::provider::{Error, Exchange, Out, Output};

use crate::config::Settings;
use crate::reader::Reader;
use crate::{failure, model, request};

struct Chat {
    /// Until it is sent.
    request: Option<http::Request>,
    streaming: bool,
    reader: Reader,
}

struct Count {
    request: Option<http::Request>,
}

pub(crate) fn chat(request: &Request, settings: &Settings) -> Result<Box<dyn Exchange>, Error> {
    let body = request::body(request, settings)?;
    let post = match request.streaming {
        true => http::Request::post(model::path(&request.model, "streamGenerateContent?alt=sse"), body),
        false => http::Request::post(model::path(&request.model, "generateContent"), body),
    };
    let framing = if request.streaming { Framing::Sse } else { Framing::Whole };
    let (streaming, reader) = (request.streaming, Reader::new(request));
    Ok(Box::new(Chat { request: Some(post.framed(framing)), streaming, reader }))
}

pub(crate) fn count_tokens(request: &Request, settings: &Settings) -> Result<Box<dyn Exchange>, Error> {
    let body = request::counting(request, settings)?;
    Ok(Box::new(Count { request: Some(http::Request::post(model::path(&request.model, "countTokens"), body)) }))
}

// === impl Chat ===

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
        if self.streaming && frame.data.trim_ascii().is_empty() {
            return Ok(());
        }
        self.reader.chunk(&frame, out)?;
        match (self.streaming, self.reader.is_complete()) {
            // More may come behind a finish reason.
            (true, _) => Ok(()),
            (false, true) => {
                self.reader.finish(out);
                Ok(())
            }
            (false, false) => Err(Error::upstream("the vendor's answer doesn't say why it ended")),
        }
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Error> {
        if self.reader.is_complete() {
            self.reader.finish(out);
            return Ok(());
        }
        Err(Error::upstream("the vendor's stream ended before the answer was complete"))
    }

    fn broken(&mut self, reason: &str, out: &mut Out) -> Result<(), Error> {
        if self.reader.is_complete() {
            self.reader.finish(out);
            return Ok(());
        }
        Err(Error::upstream(format!("the vendor's answer broke off: {reason}")))
    }
}

// === impl Count ===

impl Exchange for Count {
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
        let mut answer: Fields<'_> = frame.json()?;
        // Nothing counted is zero, which the API leaves out.
        out.emit(Output::Tokens(answer.take("totalTokens")?.unwrap_or(0)));
        out.finish();
        Ok(())
    }
}
