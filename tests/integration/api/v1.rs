//! Everything under `/api/v1`, as its documents show it.

mod auth;
mod chat;
mod chat_stream;
mod plugins;
mod providers;
mod status;
mod tools;
