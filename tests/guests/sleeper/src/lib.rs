//! Sleeps for an hour inside a call, which burns no CPU but holds an instance and a thread.
//!
//! The host must refuse the sleep or cut it short.

use std::thread;
use std::time::Duration;

use mortise_sdk::chat::Request;
use mortise_sdk::provider::{Error, Exchange, Info, NoSettings, Provider, answer};

struct Guest;

impl Provider for Guest {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        Ok(kit::info("Sleeper"))
    }

    fn chat(_: Request, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        Ok(answer(|out| {
            thread::sleep(Duration::from_secs(3600));
            kit::say(out, "awake");
            Ok(())
        }))
    }
}

mortise_sdk::provider!(Guest);
