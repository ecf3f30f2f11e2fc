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

/// A few models whose limits OpenAI publishes; `list-models` asks for all of them.
fn known_models() -> Vec<Model> {
    let chat = |id: &str, context_window, max_output, reasoning| Model {
        owner: Some("openai".into()),
        context_window: Some(context_window),
        max_output: Some(max_output),
        vision: Some(true),
        tools: Some(true),
        reasoning: Some(reasoning),
        ..Model::new(id)
    };
    let embedding = |id: &str| Model { owner: Some("openai".into()), tools: Some(false), ..Model::new(id) };
    vec![
        chat("gpt-5", 400_000, 128_000, true),
        chat("gpt-5-mini", 400_000, 128_000, true),
        chat("gpt-5-nano", 400_000, 128_000, true),
        chat("gpt-4.1", 1_047_576, 32_768, false),
        chat("gpt-4.1-mini", 1_047_576, 32_768, false),
        chat("gpt-4.1-nano", 1_047_576, 32_768, false),
        chat("gpt-4o", 128_000, 16_384, false),
        chat("gpt-4o-mini", 128_000, 16_384, false),
        embedding("text-embedding-3-small"),
        embedding("text-embedding-3-large"),
    ]
}
