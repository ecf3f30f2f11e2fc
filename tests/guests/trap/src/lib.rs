//! Traps in the call that the model names: `constructor`, `begin`, `head`, `frame`, `end`, `drop`.
//!
//! The trap must cost this one request. Three more ways to leave a call: `exit` ends the program, `ill-formed` hands over
//! a text that is not UTF-8, `stale` hands over a text that lies outside of its memory.

use std::cell::Cell;
use std::mem::ManuallyDrop;

use mortise_sdk::bindings::exports::mortise::plugin::provider::{self as exported, GuestExchange};
use mortise_sdk::chat::{Delta, Event};
use mortise_sdk::http::Request;
use mortise_sdk::provider::{Action, Error, Info, Input, Operation, Output};

struct Guest;

struct Exchange {
    model: String,
    frames: Cell<u32>,
}

impl exported::Guest for Guest {
    type Exchange = Exchange;

    fn describe(_: String) -> Result<Info, Error> {
        Ok(Info { base_url: Some("http://127.0.0.1:9".into()), ..kit::info("Trap") })
    }
}

impl GuestExchange for Exchange {
    fn new(operation: Operation, _: String) -> Self {
        let exchange = Self { model: kit::model(operation), frames: Cell::new(0) };
        exchange.trap_in("constructor");
        exchange
    }

    fn advance(&self, input: Input) -> Vec<Action> {
        match input {
            Input::Begin => self.begin(),
            Input::Head(_) => {
                self.trap_in("head");
                Vec::new()
            }
            Input::Frames(_) => {
                self.frames.set(self.frames.get() + 1);
                self.trap_in("frame");
                vec![text(format!("frame {}", self.frames.get()))]
            }
            _ => {
                self.trap_in("end");
                vec![Action::Finish]
            }
        }
    }
}

impl Exchange {
    fn begin(&self) -> Vec<Action> {
        self.trap_in("begin");
        match self.model.as_str() {
            "exit" => std::process::exit(0),
            "ill-formed" => vec![text(ill_formed())],
            "stale" => vec![text(stale())],
            "drop" => vec![text("about to drop".to_owned()), Action::Finish],
            _ => vec![Action::Send(Request::get("/"))],
        }
    }

    fn trap_in(&self, call: &str) {
        assert!(self.model != call, "asked to trap in {call}");
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.trap_in("drop");
    }
}

fn text(text: String) -> Action {
    Action::Emit(vec![Output::Chat(Event::Text(Delta { block: 0, text }))])
}

#[expect(unsafe_code, reason = "breaking the rules is what it is for")]
fn ill_formed() -> String {
    // SAFETY: there is none; the host must notice.
    unsafe { String::from_utf8_unchecked(vec![0xff, 0xfe]) }
}

#[expect(unsafe_code, reason = "breaking the rules is what it is for")]
fn stale() -> String {
    let mut text = ManuallyDrop::new(String::from("short"));
    // SAFETY: there is none; the host must notice.
    unsafe { String::from_raw_parts(text.as_mut_ptr(), 0x7fff_fff0, 0x7fff_fff0) }
}

mortise_sdk::bindings::export!(Guest with_types_in mortise_sdk::bindings);
