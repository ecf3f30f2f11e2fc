//! What the author of a Mortise plugin depends on.
//!
//! A provider is sans-I/O: it turns a chat request into HTTP requests, and response frames into events. The host owns the
//! sockets, the credential, the time-outs and the framing. So a provider is a trait with one required function, and one
//! macro that exports it:
//!
//! ```
//! use mortise_sdk::chat::{Delta, Event, Request, Stop, StopReason};
//! use mortise_sdk::http::{self, Frame};
//! use mortise_sdk::provider::{Error, Exchange, Info, NoSettings, Out, Provider};
//!
//! /// A vendor that answers `{"question": …}` with a line of plain text.
//! struct Oracle;
//!
//! impl Provider for Oracle {
//!     type Settings = NoSettings;
//!
//!     fn describe(_: NoSettings) -> Result<Info, Error> {
//!         Ok(Info { base_url: Some("https://oracle.example/v1".into()), ..Info::new("Oracle") })
//!     }
//!
//!     fn chat(request: Request, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
//!         Ok(Box::new(Question(request.messages.last().map(|message| message.text()).unwrap_or_default())))
//!     }
//! }
//!
//! struct Question(String);
//!
//! impl Exchange for Question {
//!     fn begin(&mut self, out: &mut Out) -> Result<(), Error> {
//!         out.send(http::Request::post_json("/ask", &serde_json::json!({ "question": self.0 }))?);
//!         Ok(())
//!     }
//!
//!     fn frame(&mut self, frame: Frame, out: &mut Out) -> Result<(), Error> {
//!         out.emit(Event::Text(Delta { block: 0, text: frame.text()?.to_owned() }));
//!         out.emit(Event::Stopped(Stop { reason: StopReason::Complete, sequence: None }));
//!         out.finish();
//!         Ok(())
//!     }
//! }
//!
//! mortise_sdk::provider!(Oracle);
//! # fn main() {}
//! ```
//!
//! What the host does when the vendor refuses, when the body breaks off or when the settings are wrong is the same for
//! everybody, so the defaults of [`provider::Exchange`] do it: an [`provider::Error`] with the vendor's own message.
//!
//! A vendor that speaks OpenAI's chat completions needs no exchange of its own: see [`openai`].
//!
//! | module | what is in it |
//! |---|---|
//! | [`chat`] | the chat model: requests, messages, events, usage |
//! | [`mod@provider`] | the traits to implement, what describes a provider, its errors |
//! | [`http`] | requests, response heads and frames |
//! | [`json`] | writing JSON bodies in one pass, reading frames without copies |
//! | [`fields`] | reading an object field by field, so that the unknown ones are kept |
//! | [`openai`] | the chat-completions dialect, ready for every vendor that speaks it |
//! | [`foreign`] | fields of another dialect that may be left out |
//! | [`names`] | names of tools that a vendor can't take, there and back |
//! | [`log`] | the host's log |
//! | [`mod@tool`] | the trait of a plugin of tools, their arguments, answers and errors, and what they reach through the host |
//! | `testing` | running a whole exchange natively, from recorded bytes (not in a guest) |
//!
//! A plugin of tools is a list of functions of typed arguments: see [`mod@tool`].
//!
//! A provider should import nothing but the log: no clock, no random numbers, no environment. `HashMap` asks for random
//! numbers; `BTreeMap` does not.

// The name under which generated code and documentation reach this crate, also from inside it.
extern crate self as mortise_sdk;

pub mod bindings;
pub mod chat;
pub mod fields;
pub mod foreign;
pub mod http;
pub mod json;
pub mod log;
mod named;
pub mod names;
pub mod openai;
pub mod provider;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
pub mod tool;

/// Exports a [`provider::Provider`] from this component. Once in a plugin, at the top of its crate.
///
/// Natively it only checks that the type is a provider: the names of a component's functions are none for a linker.
#[macro_export]
macro_rules! provider {
    ($provider:ty) => {
        const _: () = {
            type MortiseProvider = $crate::provider::Guest<$provider>;
            #[cfg(target_family = "wasm")]
    $crate::bindings::export!(MortiseProvider with_types_in $crate::bindings);
            MortiseProvider::ready();
        };
    };
}

/// Exports a [`tool::Toolbox`] from this component. Once in a plugin, at the top of its crate.
///
/// Natively it only checks that the type is a toolbox.
#[macro_export]
macro_rules! tools {
    ($toolbox:ty) => {
        const _: () = {
            type MortiseTools = $crate::tool::Guest<$toolbox>;
            #[cfg(target_family = "wasm")]
    $crate::bindings::tool::export!(MortiseTools with_types_in $crate::bindings::tool);
            MortiseTools::ready();
        };
    };
}
