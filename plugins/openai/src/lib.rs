//! OpenAI, and every vendor that speaks its chat completions.
//!
//! For a compatible vendor the operator sets `base_url`, the key and, where the vendor differs from OpenAI, the settings of
//! [`config::Settings`]. What is translated and how is told by [`mortise_sdk::openai`].

mod client;
mod config;
#[cfg(test)]
mod tests;

mortise_sdk::provider!(client::OpenAi);
