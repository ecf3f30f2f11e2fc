//! OpenAI's models in Microsoft's cloud.
//!
//! The operator sets `base_url` to the resource (`https://NAME.openai.azure.com`) and the key; a model is a deployment of that
//! resource. Beside paths and the key's header it is OpenAI's dialect, which [`mortise_sdk::openai`] speaks.

mod client;
mod config;
#[cfg(test)]
mod tests;

mortise_sdk::provider!(client::AzureOpenAi);
