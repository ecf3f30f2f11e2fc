//! Asks to be woken in 49 days, again and again. With the model `busy`: in no time at all, without end.
//!
//! The wall time of an exchange must stop it, and an exchange that waits must not hold a thread.

use mortise_sdk::chat::Request;
use mortise_sdk::provider::{Error, Exchange, Info, NoSettings, Out, Provider};

struct Guest;

impl Provider for Guest {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        Ok(kit::info("Wait forever"))
    }

    fn chat(request: Request, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        Ok(Box::new(Waiting(if request.model == "busy" { 0 } else { u32::MAX })))
    }
}

struct Waiting(u32);

impl Exchange for Waiting {
    fn begin(&mut self, out: &mut Out) -> Result<(), Error> {
        out.wait(self.0);
        Ok(())
    }

    fn woken(&mut self, out: &mut Out) -> Result<(), Error> {
        self.begin(out)
    }
}

mortise_sdk::provider!(Guest);
