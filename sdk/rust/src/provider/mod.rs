//! What a provider implements, and what it says about itself.
//!
//! A [`Provider`] makes an [`Exchange`] of every operation. The host drives the exchange: it hands in what has happened,
//! the exchange writes to an [`Out`] what shall happen next. An exchange lives for one operation and knows nothing of
//! sockets or of time.

mod driver;
mod error;
mod failure;
mod out;
mod simple;

use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use crate::bindings::exports::mortise::plugin::provider::{
    Action, Credential, EmbedRequest, Error, ErrorKind, Info, Input, Model, Operation, Output, Price, Scope, Vector,
};
use crate::chat;
use crate::http::{Frame, Head};
pub use driver::{Driver, Guest};
pub use out::Out;
pub use simple::{answer, once};

/// A model provider: functions without state, because an instance may serve many callers or only one.
pub trait Provider: 'static {
    /// What an operator may set for this provider. A text that doesn't fit becomes an error that names the key.
    type Settings: DeserializeOwned;

    /// Who this provider is and what it can do. Asks nobody.
    fn describe(settings: Self::Settings) -> Result<Info, Error>;

    /// Answers a conversation.
    fn chat(request: chat::Request, settings: Self::Settings) -> Result<Box<dyn Exchange>, Error> {
        let _ = (request, settings);
        Err(Error::missing("chat"))
    }

    /// Turns texts into vectors.
    fn embed(request: EmbedRequest, settings: Self::Settings) -> Result<Box<dyn Exchange>, Error> {
        let _ = (request, settings);
        Err(Error::missing("embed"))
    }

    /// Asks the vendor which models there are.
    fn list_models(settings: Self::Settings) -> Result<Box<dyn Exchange>, Error> {
        let _ = settings;
        Err(Error::missing("list-models"))
    }

    /// Counts the tokens of a conversation without answering it.
    fn count_tokens(request: chat::Request, settings: Self::Settings) -> Result<Box<dyn Exchange>, Error> {
        let _ = (request, settings);
        Err(Error::missing("count-tokens"))
    }
}

/// One operation under way. An error that any of these returns ends it; what was emitted before stays said.
pub trait Exchange {
    /// The first call, once: usually sends the request.
    fn begin(&mut self, out: &mut Out) -> Result<(), Error>;

    /// A successful response has begun.
    fn head(&mut self, head: &Head, out: &mut Out) -> Result<(), Error> {
        let _ = (head, out);
        Ok(())
    }

    /// The vendor answered with another status than success; `body` is all that it said. By default this ends the
    /// exchange with the vendor's message. Another `send` makes a second attempt.
    fn refused(&mut self, head: &Head, body: &[u8], out: &mut Out) -> Result<(), Error> {
        let _ = out;
        Err(Error::from_response(head, body))
    }

    /// A frame of a successful response, cut as the request's framing says.
    fn frame(&mut self, frame: Frame, out: &mut Out) -> Result<(), Error> {
        let _ = (frame, out);
        Ok(())
    }

    /// The body of a successful response is over. By default that is too early: who knows that the answer is complete
    /// has finished before.
    fn end(&mut self, out: &mut Out) -> Result<(), Error> {
        let _ = out;
        Err(Error::upstream("the vendor's answer ended before it was complete"))
    }

    /// The body of a successful response broke off.
    fn broken(&mut self, reason: &str, out: &mut Out) -> Result<(), Error> {
        let _ = out;
        Err(Error::upstream(format!("the vendor's answer broke off: {reason}")))
    }

    /// The time asked for by [`Out::wait`] has passed.
    fn woken(&mut self, out: &mut Out) -> Result<(), Error> {
        let _ = out;
        Ok(())
    }
}

/// For a provider that has nothing to set: any key is an error.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

// === impl Info, Model ===

impl Info {
    /// A provider that streams and can call tools, wants a bearer token, and says nothing about its models.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            base_url: None,
            credential: Credential::Bearer,
            key_variable: None,
            dialects: Vec::new(),
            streaming: true,
            tools: true,
            vision: false,
            models: Vec::new(),
        }
    }
}

impl Model {
    /// A model of which only the name is known.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: None,
            created: None,
            owner: None,
            context_window: None,
            max_output: None,
            vision: None,
            tools: None,
            reasoning: None,
            price: None,
        }
    }
}
