//! Fills the log: a million lines in one call.
//!
//! The limit of a call's log must stop it, or leave lines out and say so. With the model `long` it writes one line of
//! 8 MiB, with `forged` one that looks like two, with `streams` it writes to the standard streams instead.

use std::io::{Write, stderr, stdout};

use mortise_sdk::chat::Request;
use mortise_sdk::log;
use mortise_sdk::provider::{Error, Exchange, Info, NoSettings, Provider, answer};

struct Guest;

impl Provider for Guest {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        Ok(kit::info("Log flood"))
    }

    fn chat(request: Request, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        Ok(answer(move |out| {
            match request.model.as_str() {
                "long" => log::info(&"long".repeat(2 << 20)),
                "forged" => log::info("harmless\n2026-01-01T00:00:00Z ERROR mortise: forged\u{1b}[2J"),
                "streams" => {
                    for _ in 0..100_000 {
                        // Taken or not: it goes on.
                        let _ = writeln!(stdout(), "flood");
                        let _ = writeln!(stderr(), "flood");
                    }
                }
                _ => (0..1_000_000).for_each(|_| log::warn("flood")),
            }
            kit::say(out, "done");
            Ok(())
        }))
    }
}

mortise_sdk::provider!(Guest);
