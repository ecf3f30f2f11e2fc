//! Running a whole exchange natively: recorded bytes in, events out, no component and no network.
//!
//! [`Run`] plays the host. It begins the operation, keeps what was sent, cuts response bodies into frames as the request's
//! framing says, and holds every output against the [`Grammar`] of the contract: a provider that breaks it panics here,
//! before it breaks a caller.
//!
//! ```
//! # use mortise_sdk::{chat::{Message, Request, StopReason}, openai::{self, Options}};
//! # use mortise_sdk::provider::{Error, Exchange, Info, Operation, Provider};
//! # struct Vendor;
//! # impl Provider for Vendor {
//! #     type Settings = Options;
//! #     fn describe(_: Options) -> Result<Info, Error> { Ok(Info::new("Vendor")) }
//! #     fn chat(request: Request, settings: Options) -> Result<Box<dyn Exchange>, Error> {
//! #         openai::chat(&request, &settings)
//! #     }
//! # }
//! use mortise_sdk::testing::Run;
//!
//! let request = Request { streaming: true, ..Request::new("small", vec![Message::user("hello")]) };
//! let mut run = Run::new::<Vendor>(Operation::Chat(request), "{}");
//! assert_eq!(run.sent_json()["model"], "small");
//!
//! run.head(200, &[("content-type", "text/event-stream")]);
//! run.body(b"data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n");
//! run.body(b"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
//!
//! let answer = run.answer();
//! assert_eq!((answer.text.as_str(), answer.stop.map(|stop| stop.reason)), ("hi", Some(StopReason::Complete)));
//! ```
#![expect(clippy::panic, reason = "a test harness reports by panicking")]

mod answer;
mod framing;
mod grammar;
mod run;
pub mod tool;

pub use answer::{Answer, Call};
pub use framing::Cutter;
pub use grammar::Grammar;
pub use run::Run;

use crate::bindings::exports::mortise::plugin::provider::Guest as _;
use crate::provider::{Error, Guest, Info, Provider};

/// What a provider says about itself, given settings as text.
pub fn describe<P: Provider>(settings: &str) -> Result<Info, Error> {
    Guest::<P>::describe(settings.to_owned())
}
