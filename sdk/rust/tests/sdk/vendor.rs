//! A vendor of the dialect, as a plugin's author would write it, and the requests to ask it.

use mortise_sdk::chat::{Message, Request};
use mortise_sdk::openai::{self, Options};
use mortise_sdk::provider::{EmbedRequest, Error, Exchange, Info, Operation, Provider};
use mortise_sdk::testing::Run;
use serde_json::Value;

pub(crate) struct Vendor;

impl Provider for Vendor {
    type Settings = Options;

    fn describe(settings: Options) -> Result<Info, Error> {
        Ok(Info { models: settings.known_models(), dialects: settings.dialects(), ..Info::new("Vendor") })
    }

    fn chat(request: Request, settings: Options) -> Result<Box<dyn Exchange>, Error> {
        openai::chat(&request, &settings)
    }

    fn embed(request: EmbedRequest, settings: Options) -> Result<Box<dyn Exchange>, Error> {
        openai::embed(&request, &settings)
    }

    fn list_models(settings: Options) -> Result<Box<dyn Exchange>, Error> {
        openai::list_models(&settings)
    }
}

mortise_sdk::provider!(Vendor);

pub(crate) fn request(messages: Vec<Message>) -> Request {
    Request::new("m", messages)
}

pub(crate) fn begin(request: Request) -> Run {
    Run::new::<Vendor>(Operation::Chat(request), "{}")
}

/// The body that a request becomes, under these settings.
pub(crate) fn body_with(request: Request, settings: &str) -> Value {
    Run::new::<Vendor>(Operation::Chat(request), settings).sent_json()
}

pub(crate) fn body(request: Request) -> Value {
    body_with(request, "{}")
}

/// The error that a request becomes.
pub(crate) fn error(request: Request) -> Error {
    begin(request).error().expect("an error").clone()
}

/// A streamed exchange whose response has begun.
pub(crate) fn stream() -> Run {
    let mut run = begin(Request { streaming: true, ..request(vec![Message::user("hi")]) });
    run.head(200, &[("content-type", "text/event-stream")]);
    run
}

/// Chunks as server-sent events.
pub(crate) fn events(chunks: &[&str]) -> Vec<u8> {
    chunks.iter().flat_map(|chunk| format!("data: {chunk}\n\n").into_bytes()).collect()
}
