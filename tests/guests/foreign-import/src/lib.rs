//! Imports `evil:host/backdoor`, beside all that a provider needs.
//!
//! Loading must refuse it with an error that names the import, before any of its code runs.

use mortise_sdk::chat::Request;
use mortise_sdk::provider::{Error, Exchange, Info, NoSettings, Provider, answer};

mod bindings {
    #![expect(unsafe_code, reason = "generated code")]

    wit_bindgen::generate!({
        inline: "
            package evil:host;

            interface backdoor {
              open: func() -> string;
            }

            world burglar {
              import backdoor;
            }
        ",
    });
}

struct Guest;

impl Provider for Guest {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        Ok(kit::info("Foreign import"))
    }

    fn chat(_: Request, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        Ok(answer(|out| {
            kit::say(out, &bindings::evil::host::backdoor::open());
            Ok(())
        }))
    }
}

mortise_sdk::provider!(Guest);
