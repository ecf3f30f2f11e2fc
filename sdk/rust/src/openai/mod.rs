//! OpenAI's chat completions, the dialect that most vendors speak.
//!
//! A whole provider of such a vendor:
//!
//! ```
//! use mortise_sdk::chat::Request;
//! use mortise_sdk::openai::{self, Options};
//! use mortise_sdk::provider::{EmbedRequest, Error, Exchange, Info, Provider};
//!
//! struct Vendor;
//!
//! impl Provider for Vendor {
//!     type Settings = Options;
//!
//!     fn describe(settings: Options) -> Result<Info, Error> {
//!         let info = Info::new("Vendor");
//!         let (base_url, key) = ("https://api.vendor.example/v1".into(), "VENDOR_API_KEY".into());
//!         Ok(Info { base_url: Some(base_url), key_variable: Some(key), models: settings.known_models(), ..info })
//!     }
//!
//!     fn chat(request: Request, settings: Options) -> Result<Box<dyn Exchange>, Error> {
//!         openai::chat(&request, &settings)
//!     }
//!
//!     fn embed(request: EmbedRequest, settings: Options) -> Result<Box<dyn Exchange>, Error> {
//!         openai::embed(&request, &settings)
//!     }
//!
//!     fn list_models(settings: Options) -> Result<Box<dyn Exchange>, Error> {
//!         openai::list_models(&settings)
//!     }
//! }
//!
//! mortise_sdk::provider!(Vendor);
//! # fn main() {}
//! ```
//!
//! # What is passed on
//!
//! A caller who speaks this dialect too is given to the vendor byte for byte ([`Request::raw`]), but for the model, the limit's
//! and the seed's names, and the wish for usage in streams: prompt caches depend on the rest. [`Options::dialects`] tells the
//! host where that can't be, because these settings rewrite messages.
//!
//! # What is written
//!
//! Everything that the dialect has a name for. What it has none for is an error that names the field, but for these:
//!
//! - cache points and fields named `cache_control` are left out: they are hints, and vendors of this dialect cache by
//!   themselves;
//! - thinking is left out unless [`Options::replay_thinking`] names the field for it;
//! - a token budget for reasoning becomes an effort: 0 `none`, up to 2,048 `low`, up to 8,192 `medium`, more `high`;
//! - a tool result that tells of a failure says so in its first words, because the dialect has no mark for it;
//! - names of tools beyond 64 characters and ids of calls beyond 40 are shortened; the names come back whole.
//!
//! Fields, parts and tools without a name in the chat model are passed on where the caller spoke this dialect too.
//!
//! # What is read
//!
//! Streams as the vendors really write them: usage on the last chunk, on one of its own or in parts, with or without the
//! tokens of reasoning; chunks that hold text, calls and a finish reason at once; calls without index or id; reasoning as
//! `reasoning_content`, `reasoning` or parts of the content; a missing `[DONE]`. A finish reason makes an answer complete, its
//! absence makes a broken one. If the model called a tool, the answer stops for that, whatever the vendor says, unless it was
//! cut or filtered. Unknown fields of an answer come out as [`crate::chat::Event::Extra`]: those of a choice or a delta each
//! time, those of the answer when they change. `obfuscation` is padding and is left out.
//!
//! # The other endpoint
//!
//! Callers who speak the dialect of `/responses` are passed on to that endpoint where the vendor has it, and conversations are
//! written for it where [`Options::api`] or [`Options::responses_models`] say so. What comes out of it beside the chat
//! model's own words (annotations, parts without a name) is JSON of that dialect.

mod calls;
mod chunk;
mod embeddings;
mod exchange;
mod media;
mod messages;
mod models;
mod names;
mod object;
mod options;
mod raw;
mod reader;
mod request;
mod responses;
mod usage;

use crate::chat::Request;
use crate::http;
use crate::provider::{EmbedRequest, Error, Exchange};
pub use options::{
    Api, CallIds, MaxTokensField, Options, Paths, ReasoningField, RequiredTool, SeedField, Summary, ThinkingField,
};

/// The name of this dialect in [`Request::dialect`].
pub const DIALECT: &str = "openai";

/// The name of the dialect of `/responses`.
pub const RESPONSES: &str = "openai-responses";

/// Answers a conversation, streamed or whole.
pub fn chat(request: &Request, options: &Options) -> Result<Box<dyn Exchange>, Error> {
    match &request.raw {
        Some(raw) if request.speaks(RESPONSES) => responses::chat(request, Some(raw), options),
        _ if options.wants_responses(&request.model) => responses::chat(request, None, options),
        _ => exchange::chat(request, options),
    }
}

/// Turns texts into vectors.
pub fn embed(request: &EmbedRequest, options: &Options) -> Result<Box<dyn Exchange>, Error> {
    embeddings::embed(request, options)
}

/// Asks which models there are.
pub fn list_models(options: &Options) -> Result<Box<dyn Exchange>, Error> {
    Ok(models::list(options))
}

/// The body of a chat request, for vendors that differ from the rest of the dialect.
pub fn chat_body(request: &Request, options: &Options) -> Result<Vec<u8>, Error> {
    request::body(request, options)
}

/// The vendor's headers on a request.
fn with_headers(mut request: http::Request, options: &Options) -> http::Request {
    request.headers.extend(options.headers.iter().cloned());
    request
}
