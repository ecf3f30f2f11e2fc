//! Says more than anybody can hear: one MiB a step, without end.
//!
//! The limit of an answer's size must stop it. With the model `burst` it says 32 MiB in one step, with `event` 32 MiB in
//! one event.

use mortise_sdk::chat::{Delta, Event, Request};
use mortise_sdk::provider::{Error, Exchange, Info, NoSettings, Out, Provider};

const MIB: usize = 1 << 20;

struct Guest;

impl Provider for Guest {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        Ok(kit::info("Huge output"))
    }

    fn chat(request: Request, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        Ok(Box::new(Flood(request.model)))
    }
}

struct Flood(String);

impl Exchange for Flood {
    fn begin(&mut self, out: &mut Out) -> Result<(), Error> {
        match self.0.as_str() {
            "burst" => (0..32).for_each(|_| say(out, MIB)),
            "event" => say(out, 32 * MIB),
            _ => {
                say(out, MIB);
                out.wait(0);
                return Ok(());
            }
        }
        out.finish();
        Ok(())
    }

    fn woken(&mut self, out: &mut Out) -> Result<(), Error> {
        self.begin(out)
    }
}

fn say(out: &mut Out, length: usize) {
    out.emit(Event::Text(Delta { block: 0, text: "x".repeat(length) }));
}

mortise_sdk::provider!(Guest);
