//! A chat under way.

use super::names::name;
use super::reader::Reader;
use super::{DIALECT, Options, raw, request, with_headers};
use crate::chat::Request;
use crate::http::{self, Frame, Framing};
use crate::names::Names;
use crate::provider::{Error, Exchange, Out};

struct Chat {
    /// Until it is sent.
    request: Option<http::Request>,
    streaming: bool,
    reader: Reader,
}

pub(super) fn chat(request: &Request, options: &Options) -> Result<Box<dyn Exchange>, Error> {
    let framing = if request.streaming { Framing::Sse } else { Framing::Whole };
    let body = match &request.raw {
        Some(text) if request.speaks(DIALECT) => raw::body(request, text, options)?,
        _ => request::body(request, options)?,
    };
    let post = http::Request::post(options.paths.of_model("/chat/completions", &request.model), body).framed(framing);
    Ok(Box::new(Chat {
        request: Some(with_headers(post, options)),
        streaming: request.streaming,
        reader: Reader::new(Names::of(&request.tools, name)),
    }))
}

impl Exchange for Chat {
    fn begin(&mut self, out: &mut Out) -> Result<(), Error> {
        if let Some(request) = self.request.take() {
            out.send(request);
        }
        Ok(())
    }

    fn frame(&mut self, frame: Frame, out: &mut Out) -> Result<(), Error> {
        let data = frame.data.trim_ascii();
        if !self.streaming {
            self.reader.chunk(&frame, out)?;
            if !self.reader.has_begun() {
                return Err(Error::upstream("the vendor's answer holds nothing"));
            }
            // A whole answer can't have been cut.
            self.reader.assume_complete();
            return self.reader.finish(out);
        }
        match data {
            b"" => Ok(()),
            // The vendor may leave the connection open: whoever waits for its end waits for nothing.
            b"[DONE]" if self.reader.is_complete() => self.reader.finish(out),
            b"[DONE]" => Err(Error::upstream("the vendor ended its stream without saying why the answer ended")),
            _ if frame.event.as_deref() == Some("error") => Err(Error::from_vendor(frame.text()?)),
            _ => {
                self.reader.chunk(&frame, out)?;
                // Some vendors leave out the farewell, and the connection open.
                if self.reader.is_over() { self.reader.finish(out) } else { Ok(()) }
            }
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
