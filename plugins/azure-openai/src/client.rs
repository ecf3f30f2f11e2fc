//! The provider: the resource's paths and the header of its key around the dialect of the SDK.

use mortise_sdk::chat::Request;
use mortise_sdk::openai;
use mortise_sdk::provider::{Credential, EmbedRequest, Error, Exchange, Info, Provider};

use crate::config::Settings;

/// Nowhere (RFC 2606): each resource has a host of its own, so that nothing is asked before the operator has named it.
const NOWHERE: &str = "https://resource.openai.azure.invalid";

pub(crate) struct AzureOpenAi;

impl Provider for AzureOpenAi {
    type Settings = Settings;

    fn describe(settings: Settings) -> Result<Info, Error> {
        let options = settings.into_options()?;
        Ok(Info {
            base_url: Some(NOWHERE.into()),
            credential: Credential::Header("api-key".into()),
            key_variable: Some("AZURE_OPENAI_API_KEY".into()),
            dialects: options.dialects(),
            vision: true,
            models: options.known_models(),
            ..Info::new("Azure OpenAI")
        })
    }

    fn chat(request: Request, settings: Settings) -> Result<Box<dyn Exchange>, Error> {
        openai::chat(&request, &settings.into_options()?)
    }

    fn embed(request: EmbedRequest, settings: Settings) -> Result<Box<dyn Exchange>, Error> {
        openai::embed(&request, &settings.into_options()?)
    }

    fn list_models(settings: Settings) -> Result<Box<dyn Exchange>, Error> {
        openai::list_models(&settings.into_options()?)
    }
}
