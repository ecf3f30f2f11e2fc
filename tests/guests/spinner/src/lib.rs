//! Works hard, but not for ever: some 30 ms of CPU in every call.
//!
//! Nothing must stop it: a budget that it exceeds is too small, and other requests must go on beside it.

use std::hint::black_box;

use mortise_sdk::chat::Request;
use mortise_sdk::provider::{Error, Exchange, Info, NoSettings, Provider, answer};

const WORK: u64 = 20_000_000;

struct Guest;

impl Provider for Guest {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        Ok(kit::info("Spinner"))
    }

    fn chat(_: Request, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        Ok(answer(|out| {
            let spin = |sum: u64, step| black_box(sum.wrapping_mul(6_364_136_223_846_793_005) ^ step);
            kit::say(out, &format!("spun {:x}", (0..WORK).fold(1, spin)));
            Ok(())
        }))
    }
}

mortise_sdk::provider!(Guest);
