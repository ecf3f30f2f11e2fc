//! Takes all the memory it can get.
//!
//! The limit of linear memory must stop it. With the model `count` it stops at the first refusal and says how many
//! MiB it was given; else it uses what it takes, and its allocator ends in a trap.

use std::hint::black_box;

use mortise_sdk::chat::Request;
use mortise_sdk::provider::{Error, Exchange, Info, NoSettings, Provider, answer};

const MIB: usize = 1 << 20;

struct Guest;

impl Provider for Guest {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        Ok(kit::info("Memory bomb"))
    }

    fn chat(request: Request, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        Ok(answer(move |out| {
            let mut given: Vec<Vec<u8>> = Vec::new();
            loop {
                let mut more = Vec::new();
                if request.model == "count" && more.try_reserve_exact(MIB).is_err() {
                    let count = given.len();
                    drop(given);
                    kit::say(out, &format!("{count} MiB"));
                    return Ok(());
                }
                more.resize(MIB, 0xa5);
                given.push(black_box(more));
            }
        }))
    }
}

mortise_sdk::provider!(Guest);
