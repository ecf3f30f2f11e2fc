//! Anthropic's models, through its Messages API.
//!
//! A request in the vendor's own dialect goes out as it came, but for the model ([`mortise_sdk::json::Splice`]). Any other is written anew, and
//! these rules of the vendor's are kept:
//!
//! - all system and developer messages stand at the top; the other messages alternate, beginning with the user's
//!   ([`turns`]). Where nobody but the assistant or the application spoke, the user says `.`, because somebody must;
//! - the results of all calls of a turn come first in the next one, and every call has its result; ids of calls are made
//!   unique and fit for the vendor ([`ids`]), names of tools fit, and whole again in the answer ([`names`]);
//! - blank texts are left out, and the last word of an assistant ends without blanks;
//! - cache points become marks on the block before them that can bear one;
//! - thinking goes back only with its signature, because the vendor reads no other;
//! - reasoning is asked for in the way that the model understands ([`thinking`]).
//!
//! What the vendor has no name for is an error that names the field, but for these: how closely to look at an image, and the
//! hints that [`foreign`] lists. A speaker's name is written into the text where it tells several speakers apart.

mod blocks;
mod client;
mod config;
mod exchange;
mod fields;
mod foreign;
mod generation;
mod ids;
mod media;
mod models;
mod names;
mod open;
mod reader;
mod request;
mod thinking;
mod tools;
mod turns;
mod usage;

#[cfg(test)]
mod tests;

mortise_sdk::provider!(client::Anthropic);
