//! A request under way.

use super::super::names::name;
use super::super::{Options, raw, with_headers};
use super::reader::Reader;
use super::request;
use crate::chat::Request;
use crate::http::{self, Frame, Framing};
use crate::names::Names;
use crate::provider::{Error, Exchange, Out};

struct Answering {
    /// Until it is sent.
    request: Option<http::Request>,
    streaming: bool,
    reader: Reader,
}

/// Answers a conversation. `raw` is the body of a caller who speaks this dialect.
pub(in super::super) fn chat(
    request: &Request,
    raw: Option<&str>,
    options: &Options,
) -> Result<Box<dyn Exchange>, Error> {
    let framing = if request.streaming { Framing::Sse } else { Framing::Whole };
    let body = match raw {
        Some(text) => passed_on(request, text)?,
        None => request::body(request, options)?,
    };
    let post = http::Request::post(options.paths.of("/responses"), body).framed(framing);
    Ok(Box::new(Answering {
        request: Some(with_headers(post, options)),
        streaming: request.streaming,
        reader: Reader::new(Names::of(&request.tools, name), raw.is_some()),
    }))
}

fn passed_on(request: &Request, text: &str) -> Result<Vec<u8>, Error> {
    let body = raw::open(request, text)?;
    match body.get("background") {
        Some("true") => Err(Error::unsupported("`background` must be false: an answer is waited for here")),
        _ => Ok(body.into_bytes()),
    }
}

impl Exchange for Answering {
    fn begin(&mut self, out: &mut Out) -> Result<(), Error> {
        if let Some(request) = self.request.take() {
            out.send(request);
        }
        Ok(())
    }

    fn frame(&mut self, frame: Frame, out: &mut Out) -> Result<(), Error> {
        match frame.data.trim_ascii() {
            _ if !self.streaming => self.reader.whole(&frame, out),
            // Some vendors say farewell as elsewhere; the last event was enough.
            b"" | b"[DONE]" => Ok(()),
            _ => self.reader.event(&frame, out),
        }
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Error> {
        let _ = out;
        Err(Error::upstream("the vendor's stream ended before the answer was complete"))
    }
}
