//! The provider: where Ollama usually is, around the exchanges.

use mortise_sdk::chat::Request;
use mortise_sdk::provider::{Credential, EmbedRequest, Error, Exchange, Info, Provider};

use crate::config::Settings;
use crate::{embeddings, exchange, models};

pub(crate) struct Ollama;

impl Provider for Ollama {
    type Settings = Settings;

    fn describe(settings: Settings) -> Result<Info, Error> {
        Ok(Info {
            base_url: Some("http://localhost:11434".into()),
            credential: if settings.api_key { Credential::Bearer } else { Credential::None },
            vision: true,
            ..Info::new("Ollama")
        })
    }

    fn chat(request: Request, settings: Settings) -> Result<Box<dyn Exchange>, Error> {
        exchange::chat(&request, &settings)
    }

    fn embed(request: EmbedRequest, settings: Settings) -> Result<Box<dyn Exchange>, Error> {
        embeddings::embed(&request, &settings)
    }

    fn list_models(_: Settings) -> Result<Box<dyn Exchange>, Error> {
        Ok(models::list())
    }
}
