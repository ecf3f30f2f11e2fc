//! OpenAI's API under `/openai/v1` and `/v1`.

mod chat;
mod embeddings;
mod message;
mod models;
mod request;
mod shape;
mod stream;
mod wire;

#[cfg(test)]
mod tests;

use http::Method;

use super::State;
use crate::http::endpoint::answer;
use crate::http::{Access, Endpoint, Surface};

/// Errors here are OpenAI's.
pub const SURFACE: Surface = Surface { name: "openai", prefixes: &["/openai/", "/v1/"], shape: shape::write };

#[rustfmt::skip]
pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    let surface = &SURFACE;
    // matchit has no alternatives, and the vendor's paths stand below two prefixes.
    let mut endpoints = Vec::new();
    for [chat, embeddings, models, model] in [
        ["/openai/v1/chat/completions", "/openai/v1/embeddings", "/openai/v1/models", "/openai/v1/models/{*id}"],
        ["/v1/chat/completions", "/v1/embeddings", "/v1/models", "/v1/models/{*id}"],
    ] {
        endpoints.extend([
            Endpoint { method: Method::POST, path: chat, summary: "Asks a model, in OpenAI's words.",
                       surface, access: Access::Caller, handler: |request| answer(chat::completions(request)) },
            Endpoint { method: Method::POST, path: embeddings, summary: "Turns texts into vectors, in OpenAI's words.",
                       surface, access: Access::Caller, handler: |request| answer(embeddings::embeddings(request)) },
            Endpoint { method: Method::GET, path: models, summary: "Models, in OpenAI's words.",
                       surface, access: Access::Caller, handler: |request| answer(models::list(request)) },
            Endpoint { method: Method::GET, path: model, summary: "One model, in OpenAI's words.",
                       surface, access: Access::Caller, handler: |request| answer(models::get(request)) },
        ]);
    }
    endpoints
}
