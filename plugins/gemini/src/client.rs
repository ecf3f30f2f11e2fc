//! The provider: Google's address and models around the exchanges.

use mortise_sdk::chat::Request;
use mortise_sdk::provider::{Credential, EmbedRequest, Error, Exchange, Info, Model, Provider};

use crate::config::Settings;
use crate::{embeddings, exchange, models};

pub(crate) struct Gemini;

impl Provider for Gemini {
    type Settings = Settings;

    fn describe(_: Settings) -> Result<Info, Error> {
        Ok(Info {
            base_url: Some("https://generativelanguage.googleapis.com/v1beta".into()),
            credential: Credential::Header("x-goog-api-key".into()),
            key_variable: Some("GEMINI_API_KEY".into()),
            vision: true,
            models: known_models(),
            ..Info::new("Gemini")
        })
    }

    fn chat(request: Request, settings: Settings) -> Result<Box<dyn Exchange>, Error> {
        exchange::chat(&request, &settings)
    }

    fn embed(request: EmbedRequest, _: Settings) -> Result<Box<dyn Exchange>, Error> {
        embeddings::embed(&request)
    }

    fn list_models(_: Settings) -> Result<Box<dyn Exchange>, Error> {
        Ok(models::list())
    }

    fn count_tokens(request: Request, settings: Settings) -> Result<Box<dyn Exchange>, Error> {
        exchange::count_tokens(&request, &settings)
    }
}

/// A few that can be named without their provider; `list-models` asks for all of them.
fn known_models() -> Vec<Model> {
    let chat = |id: &str| Model {
        owner: Some("google".into()),
        vision: Some(true),
        tools: Some(true),
        reasoning: Some(true),
        ..Model::new(id)
    };
    vec![
        // First, because it is the default and Google keeps it up to date.
        chat("gemini-flash-latest"),
        chat("gemini-3.5-flash"),
        chat("gemini-3.1-pro-preview"),
        chat("gemini-3-flash-preview"),
        chat("gemini-2.5-pro"),
        chat("gemini-2.5-flash"),
        chat("gemini-2.5-flash-lite"),
        Model { owner: Some("google".into()), tools: Some(false), ..Model::new("gemini-embedding-001") },
    ]
}
