//! OpenAI's API under `/openai/v1` and `/v1`.

mod chat;
mod citation;
mod custom;
mod embeddings;
mod examples;
mod message;
mod models;
mod request;
mod responses;
mod schema;
mod shape;
mod stream;
mod tools;
mod usage;
mod wire;

#[cfg(test)]
mod tests;

pub(super) use wire::Members;

use super::{State, served};
use crate::http::endpoint::{Type, answer};
use crate::http::{Endpoint, Surface};

/// Errors here are OpenAI's.
pub const SURFACE: Surface = Surface {
    name: "openai",
    about: "OpenAI's API, under `/openai/v1` and `/v1`: its SDKs work unchanged.",
    prefixes: &["/openai/", "/v1/"],
    shape: shape::write,
    status: |fault| fault.status,
    error: Type::of::<shape::OpenAiError<'_>>(),
    vendor_id: None,
};

/// How a request fails that asks a provider.
const PROVIDER: &[u16] = &[403, 404, 502, 504];

pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    let long = Names {
        chat: ("/openai/v1/chat/completions", "createChatCompletion"),
        embeddings: ("/openai/v1/embeddings", "createEmbedding"),
        models: ("/openai/v1/models", "listModels"),
        model: ("/openai/v1/models/{*id}", "retrieveModel"),
        responses: ("/openai/v1/responses", "createResponse"),
        response: ("/openai/v1/responses/{response_id}", "retrieveResponse", "deleteResponse"),
    };
    let short = Names {
        chat: ("/v1/chat/completions", "createChatCompletionShort"),
        embeddings: ("/v1/embeddings", "createEmbeddingShort"),
        models: ("/v1/models", "listModelsShort"),
        model: ("/v1/models/{*id}", "retrieveModelShort"),
        responses: ("/v1/responses", "createResponseShort"),
        response: ("/v1/responses/{response_id}", "retrieveResponseShort", "deleteResponseShort"),
    };
    [long, short].into_iter().flat_map(under).collect()
}

/// Paths and operation ids below one prefix: routers know no alternatives, and ids are unique.
struct Names {
    chat: (&'static str, &'static str),
    embeddings: (&'static str, &'static str),
    models: (&'static str, &'static str),
    model: (&'static str, &'static str),
    responses: (&'static str, &'static str),
    response: (&'static str, &'static str, &'static str),
}

fn under(names: Names) -> [Endpoint<State>; 7] {
    let surface = &SURFACE;
    let (one, get, delete) = names.response;
    let [retrieve, delete] = responses::one(one, get, delete);
    [
        served::documented(Endpoint::post(surface, names.chat.0, |request| answer(chat::completions(request))))
            .named(names.chat.1, "Asks a model, in OpenAI's words.")
            .described(
                "With `stream`, the answer is server-sent events without names, whose data is a chunk each and \
                 `[DONE]` last, but only after success: an answer that breaks off ends in an error. A tool of type `mortise` \
                 with a `name` is one of this server's, which it uses on the way.",
            )
            .takes::<schema::CompletionRequest>("The conversation so far.", examples::chat_request)
            .gives::<wire::Completion<'_>>("The whole answer.", examples::chat_response)
            .streams::<schema::StreamData<'_>>("Or the answer, piece by piece.", examples::chat_event)
            .ending_in("[DONE]")
            .fails(PROVIDER),
        served::documented(responses::endpoint(names.responses.0, names.responses.1)),
        retrieve,
        delete,
        served::documented(Endpoint::post(surface, names.embeddings.0, |request| {
            answer(embeddings::embeddings(request))
        }))
        .named(names.embeddings.1, "Turns texts into vectors, in OpenAI's words.")
        .takes::<schema::EmbeddingRequest>("The texts.", examples::embedding_request)
        .gives::<embeddings::List<'_>>("The vectors, in the order of the texts.", examples::embedding_response)
        .fails(PROVIDER),
        Endpoint::get(surface, names.models.0, |request| answer(models::list(request)))
            .named(names.models.1, "Models, in OpenAI's words.")
            .gives::<models::ModelList>("The models that providers tell of.", examples::models),
        Endpoint::get(surface, names.model.0, |request| answer(models::get(request)))
            .named(names.model.1, "One model, in OpenAI's words.")
            .parameter("id", "The model's id as the list has it, or its last part; slashes may stay.", "echo/echo")
            .gives::<models::ModelView>("The model.", examples::model)
            .fails(&[404]),
    ]
}
