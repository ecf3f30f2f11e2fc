//! Doesn't keep to the protocol. By default it emits after `finish`, in the same answer.
//!
//! With the model `stopped` it emits text after `stopped`, with `mute` it says nothing at all and waits for nothing, with
//! `greedy` it sends two requests at once, with `foreign` it answers a chat with a vector. The host must end the exchange
//! with an error that blames the plugin, and hand nothing late to the caller.

use mortise_sdk::bindings::exports::mortise::plugin::provider::{self as exported, GuestExchange};
use mortise_sdk::chat::{Delta, Event, Stop, StopReason};
use mortise_sdk::http::Request;
use mortise_sdk::provider::{Action, Error, Info, Input, Operation, Output, Vector};

struct Guest;

struct Exchange(String);

impl exported::Guest for Guest {
    type Exchange = Exchange;

    fn describe(_: String) -> Result<Info, Error> {
        Ok(Info { base_url: Some("http://127.0.0.1:9".into()), ..kit::info("Late talker") })
    }
}

impl GuestExchange for Exchange {
    fn new(operation: Operation, _: String) -> Self {
        Self(kit::model(operation))
    }

    fn advance(&self, _: Input) -> Vec<Action> {
        let vector = || Output::Vector(Vector { index: 0, values: vec![1.0] });
        match self.0.as_str() {
            "mute" => Vec::new(),
            "greedy" => vec![Action::Send(Request::get("/one")), Action::Send(Request::get("/two"))],
            "foreign" => vec![Action::Emit(vec![vector()]), Action::Finish],
            "stopped" => vec![Action::Emit(vec![text("in time"), stopped(), text("late")]), Action::Finish],
            _ => vec![Action::Emit(vec![text("in time"), stopped()]), Action::Finish, Action::Emit(vec![text("late")])],
        }
    }
}

fn text(text: &str) -> Output {
    Output::Chat(Event::Text(Delta { block: 0, text: text.into() }))
}

fn stopped() -> Output {
    Output::Chat(Event::Stopped(Stop { reason: StopReason::Complete, sequence: None }))
}

mortise_sdk::bindings::export!(Guest with_types_in mortise_sdk::bindings);
