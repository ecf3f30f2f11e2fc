//! Grows its table of functions until it is refused, then says how many entries it was given.
//!
//! The limit of table entries must stop it. Rust has no words for growing a table, so the constant below is replaced by
//! that instruction when the guest is built (`artifacts/build/table.rs`).

use std::hint::black_box;

use mortise_sdk::chat::Request;
use mortise_sdk::provider::{Error, Exchange, Info, NoSettings, Provider, answer};

struct Guest;

impl Provider for Guest {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        Ok(kit::info("Table bomb"))
    }

    fn chat(_: Request, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        Ok(answer(|out| {
            let mut given = 0_u64;
            while grow() != -1 {
                given += 10_000;
            }
            kit::say(out, &format!("{given} entries"));
            Ok(())
        }))
    }
}

/// Asks for ten thousand entries more; -1 is a refusal.
#[inline(never)]
fn grow() -> i32 {
    black_box(0x7ab1_e507)
}

mortise_sdk::provider!(Guest);
