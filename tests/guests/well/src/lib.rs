//! Behaves: answers every chat with its name and version.
//!
//! Nothing must stop it. `well-next` is the same source with the next version, for reloading while calls are under way.

use mortise_sdk::chat::{Request, Usage};
use mortise_sdk::provider::{Error, Exchange, Info, Model, NoSettings, Price, Provider, answer};

struct Guest;

impl Provider for Guest {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        let price = Price { input: 2.0, output: 6.0, cache_read: None, cache_write: None };
        Ok(Info { models: vec![Model { price: Some(price), ..Model::new("any") }], ..kit::info("Well") })
    }

    fn chat(_: Request, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        Ok(answer(|out| {
            kit::say(out, concat!("well ", env!("CARGO_PKG_VERSION")));
            out.emit(Usage {
                input: 1,
                output: 2,
                cache_read: 0,
                cache_write: 0,
                cache_write_hour: 0,
                reasoning: 0,
                cost: None,
            });
            Ok(())
        }))
    }
}

mortise_sdk::provider!(Guest);
