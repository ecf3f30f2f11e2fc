//! Amazon Bedrock, by its Converse API: one form of request for the models of many vendors.
//!
//! Requests are signed by the host; streams come as AWS's event stream, which the host cuts. What is written: everything that
//! Converse has a name for. Reasoning is asked for in the words of Anthropic's models, the only ones with a budget; fields that
//! Converse doesn't know are errors that name them.

mod client;
mod config;
mod media;
mod messages;
mod reader;
mod request;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

mortise_sdk::provider!(client::Bedrock);

/// A tool's name or a call's id, as Converse takes it.
fn fit(whole: &str) -> Cow<'_, str> {
    mortise_sdk::names::plain(whole, 64)
}
