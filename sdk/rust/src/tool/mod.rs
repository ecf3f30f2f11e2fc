//! What a plugin of tools implements.
//!
//! A [`Toolbox`] lists its tools; a [`Tool`] is a name, a description for models, and a function of typed arguments. The
//! JSON Schema of the arguments is made from their type, so that schema and code can't drift:
//!
//! ```
//! use mortise_sdk::tool::{Call, Error, NoSettings, Reply, Tool, Toolbox};
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//!
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Arguments {
//!     /// The text to count in.
//!     text: String,
//! }
//!
//! fn count_words(arguments: Arguments, _: &Call<NoSettings>) -> Result<Reply, Error> {
//!     let words = arguments.text.split_whitespace().count();
//!     Ok(Reply::text(format!("{words} words")).with(&serde_json::json!({ "words": words })))
//! }
//!
//! struct Words;
//!
//! impl Toolbox for Words {
//!     type Settings = NoSettings;
//!
//!     fn tools() -> Vec<Tool<NoSettings>> {
//!         vec![Tool::new("count_words", "Counts the words of a text.", count_words).category("text").read_only()]
//!     }
//! }
//!
//! mortise_sdk::tools!(Words);
//! # fn main() {}
//! ```
//!
//! What a tool may reach, it reaches through the host, as far as it is granted: files under [`Workspace`], programs through
//! [`process`], the web through [`fetch`], its own memory through [`kv`]. [`progress`] tells whoever watches.
//!
//! The host checks the arguments against the schema before it calls. What a schema can't say, the tool checks: a string may
//! hold anything. An [`Error`] goes back to the model: it says what is wrong and what to do instead.

mod error;
pub mod fetch;
mod guest;
pub mod kv;
pub mod process;
pub mod progress;
mod reply;
mod schema;
mod spec;
mod workspace;

use serde::de::DeserializeOwned;

pub use crate::bindings::tool::exports::mortise::plugin::tool::{Annotations, Context, Error, ErrorKind, Output, Spec};
pub use crate::provider::NoSettings;
pub use guest::{Guest, call, list};
pub use reply::Reply;
pub use spec::Tool;
pub use workspace::{Place, Workspace};

/// A plugin's tools.
pub trait Toolbox: 'static {
    /// What an operator may set for this plugin. A text that doesn't fit becomes an error that names the key.
    type Settings: DeserializeOwned;

    /// The tools, in the order in which they are shown. Cheap: it is asked before every call.
    fn tools() -> Vec<Tool<Self::Settings>>;
}

/// One call under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Call<S> {
    /// What the operator set.
    pub settings: S,
    /// The session that it belongs to, where there is one.
    pub session: Option<String>,
    /// The agent's run that it belongs to, where there is one.
    pub run: Option<String>,
    /// The call's own name.
    pub id: String,
}
