//! The native API under `/api/v1`: the chat surface, and what is there to chat with.

mod admin;
mod auth;
mod chat;
mod conversations;
mod examples;
mod inventory;
mod lines;
mod page;
mod prompt;
mod sessions;
pub(super) mod shape;
mod templates;
mod tools;
mod wire;

#[cfg(test)]
mod tests;

use http::{Method, StatusCode};

use super::{State, served};
use crate::http::endpoint::{Type, answer};
use crate::http::{Endpoint, Surface};

/// Errors here are native ones.
pub const SURFACE: Surface = Surface {
    name: "chat",
    about: "Chat with models, whole or as an event stream, and see what there is to chat with.",
    prefixes: &["/api/v1"],
    shape: shape::write,
    status: |fault| fault.status,
    error: Type::of::<shape::NativeError<'_>>(),
    vendor_id: None,
};

/// Users, sessions, templates, administration. A field that is missing or wrong is 422 here.
pub const PLATFORM: Surface = Surface {
    name: "platform",
    about: "Users, their sessions, templates, and the administration of them.",
    prefixes: &["/api/v1/sessions", "/api/v1/session-templates"],
    shape: shape::write_validated,
    status: |fault| if shape::is_validation(fault) { StatusCode::UNPROCESSABLE_ENTITY } else { fault.status },
    error: Type::of::<shape::NativeError<'_>>(),
    vendor_id: None,
};

/// One prompt, many side by side, chains. A backend that fails is no refusal here.
pub const PROMPT: Surface = Surface {
    name: "prompt",
    about: "Send prompts to backends: one, many side by side, one after the other, or one to several.",
    prefixes: &["/api/v1/prompt", "/api/v1/parallel", "/api/v1/chain", "/api/v1/compare", "/api/v1/backends"],
    shape: shape::write,
    status: |fault| fault.status,
    error: Type::of::<shape::NativeError<'_>>(),
    vendor_id: None,
};

/// How a request fails that asks a provider in a conversation.
const CONVERSING: &[u16] = &[403, 404, 409, 502, 504];

pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    let surface = &SURFACE;
    let mut endpoints = vec![
        served::documented(Endpoint::post(surface, "/api/v1/chat", |request| answer(chat::chat(request))))
            .named("chat", "Sends one message and waits for the answer.")
            .takes::<wire::ChatRequest>("The message, and who is to answer it.", examples::chat_request)
            .gives::<wire::ChatResponse<'_>>("The whole answer.", examples::chat_response)
            .fails(CONVERSING),
        served::documented(Endpoint::post(surface, "/api/v1/chat/stream", |request| answer(chat::stream(request))))
            .named("streamChat", "Sends one message and streams the answer.")
            .described(
                "Server-sent events, each with a name and JSON: `start`, then `token`, `thinking`, `tool_call` and `tool_result` as \
                 they come, then `end`. What fails before the first event has a status of its own; what fails later \
                 is an `error` before the `end`.",
            )
            .takes::<wire::ChatRequest>("The message, and who is to answer it.", examples::chat_request)
            .streams::<wire::StreamEvent<'_>>("The answer, piece by piece.", examples::chat_event)
            .with_header("X-Conversation-Id", "Names the conversation, to go on with it.")
            .fails(CONVERSING),
        served::documented(Endpoint::post(surface, "/api/v1/conversations", |request| {
            answer(conversations::say(request))
        }))
        .named("converse", "Begins a conversation, or goes on with one.")
        .takes::<conversations::ConversationRequest>(
            "The message, and where it belongs.",
            examples::conversation_request,
        )
        .gives::<conversations::ConversationResponse>(
            "The answer, and all that was said.",
            examples::conversation_response,
        )
        .fails(CONVERSING),
        Endpoint::get(surface, "/api/v1/conversations/{id}", |request| answer(conversations::get(request)))
            .named("getConversation", "What was said in a conversation.")
            .parameter("id", "The conversation, as an answer named it.", examples::CONVERSATION)
            .gives::<conversations::Conversation>("The conversation.", examples::conversation)
            .fails(&[404]),
        Endpoint::new(Method::DELETE, surface, "/api/v1/conversations/{id}", |request| {
            answer(conversations::delete(request))
        })
        .named("deleteConversation", "Takes a conversation out, for good.")
        .parameter("id", "The conversation, as an answer named it.", examples::CONVERSATION)
        .gives_nothing()
        .fails(&[404]),
        Endpoint::get(surface, "/api/v1/providers", |request| answer(inventory::providers(request)))
            .named("listProviders", "Providers, their models and what they can do.")
            .gives::<inventory::ProviderList>("The providers that can be asked.", examples::providers),
        Endpoint::get(surface, "/api/v1/tools", |request| answer(tools::list(request)))
            .named("listTools", "Tools that models can be given.")
            .gives::<tools::ToolList>("The tools.", examples::tools),
        Endpoint::post(surface, "/api/v1/tools/{name}/call", |request| answer(tools::call(request)))
            .named("callTool", "Calls one tool.")
            .described(
                "The arguments are checked against the tool's schema first. What the tool itself can't do is 422 with \
                 `TOOL_EXECUTION_FAILED`; what it may not do is 403.",
            )
            .parameter("name", "The tool, as the list names it.", "calculate")
            .takes::<tools::CallRequest>("What the tool is to work on.", examples::call_request)
            .gives::<tools::CallResponse>("What came of it.", examples::call_response)
            .fails(&[403, 404, 422, 503]),
        Endpoint::get(surface, "/api/v1/plugins", |request| answer(inventory::plugins(request)))
            .named("listPlugins", "Plugins: version, state, rights, last error.")
            .gives::<inventory::PluginList>("The plugins, those too that could not be loaded.", examples::plugins),
        Endpoint::get(surface, "/api/v1/status", |request| answer(inventory::status(request)))
            .named("getStatus", "What the server has done and is doing.")
            .gives::<inventory::StatusView>("The server's figures.", examples::status),
    ];
    endpoints.extend(prompt::endpoints());
    endpoints.extend(auth::endpoints());
    endpoints.extend(admin::endpoints());
    endpoints.extend(sessions::endpoints());
    endpoints.extend(templates::endpoints());
    endpoints
}
