//! Models that Ollama runs, over its own API.
//!
//! Ollama runs where the operator says; unconfigured, this provider reaches nobody. It never loads a model down: one that isn't
//! there is an error.
//!
//! # What is written
//!
//! | here | there |
//! |---|---|
//! | texts of a message | one `content`, joined by line feeds |
//! | images, in base64 | `images`, beside the text; addresses, audio and files are errors |
//! | arguments of a call | an object, where the API has no strings |
//! | a tool's result | a message of the role `tool` with the name that the call of that id has |
//! | limits and sampling | `options`, over those of the operator |
//! | an effort or a budget of reasoning | `think`: a level for models that know levels, else yes or no |
//! | no tool at all (`tool_choice`) | no `tools` |
//!
//! What the API has no name for is an error that names the field, but for what is listed in [`mortise_sdk::foreign`]. Names of participants and
//! the detail of images are left out. Thinking that is signed belongs to another model and is left out too.

mod chunk;
mod client;
mod config;
mod embeddings;
mod exchange;
mod failure;
mod messages;
mod models;
mod reader;
mod request;
#[cfg(test)]
mod tests;

mortise_sdk::provider!(client::Ollama);
