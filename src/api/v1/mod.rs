//! The native API under `/api/v1`: the chat surface, and what is there to chat with.

mod chat;
mod inventory;
pub(super) mod shape;
mod wire;

use http::Method;

use super::State;
use crate::http::endpoint::answer;
use crate::http::{Access, Endpoint, Surface};

/// Errors here are native ones.
pub const SURFACE: Surface = Surface { name: "chat", prefixes: &["/api/v1/"], shape: shape::write };

#[rustfmt::skip]
pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    let surface = &SURFACE;
    vec![
        Endpoint { method: Method::POST, path: "/api/v1/chat", summary: "Sends one message and waits for the answer.",
                   surface, access: Access::Caller, handler: |request| answer(chat::chat(request)) },
        Endpoint { method: Method::POST, path: "/api/v1/chat/stream", summary: "Sends one message and streams the answer.",
                   surface, access: Access::Caller, handler: |request| answer(chat::stream(request)) },
        Endpoint { method: Method::GET, path: "/api/v1/providers", summary: "Providers, their models and what they can do.",
                   surface, access: Access::Caller, handler: |request| answer(inventory::providers(request)) },
        Endpoint { method: Method::GET, path: "/api/v1/tools", summary: "Tools that models can be given.",
                   surface, access: Access::Caller, handler: |request| answer(inventory::tools(request)) },
        Endpoint { method: Method::GET, path: "/api/v1/plugins", summary: "Plugins: version, state, rights, last error.",
                   surface, access: Access::Caller, handler: |request| answer(inventory::plugins(request)) },
        Endpoint { method: Method::GET, path: "/api/v1/status", summary: "What the server has done and is doing.",
                   surface, access: Access::Caller, handler: |request| answer(inventory::status(request)) },
    ]
}
