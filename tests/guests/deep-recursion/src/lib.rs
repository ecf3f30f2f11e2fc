//! Calls itself without end.
//!
//! The limit of the stack must stop it.

use std::hint::black_box;

use mortise_sdk::chat::Request;
use mortise_sdk::provider::{Error, Exchange, Info, NoSettings, Provider, answer};

struct Guest;

impl Provider for Guest {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        Ok(kit::info("Deep recursion"))
    }

    fn chat(_: Request, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        Ok(answer(|out| {
            kit::say(out, &deeper(black_box(0)).to_string());
            Ok(())
        }))
    }
}

#[expect(unconditional_recursion, reason = "that is what it is for")]
#[inline(never)]
fn deeper(depth: u64) -> u64 {
    // The sum comes after the call, so that the call can't become a jump.
    black_box(deeper(black_box(depth + 1)).wrapping_add(depth))
}

mortise_sdk::provider!(Guest);
