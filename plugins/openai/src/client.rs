//! The provider: OpenAI's address and models around the dialect of the SDK.

use mortise_sdk::chat::Request;
use mortise_sdk::openai;
use mortise_sdk::provider::{EmbedRequest, Error, Exchange, Info, Model, Provider};

use crate::config::Settings;

pub(crate) struct OpenAi;

impl Provider for OpenAi {
    type Settings = Settings;

    fn describe(settings: Settings) -> Result<Info, Error> {
        let options = settings.into_options();
        let models = if options.models.is_empty() { known_models() } else { options.known_models() };
        Ok(Info {
            base_url: Some("https://api.openai.com/v1".into()),
            key_variable: Some("OPENAI_API_KEY".into()),
            dialects: options.dialects(),
            vision: true,
            models,
            ..Info::new("OpenAI")
        })
    }

    fn chat(request: Request, settings: Settings) -> Result<Box<dyn Exchange>, Error> {
        openai::chat(&request, &settings.into_options())
    }

    fn embed(request: EmbedRequest, settings: Settings) -> Result<Box<dyn Exchange>, Error> {
        openai::embed(&request, &settings.into_options())
    }

    fn list_models(settings: Settings) -> Result<Box<dyn Exchange>, Error> {
        openai::list_models(&settings.into_options())
    }
}

/// A few well-known models, so that they are found by their names alone; `list-models` asks for all of them.
fn known_models() -> Vec<Model> {
    let ids = [
        "gpt-5",
        "gpt-5-mini",
        "gpt-5-nano",
        "gpt-4.1",
        "gpt-4.1-mini",
        "gpt-4.1-nano",
        "gpt-4o",
        "gpt-4o-mini",
        "text-embedding-3-small",
        "text-embedding-3-large",
    ];
    ids.into_iter().map(|id| Model { owner: Some("openai".into()), ..Model::new(id) }).collect()
}
