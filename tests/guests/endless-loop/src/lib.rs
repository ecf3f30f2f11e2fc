//! Never returns from a call: from the constructor with the model `constructor`, else from `advance`.
//!
//! The CPU budget of a call must stop it.

use mortise_sdk::chat::Request;
use mortise_sdk::provider::{Error, Exchange, Info, NoSettings, Provider, answer};

struct Guest;

impl Provider for Guest {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        Ok(kit::info("Endless loop"))
    }

    fn chat(request: Request, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        if request.model == "constructor" {
            kit::forever();
        }
        Ok(answer(|_| kit::forever()))
    }
}

mortise_sdk::provider!(Guest);
