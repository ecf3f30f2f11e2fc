//! Traps in `describe`.
//!
//! It must not be published, and the trap must not end the server.

use mortise_sdk::provider::{Error, Info, NoSettings, Provider};

struct Guest;

impl Provider for Guest {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        panic!("asked to trap in describe")
    }
}

mortise_sdk::provider!(Guest);
