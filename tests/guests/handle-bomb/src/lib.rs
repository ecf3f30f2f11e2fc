//! Opens handles at the host and never closes them.
//!
//! The limit of handles must stop it.

use mortise_sdk::chat::Request;
use mortise_sdk::provider::{Error, Exchange, Info, NoSettings, Provider, answer};

struct Guest;

impl Provider for Guest {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        Ok(kit::info("Handle bomb"))
    }

    fn chat(_: Request, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        Ok(answer(|_| {
            loop {
                std::mem::forget(wasip2::clocks::monotonic_clock::subscribe_duration(1));
            }
        }))
    }
}

mortise_sdk::provider!(Guest);
