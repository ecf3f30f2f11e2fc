//! Everything under `/api/v1`, as its documents show it.

mod admin;
mod auth;
mod chat;
mod chat_stream;
mod plugins;
mod providers;
mod status;
mod tools;
