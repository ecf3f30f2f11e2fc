//! Everything under `/api/v1`, as its documents show it.

mod admin;
mod auth;
mod chat;
mod chat_stream;
mod conversations;
mod plugins;
mod prompt;
mod prompts;
mod providers;
mod session_templates;
mod session_tools;
mod sessions;
mod status;
mod tools;
