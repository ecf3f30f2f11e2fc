//! Counts the chats that its instance has seen, and answers with the count.
//!
//! With the isolation `fresh` every answer is 1: an instance that served one request never serves another.

use std::sync::atomic::{AtomicU64, Ordering};

use mortise_sdk::chat::Request;
use mortise_sdk::provider::{Error, Exchange, Info, NoSettings, Provider, answer};

static SEEN: AtomicU64 = AtomicU64::new(0);

struct Guest;

impl Provider for Guest {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        Ok(kit::info("Stateful"))
    }

    fn chat(_: Request, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        let count = SEEN.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(answer(move |out| {
            kit::say(out, &count.to_string());
            Ok(())
        }))
    }
}

mortise_sdk::provider!(Guest);
