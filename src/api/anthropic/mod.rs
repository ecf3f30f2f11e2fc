//! Anthropic's API under `/anthropic/v1`.

mod arguments;
mod blocks;
mod content;
mod count_tokens;
mod ending;
mod event;
mod examples;
mod ids;
mod media;
mod message;
mod messages;
mod models;
mod request;
mod schema;
mod shape;
mod stream;
mod wire;

#[cfg(test)]
mod tests;

use serde_json::json;

use super::{State, served};
use crate::http::endpoint::{Type, answer};
use crate::http::{Endpoint, Surface};

/// Errors here are Anthropic's.
pub const SURFACE: Surface = Surface {
    name: "anthropic",
    about: "Anthropic's API, under `/anthropic/v1`: its SDKs work unchanged. Any version, any beta and any field that the \
            vendor may know are taken.",
    prefixes: &["/anthropic/"],
    shape: shape::write,
    status: |fault| fault.anthropic_status(),
    error: Type::of::<shape::AnthropicError<'_>>(),
    vendor_id: Some((REQUEST_ID, shape::request_id)),
};

const REQUEST_ID: &str = "request-id";
const NAMED: &str = "Names the request as the vendor does.";

/// How a request fails that asks a provider.
const PROVIDER: &[u16] = &[403, 404, 502, 503, 504];

pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    let long = Names {
        messages: ("/anthropic/v1/messages", "createMessage"),
        count: ("/anthropic/v1/messages/count_tokens", "countMessageTokens"),
        models: ("/anthropic/v1/models", "listAnthropicModels"),
        model: ("/anthropic/v1/models/{*id}", "retrieveAnthropicModel"),
    };
    // The vendor's SDKs put `/v1` behind whatever base URL they are given.
    let doubled = Names {
        messages: ("/anthropic/v1/v1/messages", "createMessageDoubled"),
        count: ("/anthropic/v1/v1/messages/count_tokens", "countMessageTokensDoubled"),
        models: ("/anthropic/v1/v1/models", "listAnthropicModelsDoubled"),
        model: ("/anthropic/v1/v1/models/{*id}", "retrieveAnthropicModelDoubled"),
    };
    [long, doubled].into_iter().flat_map(under).collect()
}

/// Paths and operation ids below one prefix: routers know no alternatives, and ids are unique.
struct Names {
    messages: (&'static str, &'static str),
    count: (&'static str, &'static str),
    models: (&'static str, &'static str),
    model: (&'static str, &'static str),
}

fn under(names: Names) -> [Endpoint<State>; 4] {
    let surface = &SURFACE;
    let endpoints = [
        served::documented(Endpoint::post(surface, names.messages.0, |request| answer(messages::create(request))))
            .named(names.messages.1, "Asks a model, in Anthropic's words.")
            .described(
                "With `stream`, the answer is server-sent events, named as the type of their data: `message_start`, blocks one \
                 after another, `message_delta`, `message_stop`. An answer that breaks off ends in `error`. `ping` may come at \
                 any time. A tool of type `mortise` with a `name` is one of this server's, which it uses on the way.",
            )
            .takes::<schema::MessageRequest>("The conversation so far.", examples::message_request)
            .gives::<wire::MessageView<'_>>("The whole answer.", examples::message)
            .streams::<event::StreamData<'_>>("Or the answer, piece by piece.", examples::event)
            .fails(PROVIDER),
        Endpoint::post(surface, names.count.0, |request| answer(count_tokens::count(request)))
            .named(names.count.1, "Counts the tokens of a request, in Anthropic's words.")
            .described(
                "Where the provider has no way to count, the answer is an estimate (four bytes a token), and its header \
                 `x-mortise-estimated` is `true`.",
            )
            .takes::<schema::CountRequest>("What would be asked.", examples::count_request)
            .gives::<count_tokens::TokenCount>("How many tokens the model would read.", examples::count)
            .fails(PROVIDER),
        Endpoint::get(surface, names.models.0, |request| answer(models::list(request)))
            .named(names.models.1, "Models, in Anthropic's words.")
            .query("limit", "The most models of the page.", || {
                json!({"type": "integer", "minimum": 1, "maximum": 1000, "default": 20})
            })
            .query("after_id", "The model that the page follows.", || json!({"type": "string"}))
            .query("before_id", "The model that the page comes before.", || json!({"type": "string"}))
            .gives::<models::ModelList>("A page of the models that providers tell of.", examples::models)
            .fails(&[400]),
        Endpoint::get(surface, names.model.0, |request| answer(models::get(request)))
            .named(names.model.1, "One model, in Anthropic's words.")
            .parameter("id", "The model's id as the list has it, or its last part; slashes may stay.", "echo/echo")
            .gives::<models::ModelView>("The model.", examples::model)
            .fails(&[404]),
    ];
    endpoints.map(|endpoint| endpoint.with_header(REQUEST_ID, NAMED))
}
