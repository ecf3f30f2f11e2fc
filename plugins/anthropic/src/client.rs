//! The provider: Anthropic's address, and what is asked of it.

use mortise_sdk::chat::{Field, Request};
use mortise_sdk::http::{self, Framing};
use mortise_sdk::names::Names;
use mortise_sdk::provider::{Credential, Error, Exchange, Info, Output, Provider, once};
use serde::Deserialize;

use crate::config::{BETA, Settings};
use crate::exchange::Chat;
use crate::models::{self, List};
use crate::names::name;
use crate::reader::Reader;
use crate::request::{self, DIALECT, Purpose};

/// What the vendor wants to be asked for where it is to look into files that it holds.
const FILES: &str = "\"files-api-2025-04-14\"";

pub(crate) struct Anthropic;

#[derive(Deserialize)]
struct Counted {
    input_tokens: u64,
}

impl Provider for Anthropic {
    type Settings = Settings;

    fn describe(settings: Settings) -> Result<Info, Error> {
        Ok(Info {
            base_url: Some("https://api.anthropic.com/v1".into()),
            credential: Credential::Header("x-api-key".into()),
            key_variable: Some("ANTHROPIC_API_KEY".into()),
            dialects: vec![DIALECT.into()],
            vision: true,
            models: models::known(&settings),
            ..Info::new("Anthropic")
        })
    }

    fn chat(request: Request, settings: Settings) -> Result<Box<dyn Exchange>, Error> {
        let framing = if request.streaming { Framing::Sse } else { Framing::Whole };
        let body = request::body(&request, &settings, Purpose::Answer)?;
        let post = post("/messages", body, &request, &settings)?.framed(framing);
        let reader = Reader::new(Names::of(&request.tools, name), request.speaks(DIALECT));
        Ok(Box::new(Chat::new(post, request.streaming, reader)))
    }

    fn count_tokens(request: Request, settings: Settings) -> Result<Box<dyn Exchange>, Error> {
        let body = request::body(&request, &settings, Purpose::Count)?;
        Ok(once(post("/messages/count_tokens", body, &request, &settings)?, |frame, out| {
            out.emit(Output::Tokens(frame.json::<Counted>()?.input_tokens));
            Ok(())
        }))
    }

    fn list_models(settings: Settings) -> Result<Box<dyn Exchange>, Error> {
        Ok(Box::new(List::new(settings)))
    }
}

fn post(path: &str, body: Vec<u8>, request: &Request, settings: &Settings) -> Result<http::Request, Error> {
    let post = http::Request::post(path, body);
    if request.extra.iter().all(|field| field.name != BETA) && request::names_files(request) {
        return settings.headers(post, &[Field::new(BETA, FILES)]);
    }
    settings.headers(post, &request.extra)
}
