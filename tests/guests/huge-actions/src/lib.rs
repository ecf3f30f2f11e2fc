//! Makes work for the host without saying anything.
//!
//! It gives a hundred thousand actions in one answer, each an empty list of
//! events.
//!
//! The limit of what one call hands over must stop it. With the model `headers` it sends one request with a hundred
//! thousand headers, with `events` it emits a hundred thousand events without text.

use mortise_sdk::bindings::exports::mortise::plugin::provider::{self as exported, GuestExchange};
use mortise_sdk::chat::{Delta, Event};
use mortise_sdk::http::{Header, Request};
use mortise_sdk::provider::{Action, Error, Info, Input, Operation, Output};

const MANY: usize = 100_000;

struct Guest;

struct Exchange(String);

impl exported::Guest for Guest {
    type Exchange = Exchange;

    fn describe(_: String) -> Result<Info, Error> {
        Ok(Info { base_url: Some("http://127.0.0.1:9".into()), ..kit::info("Huge actions") })
    }
}

impl GuestExchange for Exchange {
    fn new(operation: Operation, _: String) -> Self {
        Self(kit::model(operation))
    }

    fn advance(&self, _: Input) -> Vec<Action> {
        match self.0.as_str() {
            "headers" => {
                let headers = vec![Header::new("x-a", "b"); MANY];
                vec![Action::Send(Request { headers, ..Request::get("/") })]
            }
            "events" => {
                let nothing = Output::Chat(Event::Text(Delta { block: 0, text: String::new() }));
                vec![Action::Emit(vec![nothing; MANY]), Action::Finish]
            }
            _ => {
                let mut actions = vec![Action::Emit(Vec::new()); MANY];
                actions.push(Action::Finish);
                actions
            }
        }
    }
}

mortise_sdk::bindings::export!(Guest with_types_in mortise_sdk::bindings);
