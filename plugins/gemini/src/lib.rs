//! Gemini, over the Generative Language API of Google.
//!
//! # What is written
//!
//! | here | there |
//! |---|---|
//! | system and developer messages, wherever they stand | `systemInstruction`, in their order |
//! | neighbours of one role | one entry of `contents`, a user's results before what else it says |
//! | a tool's result | `functionResponse` under the name that the call of that id has; `output` holds its text, `error` that of a failure |
//! | names that the API can't take | shortened or cleaned, and whole again on the way back |
//! | efforts and budgets of reasoning | `thinkingLevel` from Gemini 3 on, `thinkingBudget` before |
//! | JSON Schema | `parametersJsonSchema` and `responseJsonSchema`, untouched |
//!
//! What the API has no name for is an error that names the field, but for hints and bookkeeping that change no answer: they
//! are listed, with the reasons, in [`mortise_sdk::foreign`]. Names of participants and files and the detail of images are left out too.
//!
//! # Signatures
//!
//! A thinking Gemini signs parts of what it says and wants the signatures back. That of a call travels as Google's own
//! OpenAI-compatible API sends it, in the call's field `extra_content`. That of a thought is the signature of a thinking block, that of
//! a text a redacted block behind it, both marked with the model, because no other could read them. Gemini 3 refuses a call
//! without one, so calls that other models made get the value that Google documents for them.
//!
//! # What is read
//!
//! A finish reason makes an answer complete, but only the end of the stream ends it: some models give one in every chunk. What
//! has no name in the chat model (grounding, citations, ratings) comes out as a field, before the end.

mod calls;
mod chunk;
mod client;
mod config;
mod contents;
mod embeddings;
mod exchange;
mod failure;
mod media;
mod model;
mod models;
mod names;
mod reader;
mod request;
mod signature;
#[cfg(test)]
mod tests;
mod usage;

mortise_sdk::provider!(client::Gemini);
